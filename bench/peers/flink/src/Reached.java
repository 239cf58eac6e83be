package livemeter.bench;

import java.io.IOException;
import org.apache.flink.core.memory.DataInputView;
import org.apache.flink.core.memory.DataOutputView;
import org.apache.flink.types.CopyableValue;

/** What is remembered of one session on one CDN: its last beat, and the sums of windows not written yet. */
public final class Reached implements CopyableValue<Reached> {
    private static final long serialVersionUID = 1L;

    /** The last beat: who it is, and the counters reached. */
    public Beat last = new Beat();
    /** Open windows, seldom more than two: start, then five sums each. */
    public long[] windows = new long[0];

    /** Width of one window in the array. */
    public static final int WIDTH = 6;

    /** The place of a window in the array; a new one is opened when there is none. */
    public int open(long startMs) {
        for (int at = 0; at < windows.length; at += WIDTH) {
            if (windows[at] == startMs) {
                return at;
            }
        }
        long[] more = java.util.Arrays.copyOf(windows, windows.length + WIDTH);
        more[windows.length] = startMs;
        int at = windows.length;
        windows = more;
        return at;
    }

    /** Forgets the window at this place. */
    public void close(int at) {
        long[] fewer = new long[windows.length - WIDTH];
        System.arraycopy(windows, 0, fewer, 0, at);
        System.arraycopy(windows, at + WIDTH, fewer, at, windows.length - at - WIDTH);
        windows = fewer;
    }

    @Override
    public void write(DataOutputView out) throws IOException {
        last.write(out);
        out.writeInt(windows.length);
        for (long value : windows) {
            out.writeLong(value);
        }
    }

    @Override
    public void read(DataInputView in) throws IOException {
        last.read(in);
        windows = new long[in.readInt()];
        for (int i = 0; i < windows.length; i++) {
            windows[i] = in.readLong();
        }
    }

    @Override
    public void copyTo(Reached to) {
        last.copyTo(to.last);
        to.windows = windows.clone();
    }

    @Override
    public Reached copy() {
        Reached copy = new Reached();
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
