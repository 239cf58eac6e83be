package livemeter.bench;

import java.nio.file.Path;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.table.api.EnvironmentSettings;
import org.apache.flink.table.api.TableEnvironment;

/**
 * The same peer as a team would write it that has no time for serializers: Flink SQL. Counters only rise, so the
 * largest per window is enough, and the difference is taken between windows: one aggregate per heartbeat, a LAG
 * per row. Same arguments, same bounds, same exactly-once checkpoints.
 */
public final class SqlPeer {
    private static final String[] COUNTERS = {"`bytes`", "aborted_bytes", "play_ms", "stall_ms", "stalls"};
    private static final String WHO = "app, programme_id, cdn, region, user_id, session_id";

    private SqlPeer() {}

    public static void main(String[] arguments) throws Exception {
        String checkpoints = Path.of(arguments[3]).toUri().toString();
        Configuration settings = new Configuration();
        settings.setString("parallelism.default", "2");
        settings.setString("pipeline.object-reuse", "true");
        settings.setString("state.backend.type", "hashmap");
        settings.setString("execution.checkpointing.interval", (arguments.length > 4 ? arguments[4] : "10000") + " ms");
        settings.setString("execution.checkpointing.mode", "EXACTLY_ONCE");
        settings.setString("execution.checkpointing.storage", "filesystem");
        settings.setString("execution.checkpointing.dir", checkpoints);
        settings.setString("table.local-time-zone", "UTC");
        TableEnvironment env = TableEnvironment.create(
                EnvironmentSettings.newInstance().inStreamingMode().withConfiguration(settings).build());
        env.executeSql(source(arguments[0], arguments[1]));
        env.executeSql(sink(Path.of(arguments[2]).toUri().toString()));
        env.executeSql(statement()).await();
    }

    private static String source(String brokers, String topic) {
        return "CREATE TABLE beats (app STRING, event ROW<`type` STRING, session_id STRING, at_ms BIGINT, user_id STRING,"
                + " programme_id STRING, region STRING, counters ARRAY<ROW<cdn STRING, `bytes` BIGINT, aborted_bytes BIGINT,"
                + " play_ms BIGINT, stall_ms BIGINT, stalls BIGINT>>>, ts AS TO_TIMESTAMP_LTZ(event.at_ms, 3),"
                + " WATERMARK FOR ts AS ts - INTERVAL '30' SECOND) WITH ('connector' = 'kafka', 'format' = 'json',"
                + " 'topic' = '" + topic + "', 'properties.bootstrap.servers' = '" + brokers + "',"
                + " 'properties.group.id' = 'livemeter-peer', 'properties.fetch.min.bytes' = '65536',"
                + " 'properties.max.poll.records' = '5000', 'scan.startup.mode' = 'earliest-offset',"
                + " 'scan.bounded.mode' = 'latest-offset')";
    }

    private static String sink(String folder) {
        return "CREATE TABLE sums (window_start TIMESTAMP(3), app STRING, programme_id STRING, cdn STRING, region STRING,"
                + " user_id STRING, session_id STRING, `bytes` BIGINT, aborted_bytes BIGINT, play_ms BIGINT, stall_ms BIGINT,"
                + " stalls BIGINT) WITH ('connector' = 'filesystem', 'format' = 'parquet', 'parquet.compression' = 'ZSTD',"
                + " 'path' = '" + folder + "')";
    }

    private static String statement() {
        StringBuilder largest = new StringBuilder();
        StringBuilder differences = new StringBuilder();
        for (String counter : COUNTERS) {
            largest.append(", MAX(").append(counter).append(") AS ").append(counter);
            differences.append(", ").append(counter).append(" - COALESCE(LAG(").append(counter).append(")")
                    .append(" OVER (PARTITION BY session_id, cdn ORDER BY window_time), 0)");
        }
        return "INSERT INTO sums WITH flat AS (SELECT b.app, b.event.programme_id AS programme_id, c.cdn, b.event.region AS region,"
                + " b.event.user_id AS user_id, b.event.session_id AS session_id, c.`bytes`, c.aborted_bytes, c.play_ms, c.stall_ms,"
                + " c.stalls, b.ts FROM beats AS b CROSS JOIN UNNEST(b.event.counters) AS c (cdn, `bytes`, aborted_bytes, play_ms,"
                + " stall_ms, stalls) WHERE b.event.`type` = 'heartbeat'), windows AS (SELECT window_start, window_time, " + WHO
                + largest + " FROM TUMBLE(TABLE flat, DESCRIPTOR(ts), INTERVAL '5' MINUTE)"
                + " GROUP BY window_start, window_end, window_time, " + WHO + ") SELECT window_start, " + WHO + differences
                + " FROM windows";
    }
}
