//! All that a check stands on, in one ZIP.

use super::Bills;
use super::export::Made;
use crate::engine::Engine;
use crate::error::Error;
use livemeter_schemas::bills::BillQuery;
use std::sync::Arc;

/// `GET /v1/bills/evidence`
pub async fn bundle(_bills: &Arc<Bills>, _engine: &Engine, _asked: &BillQuery, _now_ms: i64) -> Result<Made, Error> {
    Err(Error::Internal("the bundle is not made yet".into()))
}
