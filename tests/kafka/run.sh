#!/bin/sh
# Runs one node of Apache Kafka (KRaft, broker and controller in one) on 127.0.0.1 until it is ended.
#   run.sh DATA_FOLDER PORT CONTROLLER_PORT [SECOND_PORT TOLD_PORT]
# The data folder is formatted at the first start and kept after that. Heap: KAFKA_HEAP (512m).
# Clients that come by the second port are told to come to TOLD_PORT, where a test's relay listens.
set -eu
if [ $# -ne 3 ] && [ $# -ne 5 ]; then
    sed -n '2,5s/^# \{0,1\}//p' "$0" >&2
    exit 2
fi
data=$1 port=$2 controller=$3
listens='' told=''
if [ $# -eq 5 ]; then listens=",SECOND://127.0.0.1:$4" told=",SECOND://127.0.0.1:$5"; fi
libs=$("$(dirname "$0")/fetch")
mkdir -p "$data"
properties=$data/server.properties
cat >"$properties" <<EOF
process.roles=broker,controller
node.id=1
controller.quorum.bootstrap.servers=127.0.0.1:$controller
controller.listener.names=CONTROLLER
listeners=PLAINTEXT://127.0.0.1:$port,CONTROLLER://127.0.0.1:$controller$listens
advertised.listeners=PLAINTEXT://127.0.0.1:$port,CONTROLLER://127.0.0.1:$controller$told
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SECOND:PLAINTEXT
inter.broker.listener.name=PLAINTEXT
log.dirs=$data/logs
# A topic that nobody created must be an error, not a surprise.
auto.create.topics.enable=false
num.partitions=1
# One node: everything that Kafka keeps for itself has one copy.
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
# A new member need not wait for others that will never come. Kafka's own default, 3000, is for benches: two workers that
# are started together then share the topic from the first record on.
group.initial.rebalance.delay.ms=${KAFKA_GROUP_DELAY_MS:-0}
# A worker that is not heard of loses its partitions within seconds, with KIP-848 too.
group.consumer.min.session.timeout.ms=6000
group.consumer.session.timeout.ms=6000
group.consumer.min.heartbeat.interval.ms=1000
group.consumer.heartbeat.interval.ms=1000
# Small machines: few threads, and a stop that does not wait.
num.network.threads=2
num.io.threads=4
controlled.shutdown.enable=false
EOF
# C1 alone compiles: a test's broker lives for seconds, and two cores have other work. KAFKA_TIER=4 for benches.
java="java -Xms128m -Xmx${KAFKA_HEAP:-512m} -XX:+UseSerialGC -XX:TieredStopAtLevel=${KAFKA_TIER:-1} -Djava.awt.headless=true
    -Dorg.slf4j.simpleLogger.defaultLogLevel=${KAFKA_LOG:-warn}"
export CLASSPATH="$libs/*"
if [ ! -f "$data/logs/meta.properties" ]; then
    id=$($java kafka.tools.StorageTool random-uuid)
    $java kafka.tools.StorageTool format --standalone -t "$id" -c "$properties" >&2
fi
exec $java kafka.Kafka "$properties"
