//! Where log lines go: standard error, readable or JSON.

use std::io::IsTerminal;
use tracing_subscriber::EnvFilter;

/// Installs the log. `level` is a word such as `info`, or a filter such as `livemeter=debug,warn`.
/// Libraries are kept to warnings: their every-day chatter hides ours.
pub fn start(level: &str, json: bool) {
    let filter = if level.contains(['=', ',']) {
        EnvFilter::new(level)
    } else {
        EnvFilter::new(format!(
            "warn,livemeter={level},livemeter_ingest={level},livemeter_processor={level},livemeter_query={level},livemeter_simulate={level}"
        ))
    };
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        // It would tell of a closed standard error on standard error, and panic: whoever read our log may be
        // gone while we still have to end in order.
        .log_internal_errors(false);
    // A second call (tests) changes nothing.
    let _ = if json { builder.json().try_init() } else { builder.try_init() };
}
