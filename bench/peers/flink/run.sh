#!/bin/sh
# Runs the peer until it has drained the topic: Apache Flink 2.3 in one JVM, two slots.
#   run.sh java|sql BROKERS TOPIC OUTPUT_FOLDER CHECKPOINT_FOLDER [CHECKPOINT_MS]
# Heap: FLINK_HEAP (3g). The shell becomes the JVM, so that its CPU time is the peer's.
set -eu
case ${1:-} in
    java) main=Peer ;;
    sql) main=SqlPeer ;;
    *) main= ;;
esac
if [ -z "$main" ] || [ $# -lt 5 ]; then
    sed -n '2,4s/^# \{0,1\}//p' "$0" >&2
    exit 2
fi
shift
path=$("$(dirname "$0")/fetch")
# The parallel collector spends the least CPU on throughput; the heap is large enough to collect seldom.
exec java -Xms1g -Xmx"${FLINK_HEAP:-3g}" -XX:+UseParallelGC -Djava.awt.headless=true \
    -Dorg.slf4j.simpleLogger.defaultLogLevel="${FLINK_LOG:-warn}" \
    --add-opens=java.base/java.lang=ALL-UNNAMED --add-opens=java.base/java.util=ALL-UNNAMED \
    --add-opens=java.base/java.time=ALL-UNNAMED --add-opens=java.base/java.nio=ALL-UNNAMED \
    -cp "$path" "livemeter.bench.$main" "$@"
