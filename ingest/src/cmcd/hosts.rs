//! From a host to the name of its CDN, by a table that the operator keeps. A host that is not in it is a CDN of its
//! own name: it shows in every report until somebody names it.

use std::str::FromStr;

/// The table, in the order in which it was written; the first that fits counts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hosts(Vec<Entry>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    pattern: String,
    cdn: String,
}

/// Why a table is not one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not host=cdn; a host is a name, a name:port or *.a-domain")]
pub struct NotATable(String);

impl FromStr for Hosts {
    type Err = NotATable;

    /// `edge.example=cdn-a, *.b.example=cdn-b, 127.0.0.1:8080=cdn-c`
    fn from_str(text: &str) -> Result<Self, NotATable> {
        let entries = text.split(',').map(str::trim).filter(|entry| !entry.is_empty()).map(|entry| {
            let (pattern, cdn) = entry.split_once('=').ok_or_else(|| NotATable(entry.to_owned()))?;
            let (pattern, cdn) = (pattern.trim().to_ascii_lowercase(), cdn.trim().to_owned());
            if pattern.is_empty() || cdn.is_empty() || pattern.strip_prefix("*.").unwrap_or(&pattern).contains('*') {
                return Err(NotATable(entry.to_owned()));
            }
            Ok(Entry { pattern, cdn })
        });
        entries.collect::<Result<Vec<_>, _>>().map(Hosts)
    }
}

impl Hosts {
    /// The CDN of a host, with or without a port.
    pub fn cdn(&self, host: &str) -> String {
        let host = host.to_ascii_lowercase();
        let bare = host.rsplit_once(':').map_or(host.as_str(), |(name, _)| name);
        let fits = |pattern: &str| match pattern.strip_prefix('*') {
            Some(domain) => bare.ends_with(domain),
            None => pattern == host || pattern == bare,
        };
        self.0.iter().find(|entry| fits(&entry.pattern)).map_or_else(|| host.clone(), |entry| entry.cdn.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_that_fits_counts_and_a_stranger_is_its_own_cdn() {
        let hosts: Hosts = "127.0.0.1:80=a, 127.0.0.1=b, *.edge.example=c,".parse().unwrap();
        let cdns = ["127.0.0.1:80", "127.0.0.1:81", "X.Edge.Example:443", "edge.example", "other.example"].map(|host| hosts.cdn(host));
        assert_eq!(cdns, ["a", "b", "c", "edge.example", "other.example"]);
    }

    #[test]
    fn what_is_no_table_is_named() {
        for wrong in ["edge.example", "=a", "edge.example=", "*.*.example=a", "a*b=c"] {
            assert!(wrong.parse::<Hosts>().unwrap_err().to_string().contains(wrong), "{wrong}");
        }
        assert_eq!("".parse::<Hosts>().unwrap(), Hosts::default());
    }
}
