//! How much of everything an import of a log may be, and why. Invoices have their own in `invoice`.

/// Each refusal names the limit by the field's name here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// A line longer than this is kept as a bad one. CloudFront's URLs end at 8 KiB and its headers at 20 KiB; escaping triples both.
    pub line_bytes_max: usize,
    /// Text may be so many times larger than the compressed file: real logs stay under 40, bombs begin at 1,000.
    pub ratio_max: u64,
    /// So much text is free of `ratio_max`: a small file of one line repeated compresses well and harms nobody.
    pub ratio_free_bytes: u64,
    /// Text of one file. A day of a large domain is below it; more belongs into several files.
    pub text_bytes_max: u64,
    /// Distinct (window, domain, region, session) of one file. Each holds about 100 bytes of memory, with its session's id.
    pub keys_max: usize,
    /// Length of a domain, a region or a session id; longer ones are no such thing, and the line is bad.
    pub key_bytes_max: usize,
    /// Bad lines kept with their reason; further ones are counted.
    pub bad_lines_max: u64,
    /// Of each bad line, so much is kept.
    pub bad_line_bytes: usize,
    /// The format is judged by the first lines.
    pub head_lines: u64,
    /// More bad ones among them, and the file is of another format.
    pub head_bad_percent: u64,
    /// So many are forgiven in any file, unless no line at all is good: a short file with one torn line is still a log.
    pub head_bad_free: u64,
    /// Imports of one vendor: each import looks at all manifests.
    pub imports_max: usize,
    /// Original lines given out at once.
    pub lines_max: u64,
    /// Rows of an answer that is held in memory.
    pub rows_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            line_bytes_max: 96 << 10,
            ratio_max: 200,
            ratio_free_bytes: 64 << 20,
            text_bytes_max: 256 << 30,
            keys_max: 1_000_000,
            key_bytes_max: 256,
            bad_lines_max: 1_000,
            bad_line_bytes: 512,
            head_lines: 1_000,
            head_bad_percent: 10,
            head_bad_free: 3,
            imports_max: 100_000,
            lines_max: 1_000,
            rows_max: 2_000_000,
        }
    }
}
