package livemeter.bench;

import java.nio.file.Path;
import java.time.Duration;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.connector.file.sink.FileSink;
import org.apache.flink.connector.kafka.source.KafkaSource;
import org.apache.flink.connector.kafka.source.enumerator.initializer.OffsetsInitializer;
import org.apache.flink.core.execution.CheckpointingMode;
import org.apache.flink.formats.parquet.ParquetWriterFactory;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.functions.sink.filesystem.OutputFileConfig;
import org.apache.flink.streaming.api.functions.sink.filesystem.bucketassigners.BasePathBucketAssigner;

/**
 * The peer of the processor: drains the topic up to where it ends now, sums counter differences per (session,
 * CDN, 5-minute window), writes Parquet, exactly once. Ends when the last checkpoint is complete.
 */
public final class Peer {
    private Peer() {}

    public static void main(String[] arguments) throws Exception {
        String brokers = arguments[0];
        String topic = arguments[1];
        String output = Path.of(arguments[2]).toUri().toString();
        long checkpointMs = arguments.length > 4 ? Long.parseLong(arguments[4]) : 10_000L;

        Configuration settings = new Configuration();
        settings.setString("state.backend.type", "hashmap");
        settings.setString("execution.checkpointing.storage", "filesystem");
        settings.setString("execution.checkpointing.dir", Path.of(arguments[3]).toUri().toString());
        // One file of a slot's state is cheaper than one per key group.
        settings.setString("execution.checkpointing.data-inline-threshold", "20kb");
        // Larger network buffers wait longer for company; results are read at checkpoints only.
        settings.setString("execution.buffer-timeout.interval", "100 ms");
        StreamExecutionEnvironment env = StreamExecutionEnvironment.createLocalEnvironment(2, settings);
        // Nothing here holds on to a record it was given, so copies between chained operators are spared.
        env.getConfig().enableObjectReuse();
        env.getConfig().setAutoWatermarkInterval(1_000L);
        env.enableCheckpointing(checkpointMs, CheckpointingMode.EXACTLY_ONCE);

        KafkaSource<Beat> source = KafkaSource.<Beat>builder()
                .setBootstrapServers(brokers)
                .setTopics(topic)
                .setGroupId("livemeter-peer")
                .setStartingOffsets(OffsetsInitializer.earliest())
                .setBounded(OffsetsInitializer.latest())
                .setDeserializer(new BeatReader())
                .setProperty("fetch.min.bytes", "65536")
                .setProperty("max.poll.records", "5000")
                .build();
        WatermarkStrategy<Beat> times = WatermarkStrategy.<Beat>forBoundedOutOfOrderness(Duration.ofSeconds(30))
                .withTimestampAssigner((beat, written) -> beat.atMs);
        FileSink<Sum> files = FileSink.forBulkFormat(
                        new org.apache.flink.core.fs.Path(output), new ParquetWriterFactory<>(new SumFiles()))
                .withBucketAssigner(new BasePathBucketAssigner<>())
                .withOutputFileConfig(OutputFileConfig.builder().withPartSuffix(".parquet").build())
                .build();
        env.fromSource(source, times, "heartbeats")
                .keyBy(beat -> beat.key)
                .process(new Sums(), TypeInformation.of(Sum.class))
                .sinkTo(files);
        env.execute("livemeter peer");
    }
}
