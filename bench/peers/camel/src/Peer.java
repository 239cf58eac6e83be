package livemeter.bench;

import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import org.apache.camel.builder.RouteBuilder;
import org.apache.camel.component.kafka.KafkaConfiguration;
import org.apache.camel.component.kafka.KafkaComponent;
import org.apache.camel.component.platform.http.vertx.VertxPlatformHttpServer;
import org.apache.camel.component.platform.http.vertx.VertxPlatformHttpServerConfiguration;
import org.apache.camel.impl.DefaultCamelContext;

/**
 * A batch comes by HTTP, its events go to Kafka, one record each, and it is answered when all of them are
 * acknowledged: what ingest does, without its checks. How a batch is taken apart is in {@link Batch}.
 */
public final class Peer {
    /** Each request holds one of Vert.x's worker threads until its events are acknowledged. */
    private static final int WORKERS = 1024;

    private Peer() {}

    public static void main(String[] arguments) throws Exception {
        int port = Integer.parseInt(arguments[0]);
        String brokers = arguments[1];
        String topic = arguments[2];
        DefaultCamelContext camel = new DefaultCamelContext();
        camel.setLoadTypeConverters(false);
        Vertx vertx = Vertx.vertx(new VertxOptions().setWorkerPoolSize(WORKERS));
        camel.getRegistry().bind("vertx", vertx);
        KafkaComponent kafka = new KafkaComponent();
        kafka.setConfiguration(producer(brokers));
        camel.addComponent("kafka", kafka);
        VertxPlatformHttpServerConfiguration http = new VertxPlatformHttpServerConfiguration();
        http.setBindHost("127.0.0.1");
        http.setBindPort(port);
        // A folder for uploads would be made where this runs.
        http.getBodyHandler().setHandleFileUploads(false);
        camel.addService(new VertxPlatformHttpServer(http));
        camel.addRoutes(new RouteBuilder() {
            @Override
            public void configure() {
                from("platform-http:/v1/events?httpMethodRestrict=POST")
                        .process(new Batch())
                        .to("kafka:" + topic)
                        .process(Batch::answer);
                from("platform-http:/readyz?httpMethodRestrict=GET").setBody(constant("ready"));
            }
        });
        camel.start();
        Thread.currentThread().join();
    }

    /** The settings of ingest's own producer, in Java's words. */
    private static KafkaConfiguration producer(String brokers) {
        KafkaConfiguration kafka = new KafkaConfiguration();
        kafka.setBrokers(brokers);
        kafka.setRequestRequiredAcks("all");
        kafka.setEnableIdempotence(true);
        kafka.setCompressionCodec("lz4");
        kafka.setLingerMs(5);
        kafka.setMaxInFlightRequest(5);
        // Java sends a batch when it is full: the default of 16 KiB would be one of 40 records.
        kafka.setProducerBatchSize(1 << 20);
        kafka.setBufferMemorySize(64 << 20);
        kafka.setRecordMetadata(false);
        kafka.setKeySerializer("org.apache.kafka.common.serialization.StringSerializer");
        kafka.setValueSerializer("org.apache.kafka.common.serialization.ByteArraySerializer");
        return kafka;
    }
}
