//! A log that looks real, from a seed, for tests and measurements: distinct URLs, request ids and sessions, two
//! renditions, playlists between segments, an occasional abort. Nothing here is random: the same seed, the same bytes.

use std::io::{self, Write};

/// What a generated CloudFront log holds.
#[derive(Debug, Clone)]
pub struct Sample {
    pub seed: u64,
    /// Lines are written until the text is at least so long.
    pub text_bytes: u64,
    /// First line's time, seconds since 1970 UTC.
    pub start_s: i64,
    /// Lines a second of log time.
    pub lines_per_s: u64,
    /// Sessions watching at once.
    pub sessions: u64,
    pub domains: u64,
    pub edges: u64,
}

impl Default for Sample {
    /// A large event: 2,000 requests a second by 4,000 viewers, two seconds a segment; October 2026.
    fn default() -> Self {
        Sample { seed: 1, text_bytes: 1 << 20, start_s: 1_790_812_800, lines_per_s: 2_000, sessions: 4_000, domains: 4, edges: 12 }
    }
}

/// What was written: the truth an import is compared with.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Written {
    pub text_bytes: u64,
    pub lines: u64,
    pub requests: u64,
    pub traffic_bytes: u64,
}

/// Numbers without end from a seed (the SplitMix64 sequence of Steele, Lea and Flood, 2014).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end.max(1)
    }
}

const EDGES: [&str; 12] = [
    "HKG62-C1", "NRT57-P2", "SIN2-P1", "FRA56-P9", "LHR61-C2", "IAD89-C3", "SFO5-P1", "GRU1-C1", "BOM78-P4", "SYD1-C2", "CDG52-P1",
    "ICN57-P1",
];
const AGENTS: [&str; 4] = [
    "Mozilla/5.0%20(Windows%20NT%2010.0;%20Win64;%20x64)%20AppleWebKit/537.36%20(KHTML,%20like%20Gecko)%20Chrome/141.0.0.0%20Safari/537.36",
    "Mozilla/5.0%20(iPhone;%20CPU%20iPhone%20OS%2018_6%20like%20Mac%20OS%20X)%20AppleWebKit/605.1.15%20(KHTML,%20like%20Gecko)%20Mobile/15E148",
    "Mozilla/5.0%20(X11;%20Linux%20x86_64;%20rv:143.0)%20Gecko/20100101%20Firefox/143.0",
    "ExoPlayerLib/2.19.1%20(Linux;%20Android%2015)",
];
const HEADER: &str = "#Version: 1.0\n#Fields: date time x-edge-location sc-bytes c-ip cs-method cs(Host) cs-uri-stem sc-status cs(Referer) cs(User-Agent) cs-uri-query cs(Cookie) x-edge-result-type x-edge-request-id x-host-header cs-protocol cs-bytes time-taken x-forwarded-for ssl-protocol ssl-cipher x-edge-response-result-type cs-protocol-version fle-status fle-encrypted-fields c-port time-to-first-byte x-edge-detailed-result-type sc-content-type sc-content-len sc-range-start sc-range-end\n";

/// Writes a CloudFront standard log of 33 fields.
pub fn cloudfront(sample: &Sample, out: &mut dyn Write) -> io::Result<Written> {
    let mut numbers = Numbers(sample.seed);
    let mut line = String::with_capacity(1_024);
    out.write_all(HEADER.as_bytes())?;
    let mut written = Written { text_bytes: HEADER.len() as u64, lines: 2, ..Written::default() };
    while written.text_bytes < sample.text_bytes {
        line.clear();
        written.traffic_bytes += request(sample, written.requests, &mut numbers, &mut line)?;
        out.write_all(line.as_bytes())?;
        written.requests += 1;
        written.lines += 1;
        written.text_bytes += line.len() as u64;
    }
    Ok(written)
}

/// One request of one viewer. Returns its bytes.
fn request(sample: &Sample, request: u64, numbers: &mut Numbers, line: &mut String) -> io::Result<u64> {
    use std::fmt::Write as _;
    let second = sample.start_s + (request / sample.lines_per_s.max(1)) as i64;
    let time = chrono::DateTime::from_timestamp(second, 0).ok_or_else(|| io::Error::other("no such time"))?;
    let viewer = numbers.below(sample.sessions);
    // A viewer stays with a domain and an edge, and begins a new session about every twenty minutes.
    let session = Numbers(sample.seed ^ (viewer << 20) ^ ((second as u64 + viewer * 7) / 1_200)).next();
    let (domain, edge) = (viewer % sample.domains.max(1), EDGES[(viewer % sample.edges.clamp(1, 12)) as usize]);
    let is_playlist = request.is_multiple_of(3);
    let rendition = ["720p", "1080p"][(viewer % 2) as usize];
    let body = if is_playlist { 700 + numbers.below(200) } else { 400_000 + numbers.below(900_000) };
    let aborted = numbers.below(200) == 0;
    let bytes = if aborted { body / 2 } else { body } + 480;
    let (stem, kind) = match is_playlist {
        true => (format!("/live/event{domain}/{rendition}/index.m3u8"), "application/vnd.apple.mpegurl"),
        false => (format!("/live/event{domain}/{rendition}/seg-{}-{}.ts", second / 2, numbers.below(1_000_000)), "video/mp2t"),
    };
    let (id, id_more, port) = (numbers.next(), numbers.next(), 1_024 + numbers.below(60_000));
    writeln!(
        line,
        "{}\t{edge}\t{bytes}\t198.51.{}.{}\tGET\td{domain}abcdef8.cloudfront.net\t{stem}\t{}\thttps://player.example/watch/{domain}\t{}\t\
         CMCD=bl%3D{}%2Cbr%3D{}%2Csf%3Dh%2Csid%3D%22{session:016x}-{viewer:08x}%22%2Csu\t-\t{}\t{id:016x}{id_more:016x}-CDN_request_id==\t\
         live{domain}.example\thttps\t{}\t0.{:03}\t-\tTLSv1.3\tTLS_AES_128_GCM_SHA256\tHit\tHTTP/2.0\t-\t-\t{port}\t0.{:03}\t{}\t{kind}\t{body}\t-\t-",
        time.format("%Y-%m-%d\t%H:%M:%S"),
        viewer / 250 % 250,
        viewer % 250,
        if aborted { "000" } else { "200" },
        AGENTS[(viewer % 4) as usize],
        numbers.below(30) * 1_000,
        [2_800, 5_200][(viewer % 2) as usize],
        if aborted { "Error" } else { "Hit" },
        300 + numbers.below(200),
        numbers.below(1_000),
        numbers.below(100),
        if aborted { "ClientCommError" } else { "Hit" },
    )
    .map_err(io::Error::other)?;
    Ok(bytes)
}
