package livemeter.bench;

import org.apache.flink.api.common.functions.OpenContext;
import org.apache.flink.api.common.state.ValueState;
import org.apache.flink.api.common.state.ValueStateDescriptor;
import org.apache.flink.api.java.typeutils.ValueTypeInfo;
import org.apache.flink.streaming.api.functions.KeyedProcessFunction;
import org.apache.flink.util.Collector;

/**
 * Counters to sums of their differences, per (session, CDN) and 5-minute window. One operator and one state
 * for difference and window together: a window operator behind a difference operator would cost twice.
 * A difference goes whole into the window of its beat, which is less work than dividing it.
 */
public final class Sums extends KeyedProcessFunction<String, Beat, Sum> {
    private static final long serialVersionUID = 1L;
    private static final long WINDOW_MS = 300_000L;

    private transient ValueState<Reached> state;

    @Override
    public void open(OpenContext context) {
        state = getRuntimeContext().getState(new ValueStateDescriptor<>("reached", new ValueTypeInfo<>(Reached.class)));
    }

    @Override
    public void processElement(Beat beat, Context context, Collector<Sum> out) throws Exception {
        Reached reached = state.value();
        if (reached == null) {
            reached = new Reached();
        } else if (beat.seq <= reached.last.seq) {
            return;
        }
        long startMs = Math.floorDiv(beat.atMs, WINDOW_MS) * WINDOW_MS;
        int before = reached.windows.length;
        int at = reached.open(startMs);
        if (reached.windows.length > before) {
            context.timerService().registerEventTimeTimer(startMs + WINDOW_MS - 1);
        }
        long[] last = reached.last.counters;
        for (int i = 0; i < last.length; i++) {
            reached.windows[at + 1 + i] += beat.counters[i] - last[i];
            last[i] = beat.counters[i];
        }
        if (before == 0 && reached.last.key.isEmpty()) {
            beat.copyTo(reached.last);
        }
        reached.last.seq = beat.seq;
        reached.last.atMs = beat.atMs;
        state.update(reached);
    }

    @Override
    public void onTimer(long timestamp, OnTimerContext context, Collector<Sum> out) throws Exception {
        Reached reached = state.value();
        if (reached == null) {
            return;
        }
        for (int at = reached.windows.length - Reached.WIDTH; at >= 0; at -= Reached.WIDTH) {
            if (reached.windows[at] + WINDOW_MS - 1 <= timestamp) {
                out.collect(sum(reached, at));
                reached.close(at);
            }
        }
        state.update(reached);
    }

    private static Sum sum(Reached reached, int at) {
        Sum sum = new Sum();
        long[] windows = reached.windows;
        sum.windowStartMs = windows[at];
        sum.app = reached.last.app;
        sum.programme = reached.last.programme;
        sum.cdn = reached.last.cdn;
        sum.region = reached.last.region;
        sum.user = reached.last.user;
        sum.session = reached.last.session;
        sum.reachedSeq = reached.last.seq;
        sum.bytes = windows[at + 1];
        sum.abortedBytes = windows[at + 2];
        sum.playMs = windows[at + 3];
        sum.stallMs = windows[at + 4];
        sum.stalls = windows[at + 5];
        return sum;
    }
}
