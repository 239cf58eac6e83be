#!/bin/sh
# Gets the jars of Apache Kafka from Maven Central, once, and prints the folder they are in.
# The folder is $LIVEMETER_CACHE/kafka-4.3.1 (default ~/.cache/livemeter/kafka-4.3.1).
set -eu
here=$(cd "$(dirname "$0")" && pwd)
cache=${LIVEMETER_CACHE:-$HOME/.cache/livemeter}/kafka-4.3.1
# The marker carries the checksum of what was asked for: a changed pom.xml is fetched anew.
wanted=$(cksum <"$here/pom.xml")

complete() { [ -f "$cache/complete" ] && [ "$(cat "$cache/complete")" = "$wanted" ]; }

if ! command -v java >/dev/null; then
    echo "Apache Kafka needs Java 17: apt-get install openjdk-17-jre-headless" >&2
    exit 2
fi
if ! complete; then
    if ! command -v mvn >/dev/null; then
        echo "Getting Apache Kafka's jars needs Maven: apt-get install maven" >&2
        exit 2
    fi
    mkdir -p "$cache"
    # Several tests may want the jars at the same moment: one of them fetches.
    exec 9>"$cache/lock"
    flock 9
    if ! complete; then
        rm -rf "$cache/libs" "$cache/complete"
        mvn -q -B -f "$here/pom.xml" dependency:copy-dependencies -DoutputDirectory="$cache/libs" >&2
        echo "$wanted" >"$cache/complete"
    fi
    exec 9>&-
fi
echo "$cache/libs"
