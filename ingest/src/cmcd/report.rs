//! A report's keys and values → one event. Every key is optional but `sid`; what is wrong with one costs that one.

use super::Ignored;
use super::hosts::Hosts;
use super::values::Values;
use livemeter_schemas::event::{CdnBytes, Cmcd, State};
use livemeter_schemas::limits::Limits;
use livemeter_schemas::refusal::{Code, Refusal};
use std::borrow::Cow;
use url::Url;

/// The highest version that is understood.
pub const VERSION_MAX: u64 = 2;

/// Custom keys of ours. Standard keys know no bytes, no CDN and no user.
/// Cumulative bytes of the CDN in use, or, with a name behind it, of that CDN: `com.livemeter-bytes.cdn-a`.
pub const BYTES_KEY: &str = "com.livemeter-bytes";
pub const CDN_KEY: &str = "com.livemeter-cdn";
pub const USER_KEY: &str = "com.livemeter-user";

/// Who watches, where nobody says; and what.
const NOBODY: &str = "anonymous";
const UNKNOWN: &str = "unknown";

/// Every key of both versions; others are custom (with a hyphen) or unknown.
const KEYS: [&str; 51] = [
    "ab", "bg", "bl", "br", "bs", "bsa", "bsd", "bsda", "cdn", "cen", "cid", "cmsdd", "cmsds", "cs", "d", "dfa", "dl", "e", "ec", "h",
    "lab", "lb", "ltc", "msd", "mtp", "nor", "nr", "nrr", "ot", "pb", "pr", "pt", "rc", "rtp", "sf", "sid", "smrt", "sn", "st", "sta",
    "su", "tab", "tb", "tbl", "tpb", "ts", "ttfb", "ttfbb", "ttlb", "url", "v",
];

/// What a report lacks, and what is counted on the way.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    pub hosts: &'a Hosts,
    pub limits: &'a Limits,
    pub target: Option<&'a str>,
    pub user_id: Option<&'a str>,
    pub ignored: Ignored,
}

/// One report, understood.
#[derive(Debug)]
pub struct Report<'a> {
    pub event: Cmcd<'a>,
    /// Its own time, where it has one.
    pub ts_ms: Option<i64>,
}

/// Makes the event. `received_at_ms` stands for the number and the time of a report that has none.
pub fn event<'a>(text: &'a str, mut values: Values, received_at_ms: i64, context: &mut Context) -> Result<Report<'a>, Refusal> {
    let Context { hosts, limits, target, user_id, ignored } = context;
    let id_max = limits.id_bytes_max;
    let version = values.number("v", ignored).unwrap_or(1);
    if version > VERSION_MAX {
        let reason = format!("v is {version}; versions up to {VERSION_MAX} are understood");
        return Err(Refusal { value: i64::try_from(version).ok(), ..Refusal::new(Code::UnsupportedVersion, "v", reason) });
    }
    let Some(sid) = values.text("sid", id_max, ignored) else {
        return Err(Refusal::new(Code::MissingField, "sid", "sid is missing or no text; a report without a session tells nothing"));
    };
    let ts_ms = values.number("ts", ignored).and_then(|ts| i64::try_from(ts).ok());
    let seq = values.number("sn", ignored).unwrap_or_else(|| received_at_ms.unsigned_abs());
    let kind = values.text("e", id_max, ignored);
    let mut event = Cmcd {
        session_id: Cow::Owned(target.map_or_else(|| sid.clone(), |target| format!("{sid}~{target}"))),
        seq,
        at_ms: ts_ms.unwrap_or(received_at_ms),
        user_id: Cow::Owned(values.text(USER_KEY, id_max, ignored).unwrap_or_else(|| user_id.unwrap_or(NOBODY).to_owned())),
        programme_id: Cow::Owned(values.text("cid", id_max, ignored).unwrap_or_else(|| UNKNOWN.to_owned())),
        region: None,
        event: kind.map(Cow::Owned),
        state: None,
        cdn: cdn(&mut values, hosts, id_max, ignored).map(Cow::Owned),
        bytes: Vec::new(),
        startup_ms: values.number("msd", ignored),
        starved: values.flag("bs", ignored),
        error: values.text("ec", id_max, ignored).map(Cow::Owned),
        bitrate_kbps: values.number("br", ignored),
        buffer_ms: values.number("bl", ignored),
        latency_ms: values.number("ltc", ignored),
        report: Some(Cow::Borrowed(text)),
    };
    event.state = values.text("sta", id_max, ignored).and_then(|sta| {
        let state = state(&sta);
        ignored.bad_values += u64::from(state.is_none());
        state
    });
    for key in values.beginning(BYTES_KEY) {
        let cdn = key.strip_prefix(BYTES_KEY).and_then(|rest| rest.strip_prefix('.')).map(|cdn| Cow::Owned(cdn.to_owned()));
        let bytes = values.number(&key, ignored);
        event.bytes.extend(bytes.map(|bytes| CdnBytes { cdn, bytes }));
    }
    ignored.unknown_keys += values.keys().filter(|key| !key.contains('-') && !KEYS.contains(key)).count() as u64;
    Ok(Report { event, ts_ms })
}

/// The CDN in use: by name, or by the host that is said to be, or that answered.
fn cdn(values: &mut Values, hosts: &Hosts, id_max: usize, ignored: &mut Ignored) -> Option<String> {
    let named = [values.text(CDN_KEY, id_max, ignored), values.text("cdn", id_max, ignored)];
    let host = values.text("h", id_max, ignored);
    // A URL may be longer than an id; of it only the host is used.
    let answered = values.text("url", usize::MAX, ignored).and_then(|url| {
        let host = Url::parse(&url).ok().and_then(|url| {
            let host = url.host_str()?.to_owned();
            Some(url.port().map_or_else(|| host.clone(), |port| format!("{host}:{port}")))
        });
        ignored.bad_values += u64::from(host.is_none());
        host
    });
    // A response names its own host, which need not be the one in use otherwise.
    named.into_iter().flatten().next().or_else(|| answered.or(host).map(|host| hosts.cdn(&host)))
}

fn state(sta: &str) -> Option<State> {
    Some(match sta {
        "s" => State::Starting,
        "p" => State::Playing,
        "k" => State::Seeking,
        "r" => State::Rebuffering,
        // Waiting (`w`) is neither played nor stalled time, as a pause is neither.
        "a" | "w" => State::Paused,
        "e" => State::Ended,
        "f" => State::Fatal,
        "q" => State::Quit,
        "d" => State::Preloading,
        _ => return None,
    })
}
