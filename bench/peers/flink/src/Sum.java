package livemeter.bench;

/** One row: what one session got from one CDN within one window. */
public final class Sum {
    public long windowStartMs;
    public String app = "";
    public String programme = "";
    public String cdn = "";
    public String region = "";
    public String user = "";
    public String session = "";
    public long reachedSeq;
    public long bytes;
    public long abortedBytes;
    public long playMs;
    public long stallMs;
    public long stalls;
}
