//! What a setting's value may look like: one parser per kind, each naming what it accepts.

use livemeter_ingest::address::Network;
use livemeter_ingest::cmcd::hosts::Hosts;
use std::net::SocketAddr;
use std::time::Duration;

/// Each is asked whenever somebody asks for all of them.
const URLS_MAX: usize = 64;

/// The kind of a setting's value, with its bounds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Kind {
    /// `127.0.0.1:8700`: a literal address, since a name may bind more than was meant.
    Address,
    /// `host:port[,host:port…]`
    Brokers,
    /// `http://host:port`
    Url,
    /// The same, or nothing.
    OptionalUrl,
    /// Several of them, comma-separated, possibly none; `https://` too.
    Urls,
    Duration(Duration, Duration),
    Size(u64, u64),
    Count(u64, u64),
    /// Between 0 and 1.
    Share,
    Text,
    /// Text that must not be empty.
    Name,
    /// One of these words.
    Word(&'static [&'static str]),
    /// Comma-separated, possibly empty.
    List,
    /// Comma-separated networks: `10.0.0.0/8, ::1`
    Networks,
    /// Hosts and their CDNs: `edge.example=cdn-a, *.b.example=cdn-b`
    Hosts,
    /// A file or folder; empty where the setting is optional.
    Path,
}

/// A parsed value.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    Address(SocketAddr),
    Duration(Duration),
    Integer(u64),
    Share(f64),
    Text(String),
    List(Vec<String>),
}

impl Kind {
    /// What it accepts, in words that finish "accepted: …".
    pub fn accepts(self) -> String {
        match self {
            Kind::Address => "an address and port such as 127.0.0.1:8700 (no names)".into(),
            Kind::Brokers => "host:port, several separated by commas".into(),
            Kind::Url => "an address such as http://127.0.0.1:8700".into(),
            Kind::OptionalUrl => "an address such as http://127.0.0.1:4318, or nothing".into(),
            Kind::Urls => format!("addresses such as http://127.0.0.1:8700 or https://…, separated by commas, at most {URLS_MAX}"),
            Kind::Duration(min, max) => {
                format!("a duration such as 500ms, 10s, 5m, 1h or 7d, from {} to {}", show_duration(min), show_duration(max))
            }
            Kind::Size(min, max) => format!("a size such as 512KiB, 64MiB or 2GiB, from {} to {}", show_size(min), show_size(max)),
            Kind::Count(min, max) => format!("a whole number from {min} to {max}"),
            Kind::Share => "a number from 0 to 1".into(),
            Kind::Text => "any text".into(),
            Kind::Name => "text that is not empty".into(),
            Kind::Word(words) => words.join(" or "),
            Kind::List => "values separated by commas".into(),
            Kind::Networks => "networks such as 10.0.0.0/8 or ::1, separated by commas".into(),
            Kind::Hosts => "host=cdn pairs separated by commas; a host is a name, a name:port or *.domain".into(),
            Kind::Path => "a path".into(),
        }
    }

    /// Reads a value; `None` when it is not of this kind or out of its bounds.
    pub fn parse(self, text: &str) -> Option<Value> {
        let text = text.trim();
        match self {
            Kind::Address => text.parse().ok().map(Value::Address),
            Kind::Brokers => text.split(',').all(is_host_port).then(|| Value::Text(text.into())),
            Kind::Url => {
                let rest = text.strip_prefix("http://")?;
                is_host_port(rest.trim_end_matches('/')).then(|| Value::Text(text.trim_end_matches('/').into()))
            }
            Kind::OptionalUrl if text.is_empty() => Some(Value::Text(String::new())),
            Kind::OptionalUrl => Kind::Url.parse(text),
            Kind::Urls => {
                let urls: Vec<String> = list(text).map(|one| one.trim_end_matches('/').to_owned()).collect();
                let host_port = |one: &String| one.strip_prefix("https://").or(one.strip_prefix("http://")).is_some_and(is_host_port);
                let good = urls.len() <= URLS_MAX && urls.iter().all(host_port);
                good.then_some(Value::List(urls))
            }
            Kind::Duration(min, max) => parse_duration(text).filter(|d| (min..=max).contains(d)).map(Value::Duration),
            Kind::Size(min, max) => parse_size(text).filter(|n| (min..=max).contains(n)).map(Value::Integer),
            Kind::Count(min, max) => text.replace('_', "").parse().ok().filter(|n| (min..=max).contains(n)).map(Value::Integer),
            Kind::Share => text.parse().ok().filter(|x| (0.0..=1.0).contains(x)).map(Value::Share),
            Kind::Text | Kind::Path => Some(Value::Text(text.into())),
            Kind::Word(words) => words.contains(&text).then(|| Value::Text(text.into())),
            Kind::Name => (!text.is_empty()).then(|| Value::Text(text.into())),
            Kind::List => Some(Value::List(list(text).map(Into::into).collect())),
            Kind::Hosts => text.parse::<Hosts>().is_ok().then(|| Value::Text(text.into())),
            Kind::Networks => {
                list(text).all(|one| one.parse::<Network>().is_ok()).then(|| Value::List(list(text).map(Into::into).collect()))
            }
        }
    }
}

