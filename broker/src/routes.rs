//! Which requests are served, and by which part. A request that is not routed here is not advertised
//! to clients either. Left out on purpose: transactions, changing a topic's configuration and access
//! lists, none of which Livemeter uses and some of which end tansu's storage with a panic.

use crate::fetch::Fetches;
use crate::guard::Guarded;
use rama::layer::{MapErrLayer, MapStateLayer};
use rama::{Layer as _, Service as _};
use tansu_broker::Error;
use tansu_broker::coordinator::group::administrator::Controller;
use tansu_broker::service::{coordinator, storage as routed};
use tansu_sans_io::{ApiKey as _, FetchRequest};
use tansu_service::{BytesFrameLayer, BytesFrameService, FrameRequestLayer, FrameRouteService};
use tokio_util::sync::CancellationToken;

/// The one node's number.
pub const NODE_ID: i32 = 111;

/// Bytes of a request → bytes of its answer.
pub type Routes = BytesFrameService<FrameRouteService<(), Error>>;

pub fn build(storage: &Guarded, stop: &CancellationToken) -> anyhow::Result<Routes> {
    let by_tansu = [
        routed::create_topics::<Guarded>,
        routed::delete_groups,
        routed::delete_records,
        routed::delete_topics,
        routed::describe_cluster,
        routed::describe_configs,
        routed::describe_groups,
        routed::describe_topic_partitions,
        routed::find_coordinator,
        routed::init_producer_id,
        routed::list_groups,
        routed::list_offsets,
        routed::metadata,
        routed::produce,
    ];
    let builder = by_tansu.iter().try_fold(FrameRouteService::<(), Error>::builder(), |builder, route| route(builder, storage.clone()))?;
    let builder = coordinator::services(builder, Controller::with_storage(storage.clone())?)?;

    let log = storage.log.clone();
    let fetch = (MapErrLayer::new(Error::from), MapStateLayer::new(move |()| log), FrameRequestLayer::<FetchRequest>::new());
    let builder = builder.with_route(FetchRequest::KEY, fetch.into_layer(Fetches { stop: stop.clone() }).boxed())?;

    Ok(BytesFrameLayer::default().into_layer(builder.build()?))
}
