//! The routes; the only place in this house that knows HTTP. Every request passes [`guard`] first.
//! What the answers mean is decided elsewhere: see [`crate::engine`], [`crate::traffic`], [`crate::quality`].

mod bills;
mod connections;
mod guard;
mod pages;
mod problem;
mod reports;
mod sql;

use crate::bills::Bills;
use crate::bills::watch::Watch;
use crate::config::{CONNECTIONS_MAX, Config, IDLE_TIMEOUT_MS};
use crate::engine::Engine;
use crate::error::Error;
use crate::ledger::Ledger;
use crate::metrics::Metrics;
use crate::refusals::Services;
use crate::report::Format;
use crate::status::Statuses;
use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use axum::routing::{get, post};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tokio::net::TcpListener;

/// Every path but the console's, as the metrics name them.
const ROUTES: [&str; 11] = [
    "/v1/sql",
    "/v1/reports/traffic",
    "/v1/reports/quality",
    "/v1/definitions",
    "/v1/status",
    "/v1/refusals",
    "/v1/openapi.json",
    "/openapi.json",
    "/healthz",
    "/readyz",
    "/metrics",
];

/// What every route may use.
pub(crate) struct App {
    config: Arc<Config>,
    ledger: Arc<Ledger>,
    engine: Engine,
    metrics: Arc<Metrics>,
    statuses: Statuses,
    bills: Arc<Bills>,
    services: Services,
    guard: guard::Guard,
}

/// The service, listening but not yet answering.
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    app: Arc<App>,
}

/// Listens and answers until `shutdown` completes; requests under way are answered first.
pub async fn run(config: Config, shutdown: impl Future<Output = ()> + Send + 'static) -> Result<(), Error> {
    Server::bind(config).await?.serve(shutdown).await
}

impl Server {
    pub async fn bind(config: Config) -> Result<Server, Error> {
        let listen = |source| Error::Listen { address: config.listen, source };
        let listener = TcpListener::bind(config.listen).await.map_err(listen)?;
        let address = listener.local_addr().map_err(listen)?;
        let app = app(config, address)?;
        Ok(Server { listener, address, app })
    }

    /// Where it listens: the port that was chosen when the setting said 0.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub async fn serve(self, shutdown: impl Future<Output = ()> + Send + 'static) -> Result<(), Error> {
        tracing::info!(address = %self.address, ledger = self.app.config.ledger, "query service listens");
        let limits = connections::Limits {
            connections_max: CONNECTIONS_MAX,
            idle: Duration::from_millis(IDLE_TIMEOUT_MS),
            // What is under way at shutdown has until a query's own deadline.
            drain: Duration::from_millis(self.app.config.deadline_ms),
        };
        let app = Arc::clone(&self.app);
        let watching =
            tokio::spawn(async move { Watch { bills: &app.bills, engine: &app.engine, metrics: &app.metrics }.run(now_ms).await });
        connections::serve(self.listener, router(self.app), limits, shutdown).await;
        watching.abort();
        Ok(())
    }
}

fn app(config: Config, address: SocketAddr) -> Result<Arc<App>, Error> {
    let config = Arc::new(config);
    let ledger = Arc::new(Ledger::new(&config)?);
    let metrics = Arc::new(Metrics::default());
    let engine = Engine::new(Arc::clone(&config), Arc::clone(&ledger), Arc::clone(&metrics))?;
    let guard = guard::Guard::new(address, &config.allowed_hosts);
    let services = Services::new(config.refusals_from.clone(), config.refusals_ca_file.clone());
    let bills = Arc::new(Bills::new(config.bills.clone()));
    Ok(Arc::new(App { config, ledger, engine, metrics, statuses: Statuses::default(), services, bills, guard }))
}

fn router(app: Arc<App>) -> Router {
    let mut router = Router::new()
        .route("/v1/sql", post(sql::answer))
        .route("/v1/reports/traffic", get(reports::traffic))
        .route("/v1/reports/quality", get(reports::quality))
        .route("/v1/definitions", get(pages::definitions))
        .route("/v1/status", get(pages::status))
        .route("/v1/refusals", get(pages::refusals))
        .route("/v1/openapi.json", get(pages::openapi))
        .route("/openapi.json", get(pages::openapi))
        .route("/healthz", get(pages::healthz))
        .route("/readyz", get(pages::readyz))
        .route("/metrics", get(pages::metrics))
        .merge(bills::routes());
    for file in crate::console::FILES {
        router = router.route(file.path, get(move |headers: HeaderMap| async move { pages::console(file, &headers) }));
    }
    router
        .fallback(pages::nowhere)
        .method_not_allowed_fallback(pages::other_method)
        // Innermost first: a request is counted whatever becomes of it, and guarded before any route sees it.
        .layer(from_fn_with_state(Arc::clone(&app), guard::check))
        .layer(from_fn_with_state(Arc::clone(&app), count))
        .with_state(app)
}

async fn count(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let began = Instant::now();
    // Only paths that exist become labels: what strangers ask for must not grow the metrics.
    let path = request.uri().path();
    let route = ROUTES
        .into_iter()
        .chain(bills::ROUTES)
        .chain(crate::console::FILES.map(|file| file.path))
        .find(|route| bills::is_of(route, path))
        .unwrap_or("other");
    let response = next.run(request).await;
    app.metrics.answered(route, response.status().as_u16(), began.elapsed().as_secs_f64());
    response
}

/// Milliseconds since 1970, by this machine's clock.
fn now_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

/// The format asked for: the `format` parameter, else the `Accept` header, else JSON.
fn format_of(parameter: Option<&str>, headers: &HeaderMap) -> Result<Format, Error> {
    if let Some(text) = parameter {
        return Format::parse(text);
    }
    let accept = headers.get(header::ACCEPT).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let first = accept.split(',').map(|part| part.split(';').next().unwrap_or_default().trim());
    let known = first.filter_map(|kind| match kind {
        "text/csv" => Some(Format::Csv),
        "application/json" | "*/*" | "application/*" => Some(Format::Json),
        _ => None,
    });
    Ok(known.into_iter().next().unwrap_or(Format::Json))
}
