//! `/v1/bills/…`: what is asked and answered, and files in and out. What they mean is [`crate::bills`]' affair.

mod layouts;
mod upload;

use super::problem::refuse;
use super::{App, now_ms};
use crate::bills::{check, drill, evidence, export, simulate, whatif};
use crate::error::Error;
use axum::body::Body;
use axum::extract::{Query, Request, State};
use axum::http::{HeaderName, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, put};
use axum::{Json, Router};
use livemeter_schemas::bills::{
    BillDayQuery, BillQuery, BillWindowQuery, ContractUpload, InvoiceUpload, LogLinesQuery, LogUpload, VendorQuery, WhatIfQuery,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio_util::io::ReaderStream;

/// Paths, as the metrics name them.
pub const ROUTES: [&str; 15] = [
    "/v1/bills/contracts",
    "/v1/bills/logs",
    "/v1/bills/invoices",
    "/v1/bills/templates",
    "/v1/bills/templates/{name}",
    "/v1/bills/formats",
    "/v1/bills/formats/{name}",
    "/v1/bills/check",
    "/v1/bills/windows",
    "/v1/bills/sessions",
    "/v1/bills/lines",
    "/v1/bills/simulation",
    "/v1/bills/what-if",
    "/v1/bills/export",
    "/v1/bills/evidence",
];

pub fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/v1/bills/contracts", get(contracts).put(put_contract).post(put_contract))
        .route("/v1/bills/logs", get(logs).post(post_log))
        .route("/v1/bills/invoices", get(invoices).post(post_invoice))
        .route("/v1/bills/templates", get(layouts::templates))
        .route("/v1/bills/templates/{name}", put(layouts::put_template))
        .route("/v1/bills/formats", get(layouts::formats))
        .route("/v1/bills/formats/{name}", put(layouts::put_format))
        .route("/v1/bills/check", get(check_of))
        .route("/v1/bills/windows", get(windows))
        .route("/v1/bills/sessions", get(sessions))
        .route("/v1/bills/lines", get(lines))
        .route("/v1/bills/simulation", get(simulation))
        .route("/v1/bills/what-if", get(what_if))
        .route("/v1/bills/export", get(export_of))
        .route("/v1/bills/evidence", get(evidence_of))
}

/// True when a path is of the route: one that ends with a name takes any.
pub fn is_of(route: &str, path: &str) -> bool {
    match route.strip_suffix("{name}") {
        Some(before) => path.strip_prefix(before).is_some_and(|name| !name.is_empty() && !name.contains('/')),
        None => route == path,
    }
}

async fn contracts(State(app): State<Arc<App>>) -> Response {
    json(&app, app.bills.job(|bills| bills.contracts.list()).await)
}

async fn put_contract(State(app): State<Arc<App>>, request: Request) -> Response {
    let kept = async {
        let asked: ContractUpload = parameters(request.uri())?;
        let text = upload::text(request.into_body(), "contract", app.bills.config.contract_bytes_max, &app.bills.config).await?;
        app.bills.job(move |bills| bills.contracts.add(&text, asked.check.unwrap_or_default())).await
    };
    let kept = kept.await;
    json(&app, kept)
}

async fn logs(State(app): State<Arc<App>>, uri: Uri) -> Response {
    let listed = async {
        let asked: VendorQuery = parameters(&uri)?;
        app.bills.job(move |bills| bills.log_imports(asked.vendor.as_deref())).await
    };
    let listed = listed.await;
    json(&app, listed)
}

async fn post_log(State(app): State<Arc<App>>, request: Request) -> Response {
    let imported = async {
        let asked: LogUpload = parameters(request.uri())?;
        let file = upload::file(request.into_body(), "log", app.bills.config.upload_bytes_max, &app.bills.config).await?;
        // A sender that has gone does not wait for the import: it ends, and nothing of it is kept.
        let gone = Gone::default();
        let stop = Arc::clone(&gone.0);
        app.bills.job(move |bills| bills.import_log(&asked, file.path(), now_ms(), |_| !stop.load(Ordering::Relaxed))).await
    };
    let imported = imported.await;
    json(&app, imported)
}

/// Tells work on another thread that nobody waits for it any more.
#[derive(Default)]
struct Gone(Arc<AtomicBool>);

