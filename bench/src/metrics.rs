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
        let values = self.0.lines().filter_map(|line| {
            let rest = line.strip_prefix(name)?;
            let value = match rest.strip_prefix('{') {
                Some(labelled) => labelled.rsplit_once('}')?.1,
                None => rest.strip_prefix(' ')?,
            };
            value.split_ascii_whitespace().next()?.parse::<f64>().ok()
        });
        values.fold(None, |sum, value| Some(sum.unwrap_or(0.0) + value))
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
    }
}
