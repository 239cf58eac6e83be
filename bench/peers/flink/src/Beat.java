package livemeter.bench;

import java.io.IOException;
import org.apache.flink.core.memory.DataInputView;
import org.apache.flink.core.memory.DataOutputView;
import org.apache.flink.types.CopyableValue;
import org.apache.flink.types.StringValue;

/**
 * The counters of one CDN in one heartbeat. Serialised by hand: Flink's quickest way over the shuffle,
 * where its reflective POJO serializer would cost it more.
 */
public final class Beat implements CopyableValue<Beat> {
    private static final long serialVersionUID = 1L;

    /** Session and CDN: what is summed apart. */
    public String key = "";
    public String app = "";
    public String programme = "";
    public String cdn = "";
    public String region = "";
    public String user = "";
    public String session = "";
    public long seq;
    public long atMs;
    /** bytes, aborted bytes, play ms, stall ms, stalls: cumulative. */
    public final long[] counters = new long[5];

    @Override
    public void write(DataOutputView out) throws IOException {
        for (String text : new String[] {key, app, programme, cdn, region, user, session}) {
            StringValue.writeString(text, out);
        }
        out.writeLong(seq);
        out.writeLong(atMs);
        for (long counter : counters) {
            out.writeLong(counter);
        }
    }

    @Override
    public void read(DataInputView in) throws IOException {
        key = StringValue.readString(in);
        app = StringValue.readString(in);
        programme = StringValue.readString(in);
        cdn = StringValue.readString(in);
        region = StringValue.readString(in);
        user = StringValue.readString(in);
        session = StringValue.readString(in);
        seq = in.readLong();
        atMs = in.readLong();
        for (int i = 0; i < counters.length; i++) {
            counters[i] = in.readLong();
        }
    }

    @Override
    public void copyTo(Beat to) {
        to.key = key;
        to.app = app;
        to.programme = programme;
        to.cdn = cdn;
        to.region = region;
        to.user = user;
        to.session = session;
        to.seq = seq;
        to.atMs = atMs;
        System.arraycopy(counters, 0, to.counters, 0, counters.length);
    }

    @Override
    public Beat copy() {
        Beat copy = new Beat();
        copyTo(copy);
        return copy;
    }

    @Override
    public int getBinaryLength() {
        return -1;
    }

    @Override
    public void copy(DataInputView in, DataOutputView out) throws IOException {
        read(in);
        write(out);
    }
}
