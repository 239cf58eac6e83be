package livemeter.bench;

import java.util.HashMap;
import org.apache.flink.formats.parquet.ParquetBuilder;
import org.apache.hadoop.conf.Configuration;
import org.apache.parquet.hadoop.ParquetWriter;
import org.apache.parquet.hadoop.api.WriteSupport;
import org.apache.parquet.hadoop.metadata.CompressionCodecName;
import org.apache.parquet.io.OutputFile;
import org.apache.parquet.io.api.Binary;
import org.apache.parquet.io.api.RecordConsumer;
import org.apache.parquet.schema.MessageType;
import org.apache.parquet.schema.MessageTypeParser;

/** Sums to Parquet, column by column, without a record format between; zstd at level 1, as the ledger. */
public final class SumFiles implements ParquetBuilder<Sum> {
    private static final long serialVersionUID = 1L;
    private static final String COLUMNS =
            "message sums { required int64 window_start (TIMESTAMP(MILLIS,true)); required binary app (STRING);"
                    + " required binary programme_id (STRING); required binary cdn (STRING); required binary region (STRING);"
                    + " required binary user_id (STRING); required binary session_id (STRING); required int64 reached_seq;"
                    + " required int64 bytes; required int64 aborted_bytes; required int64 play_ms; required int64 stall_ms;"
                    + " required int64 stalls; }";

    @Override
    public ParquetWriter<Sum> createWriter(OutputFile out) throws java.io.IOException {
        Configuration settings = new Configuration(false);
        settings.setInt("parquet.compression.codec.zstd.level", 1);
        return new Builder(out).withConf(settings).withCompressionCodec(CompressionCodecName.ZSTD).build();
    }

    private static final class Builder extends ParquetWriter.Builder<Sum, Builder> {
        Builder(OutputFile out) {
            super(out);
        }

        @Override
        protected Builder self() {
            return this;
        }

        @Override
        protected WriteSupport<Sum> getWriteSupport(Configuration settings) {
            return new Columns();
        }
    }

    private static final class Columns extends WriteSupport<Sum> {
        private final MessageType schema = MessageTypeParser.parseMessageType(COLUMNS);
        private RecordConsumer to;
        private int column;

        @Override
        public WriteContext init(Configuration settings) {
            return new WriteContext(schema, new HashMap<>());
        }

        @Override
        public void prepareForWrite(RecordConsumer consumer) {
            to = consumer;
        }

        @Override
        public void write(Sum sum) {
            column = 0;
            to.startMessage();
            number(sum.windowStartMs);
            text(sum.app);
            text(sum.programme);
            text(sum.cdn);
            text(sum.region);
            text(sum.user);
            text(sum.session);
            number(sum.reachedSeq);
            number(sum.bytes);
            number(sum.abortedBytes);
            number(sum.playMs);
            number(sum.stallMs);
            number(sum.stalls);
            to.endMessage();
        }

        private void number(long value) {
            String name = schema.getFieldName(column);
            to.startField(name, column);
            to.addLong(value);
            to.endField(name, column++);
        }

        private void text(String value) {
            String name = schema.getFieldName(column);
            to.startField(name, column);
            to.addBinary(Binary.fromString(value));
            to.endField(name, column++);
        }
    }
}
