//! A broker, the services around it, and one look at all of them: the real binaries, each a process of its
//! own, so that the kernel tells their figures apart. Starting and ending them is the tests' support crate's.

use crate::metrics::{Metrics, metrics};
use crate::process::usage;
use crate::series::Sample;
use anyhow::{Context, Result, anyhow};
use livemeter_tests::brokers::{Broker, Kind};
use livemeter_tests::http::Http;
use livemeter_tests::process::Process;
use livemeter_tests::tree::Tree;

/// Places in [`livemeter_tests::tree::SERVICES`].
const INGEST: usize = 0;
const PROCESSOR: usize = 1;
const QUERY: usize = 2;

/// What is up during a load. The tree ends before its broker: fields are dropped in order.
pub struct House {
    pub tree: Tree,
    pub broker: Broker,
    ingest: Http,
    processor: Http,
}

impl House {
    /// Starts a fresh broker and the services, and waits until all are ready.
    pub async fn open(kind: Kind) -> House {
        House::open_with(kind, &[]).await
    }

    /// The same with more flags for a service.
    pub async fn open_with(kind: Kind, also: &[(&'static str, &[&str])]) -> House {
        let broker = Broker::start(kind).await;
        let tree = Tree::start_with(&broker.addr(), also).await;
        let (ingest, processor) = (Http::new(tree.url(INGEST)), Http::new(tree.url(PROCESSOR)));
        House { tree, broker, ingest, processor }
    }

    /// Looks at everything once. A service that has ended is an error; an audience that has is not.
    pub async fn look(&self, at_s: f64, audience: &Process) -> Result<Sample> {
        let (ingest, processor) = tokio::join!(metrics(&self.ingest), metrics(&self.processor));
        let (ingest, processor) = (ingest.context("ingest's metrics")?, processor.context("the processor's metrics")?);
        let need = |metrics: &Metrics, name: &str| metrics.sum(name).with_context(|| format!("no series named {name}"));
        Ok(Sample {
            at_s,
            ingest: usage(self.service(INGEST)?.id())?,
            processor: usage(self.service(PROCESSOR)?.id())?,
            broker: usage(self.broker.process().context("the broker is gone")?.id())?,
            audience: usage(audience.id()).unwrap_or_default(),
            accepted: need(&ingest, "livemeter_ingest_events_accepted_total")?,
            lag_s: need(&processor, "livemeter_processor_lag_seconds")?,
            lag_records: need(&processor, "livemeter_processor_lag_records")?,
        })
    }

    /// What the processor says of itself.
    pub async fn processor_metrics(&self) -> Result<Metrics> {
        metrics(&self.processor).await.context("the processor's metrics")
    }

    /// The query service's process.
    pub fn query_id(&self) -> Result<u32> {
        Ok(self.service(QUERY)?.id())
    }

    /// The ends of the services' logs, for a load that went wrong.
    pub fn log_tails(&self) -> String {
        [INGEST, PROCESSOR].iter().filter_map(|service| Some(self.tree.process(*service)?.log_tail())).collect::<Vec<_>>().join("\n")
    }

    fn service(&self, service: usize) -> Result<&Process> {
        self.tree.process(service).ok_or_else(|| anyhow!("service {service} does not run"))
    }
}
