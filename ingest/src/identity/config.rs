//! The settings of identity and privacy, each with its reason.

use std::path::PathBuf;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// The file of apps and their keys; `None` is open mode.
    pub apps_file: Option<PathBuf>,
    /// A thousand apps with four keys each are 500 KiB; a larger file is a mistake.
    pub apps_file_bytes_max: usize,
    pub apps_max: usize,
    /// Keys of one kind in one app: two while they are rotated, a few more for platforms of their own.
    pub app_keys_max: usize,
    /// How often the files are looked at for changes: a revoked key works this much longer.
    pub apps_poll_ms: u64,
    /// A token with 16 CDNs and long ids is 3 KiB.
    pub token_bytes_max: usize,
    /// The furthest that `exp` may lie ahead: a token that leaks is worth something for this long.
    pub token_lifetime_ms_max: i64,
    /// How far the signer's clock may be off.
    pub token_leeway_ms: i64,
    /// Verified tokens remembered, about 400 bytes each: one per viewer who is watching.
    pub token_cache_max: usize,
    /// The keys of pseudonyms; needed when an app's users have them.
    pub pseudonym_keys_file: Option<PathBuf>,
    /// A session keeps its pseudonym for this long, and a key that was followed by another stays in use as long:
    /// two billing periods, for players that are never switched off and queues that come late.
    pub pseudonym_reach_ms: i64,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            apps_file: None,
            apps_file_bytes_max: 1 << 20,
            apps_max: 1_000,
            app_keys_max: 16,
            apps_poll_ms: 2_000,
            token_bytes_max: 4_096,
            token_lifetime_ms_max: 24 * 3_600_000,
            token_leeway_ms: 30_000,
            token_cache_max: 100_000,
            pseudonym_keys_file: None,
            pseudonym_reach_ms: 62 * 86_400_000,
        }
    }
}
