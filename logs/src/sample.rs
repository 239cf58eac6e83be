//! A log that looks real, from a seed, for tests and measurements. Nothing here is random.

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

/// What was written: the truth an import is compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Written {
    pub text_bytes: u64,
    pub lines: u64,
    pub requests: u64,
    pub traffic_bytes: u64,
}

/// Writes a CloudFront standard log of 33 fields.
pub fn cloudfront(_sample: &Sample, _out: &mut dyn Write) -> io::Result<Written> {
    todo!()
}
