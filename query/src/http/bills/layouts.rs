//! `/v1/bills/templates` and `/v1/bills/formats`: how vendors' papers are read, listed and put.

use super::{App, json, parameters, upload};
use crate::bills::layouts::Kind;
use crate::error::Error;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Request, State};
use axum::response::Response;
use livemeter_schemas::bills::{Layout, LayoutUpload};
use std::sync::Arc;

pub async fn templates(State(app): State<Arc<App>>) -> Response {
    json(&app, app.bills.job(|bills| bills.layouts(Kind::Template)).await)
}

pub async fn formats(State(app): State<Arc<App>>) -> Response {
    json(&app, app.bills.job(|bills| bills.layouts(Kind::Format)).await)
}

pub async fn put_template(State(app): State<Arc<App>>, name: Result<Path<String>, PathRejection>, request: Request) -> Response {
    let kept = kept(&app, Kind::Template, name, request).await;
    json(&app, kept)
}

pub async fn put_format(State(app): State<Arc<App>>, name: Result<Path<String>, PathRejection>, request: Request) -> Response {
    let kept = kept(&app, Kind::Format, name, request).await;
    json(&app, kept)
}

async fn kept(app: &App, kind: Kind, name: Result<Path<String>, PathRejection>, request: Request) -> Result<Layout, Error> {
    let Path(name) = name.map_err(|e| Error::parameter("name", e.to_string()))?;
    let asked: LayoutUpload = parameters(request.uri())?;
    let text = upload::text(request.into_body(), kind.field(), app.bills.config.layout_bytes_max, &app.bills.config).await?;
    app.bills.job(move |bills| bills.keep_layout(kind, Some(&name), &text, asked.check.unwrap_or_default())).await
}
