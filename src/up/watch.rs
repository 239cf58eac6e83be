//! The services' own metrics, read as they publish them.

use crate::client::http;
use std::time::Duration;

/// One scrape of one service.
#[derive(Debug, Default)]
pub struct Scrape {
    text: String,
}

impl Scrape {
    /// Nothing when the service does not answer: it may be starting.
    pub async fn of(url: &str) -> Option<Scrape> {
        let answer = http::get(url, Duration::from_secs(2)).await.ok()?;
        (answer.status == 200).then(|| Scrape { text: answer.text() })
    }

    /// The sum of a metric over all its labels.
    pub fn sum(&self, name: &str) -> f64 {
        self.samples(name).map(|(_, value)| value).sum()
    }

    /// Each series of a metric: its labels' text and its value.
    pub fn samples<'a>(&'a self, name: &'a str) -> impl Iterator<Item = (&'a str, f64)> + 'a {
        self.text.lines().filter_map(move |line| {
            let rest = line.strip_prefix(name)?;
            let (labels, value) = match rest.strip_prefix('{') {
                Some(inner) => inner.split_once('}')?,
                None => ("", rest.strip_prefix(' ').map(|_| rest)?),
            };
            Some((labels, value.trim().split(' ').next()?.parse().ok()?))
        })
    }
}

/// The value of one label in `a="x",b="y"`.
pub fn label<'a>(labels: &'a str, name: &str) -> Option<&'a str> {
    labels.split(',').find_map(|pair| pair.trim().strip_prefix(name)?.strip_prefix("=\"")?.strip_suffix('"'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metrics_are_read_by_whole_names_and_labels() {
        let scrape = Scrape { text: "# TYPE a counter\na_total 3\na_total_more 9\nb{p=\"0\",q=\"x\"} 4\nb{p=\"1\",q=\"y\"} 5.5\n".into() };
        assert_eq!(scrape.sum("a_total"), 3.0);
        assert_eq!(scrape.sum("b"), 9.5);
        let found: Vec<_> = scrape.samples("b").map(|(l, v)| (label(l, "p"), v)).collect();
        assert_eq!(found, [(Some("0"), 4.0), (Some("1"), 5.5)]);
        assert_eq!(label("q=\"x\"", "p"), None);
    }
}