impl Drop for Gone {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

async fn invoices(State(app): State<Arc<App>>, uri: Uri) -> Response {
    let listed = async {
        let asked: VendorQuery = parameters(&uri)?;
        app.bills.job(move |bills| bills.invoice_list(asked.vendor.as_deref())).await
    };
    let listed = listed.await;
    json(&app, listed)
}

async fn post_invoice(State(app): State<Arc<App>>, request: Request) -> Response {
    let imported = async {
        let asked: InvoiceUpload = parameters(request.uri())?;
        let bytes_max = livemeter_logs::invoice::InvoiceLimits::default().file_bytes_max;
        let file = upload::file(request.into_body(), "invoice", bytes_max, &app.bills.config).await?;
        app.bills.job(move |bills| bills.import_invoice(&asked, file.path(), now_ms())).await
    };
    let imported = imported.await;
    json(&app, imported)
}

async fn check_of(State(app): State<Arc<App>>, uri: Uri) -> Response {
    let checked = async {
        let asked: BillQuery = parameters(&uri)?;
        check::answer(&app.bills, &app.engine, &asked).await
    };
    let checked = checked.await;
    json(&app, checked)
}

async fn windows(State(app): State<Arc<App>>, uri: Uri) -> Response {
    let opened = async {
        let asked: BillDayQuery = parameters(&uri)?;
        drill::windows(&app.bills, &app.engine, &asked).await
    };
    let opened = opened.await;
    json(&app, opened)
}

async fn sessions(State(app): State<Arc<App>>, uri: Uri) -> Response {
    let opened = async {
        let asked: BillWindowQuery = parameters(&uri)?;
        drill::sessions(&app.bills, &app.engine, &asked).await
    };
    let opened = opened.await;
    json(&app, opened)
}

async fn lines(State(app): State<Arc<App>>, uri: Uri) -> Response {
    let opened = async {
        let asked: LogLinesQuery = parameters(&uri)?;
        app.bills.job(move |bills| bills.log_lines(&asked)).await
    };
    let opened = opened.await;
    json(&app, opened)
}

async fn simulation(State(app): State<Arc<App>>, uri: Uri) -> Response {
    let simulated = async {
        let asked: BillQuery = parameters(&uri)?;
        simulate::answer(&app.bills, &app.engine, &asked, now_ms()).await
    };
    let simulated = simulated.await;
    json(&app, simulated)
}

async fn what_if(State(app): State<Arc<App>>, uri: Uri) -> Response {
    let simulated = async {
        let asked: WhatIfQuery = parameters(&uri)?;
        whatif::answer(&app.bills, &app.engine, &asked).await
    };
    let simulated = simulated.await;
    json(&app, simulated)
}

async fn export_of(State(app): State<Arc<App>>, uri: Uri) -> Response {
    let written = async {
        let asked: BillQuery = parameters(&uri)?;
        export::file(&app.bills, &app.engine, &asked).await
    };
    match written.await {
        Ok(made) => download(&app, made).await,
        Err(error) => refuse(&app.metrics, &error),
    }
}

async fn evidence_of(State(app): State<Arc<App>>, uri: Uri) -> Response {
    let written = async {
        let asked: BillQuery = parameters(&uri)?;
        evidence::bundle(&app.bills, &app.engine, &asked, now_ms()).await
    };
    match written.await {
        Ok(made) => download(&app, made).await,
        Err(error) => refuse(&app.metrics, &error),
    }
}

/// Reads a query string; what is wrong in it is named.
fn parameters<T: DeserializeOwned>(uri: &Uri) -> Result<T, Error> {
    Query::<T>::try_from_uri(uri).map(|query| query.0).map_err(|error| {
        let reason = std::error::Error::source(&error).map_or_else(|| error.to_string(), ToString::to_string);
        let field = reason.split('`').nth(1).unwrap_or("query").to_owned();
        Error::Parameter { field, reason: format!("the query string: {reason}") }
    })
}

fn json<T: Serialize>(app: &App, answer: Result<T, Error>) -> Response {
    let headers = [(header::CACHE_CONTROL, "no-store"), (header::X_CONTENT_TYPE_OPTIONS, "nosniff")];
    match answer {
        Ok(answer) => (headers, Json(answer)).into_response(),
        Err(error) => refuse(&app.metrics, &error),
    }
}

/// A file that was written whole before its first byte goes out: an error has a status, and its length is known.
async fn download(app: &App, made: export::Made) -> Response {
    let length = made.file.as_file().metadata().map(|about| about.len());
    let reopened = made.file.reopen();
    let (Ok(length), Ok(file)) = (length, reopened) else {
        return refuse(&app.metrics, &Error::Folder("a file that was just written cannot be opened".into()));
    };
    let headers: [(HeaderName, String); 5] = [
        (header::CONTENT_TYPE, made.kind.to_owned()),
        (header::CONTENT_LENGTH, length.to_string()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{}\"", made.name)),
        (header::CACHE_CONTROL, "no-store".to_owned()),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
    ];
    // The file's name on the disk goes with `made`; what is open stays readable.
    (headers, Body::from_stream(ReaderStream::new(tokio::fs::File::from_std(file)))).into_response()
}
