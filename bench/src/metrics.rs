//! A service's metrics in Prometheus' text, and its answers as text.

use anyhow::{Context, Result, ensure};
use livemeter_tests::http::Http;

/// The body of a 2xx; anything else is an error that says what came.
pub async fn get(service: &Http, path: &str) -> Result<String> {
    let answer = service.get(path).await.map_err(anyhow::Error::msg).with_context(|| format!("GET {path}"))?;
    ensure!((200..300).contains(&answer.status), "GET {path}: {} {}", answer.status, answer.text().trim());
    Ok(answer.text())
}

pub async fn metrics(service: &Http) -> Result<Metrics> {
    Ok(Metrics(get(service, "/metrics").await?))
}

/// One scrape.
#[derive(Debug, Clone)]
pub struct Metrics(String);

impl Metrics {
    /// The sum of all series of this name; none if there is no such series.
    pub fn sum(&self, name: &str) -> Option<f64> {
        self.each(name).fold(None, |sum, (_, value)| Some(sum.unwrap_or(0.0) + value))
    }

    /// The series of this name: labels as they are written, and the value.
    pub fn each<'a>(&'a self, name: &str) -> impl Iterator<Item = (&'a str, f64)> {
        self.0.lines().filter_map(move |line| {
            let rest = line.strip_prefix(name)?;
            let (labels, value) = match rest.strip_prefix('{') {
                Some(labelled) => labelled.rsplit_once('}')?,
                None => ("", rest.strip_prefix(' ')?),
            };
            Some((labels, value.split_ascii_whitespace().next()?.parse::<f64>().ok()?))
        })
    }

    /// The largest value of the series whose name holds all of these words: for what not every build tells.
    pub fn largest(&self, words: &[&str]) -> Option<f64> {
        let names = self.0.lines().filter(|line| !line.starts_with('#'));
        let names: std::collections::BTreeSet<&str> = names.filter_map(|line| line.split([' ', '{']).next()).collect();
        let named = names.into_iter().filter(|name| words.iter().all(|word| name.contains(word)));
        named.flat_map(|name| self.each(name)).map(|(_, value)| value).reduce(f64::max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn series_of_one_name_are_summed_and_others_left_alone() {
        let text = "# HELP a_total x\n# TYPE a_total counter\na_total{p=\"0 }\"} 2\na_total{p=\"1\"} 3.5\na_total_more 9\nb 1 1700000000\n";
        let metrics = Metrics(text.into());
        assert_eq!(metrics.sum("a_total"), Some(5.5));
        assert_eq!(metrics.sum("b"), Some(1.0));
        assert_eq!(metrics.sum("c"), None);
        assert_eq!(metrics.each("a_total").collect::<Vec<_>>(), [("p=\"0 }\"", 2.0), ("p=\"1\"", 3.5)]);
        assert_eq!((metrics.largest(&["total", "a_"]), metrics.largest(&["total", "b"])), (Some(9.0), None));
    }
}
