//! Following the files of regions and networks while the service runs. A file that cannot be used is told, counted,
//! and changes nothing; half a file is such a one, and is looked at again when the rest has come.

use super::{Config, Geo};
use crate::file::{Mark, mark};
use crate::intake::Intake;
use std::sync::Arc;
use std::time::Duration;

/// Looks for changes until the service ends; at once over where there are no files. A change is a new time, length
/// or file, as with the file of apps, and looked for as often.
pub async fn follow(intake: Arc<Intake>) {
    let config = intake.config.geo.clone();
    let mut seen = marks(&config);
    while !seen.is_empty() {
        tokio::time::sleep(Duration::from_millis(intake.config.identity.apps_poll_ms)).await;
        let (asked, before) = (config.clone(), seen.clone());
        let look = move || {
            let now = marks(&asked);
            (now != before).then(|| (now, Geo::open(&asked)))
        };
        let Ok(Some((now, opened))) = tokio::task::spawn_blocking(look).await else { continue };
        seen = now;
        match opened {
            Ok(geo) => {
                tracing::info!(?geo, "the files of regions and networks have changed; the new ones are in force");
                intake.metrics.geo_reloads.taken.inc();
                intake.geo.replace(geo);
            }
            Err(error) => {
                tracing::error!(%error, "a file of regions or networks has changed and cannot be used; the old ones stay in force");
                intake.metrics.geo_reloads.refused.inc();
            }
        }
    }
}

fn marks(config: &Config) -> Vec<Option<Mark>> {
    config.file.iter().chain(&config.asn_file).map(|path| mark(path)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::delivery::{Delivery, NotQueued, Sink, To};
    use crate::metrics::Metrics;
    use livemeter_schemas::record::LookedUp;
    use std::path::Path;

    struct Nowhere;

    impl Sink for Nowhere {
        fn enqueue(&self, _: To, _: i64, _: &str, _: &[u8], _: &Arc<Delivery>) -> Result<(), NotQueued> {
            Err(NotQueued::Full)
        }
        fn ready(&self) -> Result<(), String> {
            Ok(())
        }
    }

    async fn becomes<T: PartialEq + std::fmt::Debug>(what: impl Fn() -> T, wanted: T) {
        for _ in 0..500 {
            if what() == wanted {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        assert_eq!(what(), wanted);
    }

    #[tokio::test]
    async fn a_changed_file_is_taken_and_a_broken_one_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let asn_file = folder.path().join("asn.mmdb");
        let of = |name: &str| std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata").join(name)).unwrap();
        // One that knows nothing of networks, then one that does.
        std::fs::write(&asn_file, of("geo.mmdb")).unwrap();
        let mut config =
            crate::Config { geo: Config { asn_file: Some(asn_file.clone()), ..Config::default() }, ..crate::Config::default() };
        config.identity.apps_poll_ms = 10;
        let geo = Geo::open(&config.geo).unwrap();
        let intake = Arc::new(Intake::new(config, Arc::new(Nowhere), Metrics::new(), || 0).with_geo(geo));
        let following = tokio::spawn(follow(intake.clone()));
        let known = || intake.geo.now().look_up("192.0.2.7".parse().unwrap());
        assert_eq!(known(), LookedUp::default());

        tokio::time::sleep(Duration::from_millis(50)).await;
        std::fs::write(&asn_file, of("asn.mmdb")).unwrap();
        becomes(known, LookedUp { region: None, asn: Some(64_500) }).await;
        // Half of a file has no end; gone is no file at all.
        let refused = || intake.metrics.geo_reloads.refused.get() > 0;
        std::fs::write(&asn_file, &of("asn.mmdb")[..600]).unwrap();
        becomes(refused, true).await;
        assert_eq!(known().asn, Some(64_500));
        std::fs::remove_file(&asn_file).unwrap();
        tokio::time::sleep(Duration::from_millis(50)).await;
        assert_eq!(known().asn, Some(64_500));
        std::fs::write(&asn_file, of("geo.mmdb")).unwrap();
        becomes(known, LookedUp::default()).await;
        following.abort();
    }
}
