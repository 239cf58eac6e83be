package livemeter.bench;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.java.typeutils.ValueTypeInfo;
import org.apache.flink.connector.kafka.source.reader.deserializer.KafkaRecordDeserializationSchema;
import org.apache.flink.util.Collector;
import org.apache.kafka.clients.consumer.ConsumerRecord;

/** A record's bytes to beats, one per CDN, in one pass of Jackson's streaming parser: no tree, no binding. */
public final class BeatReader implements KafkaRecordDeserializationSchema<Beat> {
    private static final long serialVersionUID = 1L;
    private static final JsonFactory JSON = new JsonFactory();
    /** More CDNs than ingest lets a session report. */
    private static final int CDNS_MAX = 16;

    /** One heartbeat as far as it has been read. */
    private static final class Heartbeat {
        final Beat head = new Beat();
        final String[] cdns = new String[CDNS_MAX];
        final long[][] counters = new long[CDNS_MAX][5];
        int count;
        boolean heartbeat;
        long receivedAtMs;
        long sentAtMs = Long.MIN_VALUE;
    }

    @Override
    public void deserialize(ConsumerRecord<byte[], byte[]> record, Collector<Beat> out) throws IOException {
        Heartbeat read = new Heartbeat();
        try (JsonParser parser = JSON.createParser(record.value())) {
            parser.nextToken();
            while (parser.nextToken() == JsonToken.FIELD_NAME) {
                String name = parser.currentName();
                parser.nextToken();
                switch (name) {
                    case "app" -> read.head.app = parser.getText();
                    case "received_at_ms" -> read.receivedAtMs = parser.getLongValue();
                    case "sent_at_ms" -> read.sentAtMs = parser.getLongValue();
                    case "event" -> event(parser, read);
                    default -> parser.skipChildren();
                }
            }
        }
        if (!read.heartbeat) {
            return;
        }
        if (read.sentAtMs != Long.MIN_VALUE) {
            read.head.atMs += read.receivedAtMs - read.sentAtMs;
        }
        for (int i = 0; i < read.count; i++) {
            Beat beat = read.head.copy();
            beat.cdn = read.cdns[i];
            beat.key = beat.session + '/' + beat.cdn;
            System.arraycopy(read.counters[i], 0, beat.counters, 0, beat.counters.length);
            out.collect(beat);
        }
    }

    private static void event(JsonParser parser, Heartbeat read) throws IOException {
        while (parser.nextToken() == JsonToken.FIELD_NAME) {
            String name = parser.currentName();
            parser.nextToken();
            switch (name) {
                case "type" -> read.heartbeat = parser.getText().equals("heartbeat");
                case "session_id" -> read.head.session = parser.getText();
                case "seq" -> read.head.seq = parser.getLongValue();
                case "at_ms" -> read.head.atMs = parser.getLongValue();
                case "user_id" -> read.head.user = parser.getText();
                case "programme_id" -> read.head.programme = parser.getText();
                case "region" -> read.head.region = parser.getText();
                case "counters" -> counters(parser, read);
                default -> parser.skipChildren();
            }
        }
    }

    private static void counters(JsonParser parser, Heartbeat read) throws IOException {
        while (parser.nextToken() == JsonToken.START_OBJECT) {
            long[] counters = read.counters[read.count];
            while (parser.nextToken() == JsonToken.FIELD_NAME) {
                String name = parser.currentName();
                parser.nextToken();
                switch (name) {
                    case "cdn" -> read.cdns[read.count] = parser.getText();
                    case "bytes" -> counters[0] = parser.getLongValue();
                    case "aborted_bytes" -> counters[1] = parser.getLongValue();
                    case "play_ms" -> counters[2] = parser.getLongValue();
                    case "stall_ms" -> counters[3] = parser.getLongValue();
                    case "stalls" -> counters[4] = parser.getLongValue();
                    default -> parser.skipChildren();
                }
            }
            read.count++;
        }
    }

    @Override
    public TypeInformation<Beat> getProducedType() {
        return new ValueTypeInfo<>(Beat.class);
    }
}
