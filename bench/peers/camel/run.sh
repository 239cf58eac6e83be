#!/bin/sh
# Runs the peer until it is ended: Apache Camel 4.18 takes batches over HTTP and writes one Kafka record per event.
#   run.sh PORT BROKERS TOPIC
# Heap: CAMEL_HEAP (1g). The shell becomes the JVM, so that its CPU time is the peer's.
set -eu
if [ $# -ne 3 ]; then
    sed -n '2,4s/^# \{0,1\}//p' "$0" >&2
    exit 2
fi
path=$("$(dirname "$0")/fetch")
# The parallel collector spends the least CPU on throughput; the heap is large enough to collect seldom.
exec java -Xms"${CAMEL_HEAP:-1g}" -Xmx"${CAMEL_HEAP:-1g}" -XX:+UseParallelGC -Djava.awt.headless=true \
    -Dorg.slf4j.simpleLogger.defaultLogLevel="${CAMEL_LOG:-warn}" -cp "$path" livemeter.bench.Peer "$@"