fn list(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').map(str::trim).filter(|one| !one.is_empty())
}

fn is_host_port(text: &str) -> bool {
    text.rsplit_once(':').is_some_and(|(host, port)| !host.is_empty() && !host.contains('/') && port.parse::<u16>().is_ok_and(|p| p > 0))
}

/// `10s` → 10 seconds. Units: ms, s, m, h, d.
fn parse_duration(text: &str) -> Option<Duration> {
    let (number, unit) = split_unit(text)?;
    let ms = match unit {
        "ms" => 1,
        "s" => 1000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return None,
    };
    number.checked_mul(ms).map(Duration::from_millis)
}

/// `64MiB` → bytes. Units: B, KiB, MiB, GiB, TiB.
fn parse_size(text: &str) -> Option<u64> {
    let (number, unit) = split_unit(text)?;
    let bytes = match unit {
        "B" => 1,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        "TiB" => 1u64 << 40,
        _ => return None,
    };
    number.checked_mul(bytes)
}

fn split_unit(text: &str) -> Option<(u64, &str)> {
    let at = text.find(|c: char| !c.is_ascii_digit())?;
    Some((text[..at].parse().ok()?, text[at..].trim()))
}

pub fn show_size(bytes: u64) -> String {
    match bytes {
        b if b >= 1 << 30 => format!("{:.1} GiB", b as f64 / (1u64 << 30) as f64),
        b if b >= 1 << 20 => format!("{:.0} MiB", b as f64 / (1 << 20) as f64),
        b if b >= 1 << 10 => format!("{:.0} KiB", b as f64 / 1024.0),
        b => format!("{b} B"),
    }
}

fn show_duration(d: Duration) -> String {
    match d.as_millis() as u64 {
        ms if ms != 0 && ms % 86_400_000 == 0 => format!("{}d", ms / 86_400_000),
        ms if ms != 0 && ms % 3_600_000 == 0 => format!("{}h", ms / 3_600_000),
        ms if ms != 0 && ms % 60_000 == 0 => format!("{}m", ms / 60_000),
        ms if ms % 1000 == 0 => format!("{}s", ms / 1000),
        ms => format!("{ms}ms"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_with_their_units_and_bounds() {
        let ten = Kind::Duration(Duration::from_millis(1), Duration::from_secs(60));
        let cases = [
            (Kind::Address, "127.0.0.1:80", true),
            (Kind::Address, "localhost:80", false),
            (Kind::Brokers, "a:1,b:2", true),
            (Kind::Brokers, "a", false),
            (Kind::Url, "http://a:1/", true),
            (Kind::Url, "https://a:1", false),
            (Kind::Url, "", false),
            (Kind::OptionalUrl, "", true),
            (Kind::OptionalUrl, "a:1", false),
            (Kind::Urls, "http://a:1, http://[::1]:2/", true),
            (Kind::Urls, "https://a:1, http://b:2", true),
            (Kind::Urls, "ftp://a:1", false),
            (Kind::Url, "https://a:1", false),
            (Kind::Urls, "", true),
            (Kind::Urls, "http://a:1, b:2", false),
            (ten, "10s", true),
            (ten, "10", false),
            (ten, "2m", false),
            (ten, "-1s", false),
            (Kind::Size(1, 1 << 30), "1MiB", true),
            (Kind::Size(1, 1 << 30), "1MB", false),
            (Kind::Size(1, 1 << 30), "99999999999999999999B", false),
            (Kind::Count(1, 10), "10", true),
            (Kind::Count(1, 10), "11", false),
            (Kind::Share, "0.5", true),
            (Kind::Share, "NaN", false),
            (Kind::Name, "", false),
            (Kind::Networks, "10.0.0.0/8, ::1", true),
            (Kind::Networks, "", true),
            (Kind::Hosts, "edge.example=cdn-a, *.b.example=cdn-b", true),
            (Kind::Hosts, "edge.example", false),
            (Kind::Networks, "10.0.0.0/8, localhost", false),
        ];
        for (kind, text, good) in cases {
            assert_eq!(kind.parse(text).is_some(), good, "{kind:?} {text:?}");
        }
    }
}
