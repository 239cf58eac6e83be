package livemeter.bench;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.apache.camel.Exchange;
import org.apache.camel.Message;
import org.apache.camel.Processor;
import org.apache.camel.component.kafka.KafkaConstants;
import org.apache.camel.support.DefaultMessage;

/**
 * Takes a batch apart in one pass of Jackson's streaming parser: each event's own bytes are copied once, into its
 * record, as ingest does it. Only an event's session is read, for the key; nothing is checked.
 */
final class Batch implements Processor {
    private static final JsonFactory JSON = new JsonFactory();
    private static final String COUNT = "livemeter.count";

    @Override
    public void process(Exchange exchange) throws IOException {
        byte[] body = exchange.getMessage().getBody(byte[].class);
        List<Message> records = new ArrayList<>();
        String app = "";
        long sentAtMs = 0;
        try (JsonParser parser = JSON.createParser(body)) {
            expect(parser.nextToken() == JsonToken.START_OBJECT);
            while (parser.nextToken() == JsonToken.FIELD_NAME) {
                String name = parser.currentName();
                JsonToken value = parser.nextToken();
                switch (name) {
                    case "app" -> app = parser.getText();
                    case "sent_at_ms" -> sentAtMs = parser.getLongValue();
                    case "events" -> {
                        expect(value == JsonToken.START_ARRAY);
                        byte[] head = head(app, sentAtMs);
                        while (parser.nextToken() == JsonToken.START_OBJECT) {
                            records.add(record(exchange, parser, body, app, head));
                        }
                    }
                    default -> parser.skipChildren();
                }
            }
        }
        exchange.setProperty(COUNT, records.size());
        exchange.getMessage().removeHeaders("*");
        exchange.getMessage().setBody(records);
    }

    static void answer(Exchange exchange) {
        exchange.getMessage().removeHeaders("*");
        exchange.getMessage().setHeader(Exchange.CONTENT_TYPE, "application/json");
        exchange.getMessage().setBody("{\"accepted\":" + exchange.getProperty(COUNT) + "}");
    }

    private static byte[] head(String app, long sentAtMs) {
        String head = "{\"v\":1,\"app\":\"" + app + "\",\"received_at_ms\":" + System.currentTimeMillis() + ",\"sent_at_ms\":" + sentAtMs
                + ",\"event\":";
        return head.getBytes(StandardCharsets.UTF_8);
    }

    private static Message record(Exchange exchange, JsonParser parser, byte[] body, String app, byte[] head) throws IOException {
        int from = (int) parser.currentTokenLocation().getByteOffset();
        String session = "";
        while (parser.nextToken() == JsonToken.FIELD_NAME) {
            boolean isSession = "session_id".equals(parser.currentName());
            parser.nextToken();
            if (isSession) {
                session = parser.getText();
            } else {
                parser.skipChildren();
            }
        }
        int until = (int) parser.currentLocation().getByteOffset();
        byte[] value = new byte[head.length + until - from + 1];
        System.arraycopy(head, 0, value, 0, head.length);
        System.arraycopy(body, from, value, head.length, until - from);
        value[value.length - 1] = '}';
        Message record = new DefaultMessage(exchange.getContext());
        record.setHeader(KafkaConstants.KEY, app + "/" + session);
        record.setBody(value);
        return record;
    }

    private static void expect(boolean right) throws IOException {
        if (!right) {
            throw new IOException("not a batch");
        }
    }
}
