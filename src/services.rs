//! Settings → each service's own configuration, a runtime, and a shutdown future. The services know
//! neither flags nor signals; nothing else here knows their settings' names.

use crate::cli::Failure;
use crate::settings::Settings;
use livemeter_ingest::address::Network;
use livemeter_ingest::config::TlsFiles;
use livemeter_ingest::rate::Limit;
use livemeter_schemas::limits::Limits;
use std::future::Future;
use std::io::IsTerminal;
use tokio::signal::unix::{SignalKind, signal};

pub fn ingest(s: &Settings) -> Result<(), Failure> {
    let config = ingest_config(s)?;
    serve(async move { livemeter_ingest::run(config, asked_to_stop()).await.map_err(|e| failure(&e, e.retry())) })
}

/// Ingest's configuration; tools that look at it take the same.
pub fn ingest_config(s: &Settings) -> Result<livemeter_ingest::Config, Failure> {
    let origins = s.list("ingest.allowed_origins");
    Ok(livemeter_ingest::Config {
        listen: s.address("ingest.listen"),
        brokers: s.text("kafka.brokers"),
        events_topic: s.text("kafka.events_topic"),
        deadletter_topic: s.text("kafka.deadletter_topic"),
        limits: limits(s),
        body_bytes_max: s.size("ingest.body_bytes_max"),
        inflated_bytes_max: s.size("ingest.inflated_bytes_max"),
        inflate_ratio_max: s.size("ingest.inflate_ratio_max"),
        batch_events_max: s.size("ingest.batch_events_max"),
        body_timeout_ms: s.duration_ms("ingest.body_timeout"),
        idle_timeout_ms: s.duration_ms("ingest.idle_timeout"),
        head_timeout_ms: s.duration_ms("ingest.head_timeout"),
        connections_max: s.size("ingest.connections_max"),
        address_connections_max: s.size("ingest.address_connections_max"),
        address_rate: rate(s, "ingest.address_events_per_s", "ingest.address_events_burst"),
        app_rate: rate(s, "ingest.app_events_per_s", "ingest.app_events_burst"),
        rate_entries_max: s.size("ingest.rate_entries_max"),
        trusted_proxies: networks(s, "ingest.trusted_proxies"),
        unlimited_addresses: networks(s, "ingest.unlimited_addresses"),
        tls: tls(s)?,
        traces: traces(s),
        requests_in_flight_max: s.size("ingest.requests_in_flight_max"),
        bytes_in_flight_max: s.size("ingest.bytes_in_flight_max"),
        linger_ms: s.duration_ms("ingest.linger"),
        delivery_timeout_ms: s.duration_ms("ingest.delivery_timeout"),
        message_timeout_ms: s.duration_ms("ingest.message_timeout"),
        kafka_silence_ms: s.duration_ms("ingest.kafka_silence"),
        queue_records_max: s.size("ingest.queue_records_max"),
        queue_bytes_max: s.size("ingest.queue_bytes_max"),
        deadletters_per_minute: s.small("ingest.deadletters_per_minute"),
        deadletters_per_minute_total: s.small("ingest.deadletters_per_minute_total"),
        heartbeat_ms: s.duration_ms("ingest.heartbeat_interval"),
        retry_after_s: s.duration("ingest.retry_after").as_secs(),
        drain_ms: s.duration_ms("ingest.drain"),
        allowed_origins: (!origins.iter().any(|o| o == "*")).then_some(origins),
        // What the table has let pass, parses.
        cmcd_hosts: s.text("ingest.cmcd_hosts").parse().unwrap_or_default(),
        identity: identity(s),
        geo: livemeter_ingest::geo::Config {
            file: s.path("ingest.geo_file"),
            asn_file: s.path("ingest.asn_file"),
            file_bytes_max: s.size("ingest.geo_file_bytes_max"),
        },
        ..livemeter_ingest::Config::default()
    })
}

pub fn identity(s: &Settings) -> livemeter_ingest::identity::Config {
    livemeter_ingest::identity::Config {
        apps_file: s.path("ingest.apps_file"),
        apps_file_bytes_max: s.size("ingest.apps_file_bytes_max"),
        apps_max: s.size("ingest.apps_max"),
        app_keys_max: s.size("ingest.app_keys_max"),
        apps_poll_ms: s.duration_ms("ingest.apps_poll"),
        token_bytes_max: s.size("ingest.token_bytes_max"),
        token_lifetime_ms_max: s.duration_ms("ingest.token_lifetime_max") as i64,
        token_leeway_ms: s.duration_ms("ingest.token_leeway") as i64,
        token_cache_max: s.size("ingest.token_cache_max"),
        pseudonym_keys_file: s.path("ingest.pseudonym_keys_file"),
        pseudonym_reach_ms: s.duration_ms("ingest.pseudonym_reach") as i64,
    }
}

fn rate(s: &Settings, per_s: &str, burst: &str) -> Limit {
    Limit { per_s: s.integer(per_s), burst: s.integer(burst) }
}

/// What the table has let pass, parses.
fn networks(s: &Settings, key: &str) -> Vec<Network> {
    s.list(key).iter().filter_map(|text| text.parse().ok()).collect()
}

fn traces(s: &Settings) -> Option<livemeter_ingest::trace::Settings> {
    let endpoint = s.text("telemetry.otlp_endpoint");
    (!endpoint.is_empty()).then(|| livemeter_ingest::trace::Settings {
        endpoint,
        share: s.share("telemetry.otlp_share"),
        queue_max: s.size("telemetry.otlp_queue_max"),
    })
}

fn tls(s: &Settings) -> Result<Option<TlsFiles>, Failure> {
    match (s.path("ingest.tls_cert_file"), s.path("ingest.tls_key_file")) {
        (None, None) => Ok(None),
        (Some(cert_file), Some(key_file)) => Ok(Some(TlsFiles { cert_file, key_file })),
        _ => Err(Failure::usage("ingest.tls_cert_file and ingest.tls_key_file belong together: one of them is empty")),
    }
}

pub fn limits(s: &Settings) -> Limits {
    Limits {
        id_bytes_max: s.size("ingest.id_bytes_max"),
        text_bytes_max: s.size("ingest.text_bytes_max"),
        event_bytes_max: s.size("ingest.event_bytes_max"),
        cdns_max: s.size("ingest.cdns_max"),
        ahead_ms_max: s.duration_ms("ingest.clock_ahead_max") as i64,
        age_ms_max: s.duration_ms("ingest.event_age_max") as i64,
        ..Limits::default()
    }
}

pub fn process(s: &Settings) -> Result<(), Failure> {
    let config = processor(s);
    serve(async move { livemeter_processor::run(config, asked_to_stop()).await.map_err(|e| failure(&e, e.retry())) })
}

/// The processor's configuration; tools that work on its ledger take the same.
pub fn processor(s: &Settings) -> livemeter_processor::Config {
    livemeter_processor::Config {
        brokers: s.text("kafka.brokers"),
        events_topic: s.text("kafka.events_topic"),
        deadletter_topic: s.text("kafka.deadletter_topic"),
        ledger: s.text("ledger.root"),
        listen: s.address("processor.listen"),
        group: s.text("processor.group"),
        assignment: match s.text("processor.assignment").as_str() {
            "group" => livemeter_processor::config::Assignment::Group,
            _ => livemeter_processor::config::Assignment::All,
        },
        group_protocol: match s.text("processor.group_protocol").as_str() {
            "consumer" => livemeter_processor::config::GroupProtocol::Consumer,
            _ => livemeter_processor::config::GroupProtocol::Classic,
        },
        session_timeout_ms: s.duration_ms("processor.session_timeout"),
        generation: s.small("processor.generation"),
        commit_interval_ms: s.duration_ms("processor.commit_interval"),
        rows_max: s.size("processor.rows_max"),
        bytes_max: s.size("processor.bytes_max"),
        session_silence_ms: s.duration_ms("processor.session_silence") as i64,
        memory_days: s.small("processor.memory_days"),
        snapshot_interval_ms: s.duration_ms("processor.snapshot_interval"),
        session_events_max: s.size("processor.session_events_max"),
        split_windows_max: s.size("processor.split_windows_max"),
        bitrate_bps_max: s.integer("processor.bitrate_bps_max"),
        burst_ms: s.duration_ms("processor.burst") as i64,
        late_after_ms: s.duration_ms("processor.late_after") as i64,
        ahead_ms_max: s.duration_ms("processor.ahead_max") as i64,
        cmcd: cmcd(s),
        // The same as ingest's: a record that ingest took must never be poison.
        limits: limits(s),
        files_max: s.size("processor.files_max"),
        files_closed_max: s.size("processor.files_closed_max"),
        file_bytes_target: s.integer("processor.file_bytes_target"),
        roll_interval_ms: s.duration_ms("processor.roll_interval"),
        roll_grace_ms: s.duration_ms("processor.roll_grace"),
        roll_rows_max: s.integer("processor.roll_rows_max"),
        roll_memory_bytes_max: s.size("processor.roll_memory_bytes_max"),
        roll_spill_bytes_max: s.integer("processor.roll_spill_bytes_max"),
        checkpoint_commits: s.integer("processor.checkpoint_commits"),
        retention_ms: s.duration_ms("processor.retention"),
        derive_interval_ms: s.duration_ms("processor.derive_interval"),
        derive_share: s.share("processor.derive_share"),
        derive_memory_bytes_max: s.size("processor.derive_memory_bytes_max"),
        derive_spill_bytes_max: s.integer("processor.derive_spill_bytes_max"),
        shutdown_ms: s.duration_ms("processor.shutdown"),
    }
}

/// The rules that the processor books by, for those who check what it did.
pub fn rules(s: &Settings) -> livemeter_processor::book::Rules {
    livemeter_processor::book::Rules {
        split_windows_max: s.size("processor.split_windows_max"),
        session_events_max: s.size("processor.session_events_max"),
        age_ms_max: limits(s).age_ms_max,
        bitrate_bps_max: s.integer("processor.bitrate_bps_max"),
        burst_ms: s.duration_ms("processor.burst") as i64,
        late_after_ms: s.duration_ms("processor.late_after") as i64,
        cmcd: cmcd(s),
    }
}

fn cmcd(s: &Settings) -> livemeter_processor::cmcd::Limits {
    livemeter_processor::cmcd::Limits { gap_ms_max: s.duration_ms("processor.cmcd_gap_max") as i64, cdns_max: limits(s).cdns_max }
}

pub fn query(s: &Settings) -> Result<(), Failure> {
    let (refusals_from, refusals_ca_file) = (s.list("query.refusals_from"), s.path("query.refusals_ca_file"));
    if let Some(address) = refusals_from.iter().find(|address| address.starts_with("https:")).filter(|_| refusals_ca_file.is_none()) {
        return Err(Failure::usage(format!("query.refusals_from names {address}: query.refusals_ca_file must say who vouches for it")));
    }
    let config = livemeter_query::Config {
        listen: s.address("query.listen"),
        ledger: s.text("ledger.root"),
        allowed_hosts: s.list("query.allowed_hosts"),
        memory_bytes_max: s.size("query.memory_bytes_max"),
        spill_bytes_max: s.integer("query.spill_bytes_max"),
        deadline_ms: s.duration_ms("query.deadline"),
        rows_max: s.size("query.rows_max"),
        csv_rows_max: s.size("query.csv_rows_max"),
        answer_bytes_max: s.size("query.answer_bytes_max"),
        concurrent_max: s.size("query.concurrent_max"),
        queue_max: s.size("query.queue_max"),
        sql_bytes_max: s.size("query.sql_bytes_max"),
        refresh_ms: s.duration_ms("query.refresh_interval"),
        partitions: s.size("query.partitions"),
        range_days_max: s.small("query.range_days_max"),
        bills: bills_config(s),
        refusals_from,
        refusals_ca_file,
    };
    serve(async move { livemeter_query::run(config, asked_to_stop()).await.map_err(|e| failure(&e, e.retry())) })
}

/// The bill check's folder and limits.
pub fn bills_config(s: &Settings) -> livemeter_query::config::Bills {
    livemeter_query::config::Bills {
        root: s.text("bills.root").into(),
        keep_original: s.text("bills.keep_original") == "yes",
        upload_bytes_max: s.integer("bills.upload_bytes_max"),
        upload_silence_ms: s.duration_ms("bills.upload_silence"),
        contract_bytes_max: s.integer("bills.contract_bytes_max"),
        contracts_max: s.size("bills.contracts_max"),
        layout_bytes_max: s.integer("bills.layout_bytes_max"),
        layouts_max: s.size("bills.layouts_max"),
        together_max: s.size("bills.together_max"),
        burst_alert_percent: s.small("bills.burst_alert_percent"),
        burst_watch_ms: s.duration_ms("bills.burst_watch"),
        burst_contracts_max: s.size("bills.burst_contracts_max"),
        sessions_max: s.size("bills.sessions_max"),
        export_rows_max: s.integer("bills.export_rows_max"),
        deadline_ms: s.duration_ms("bills.deadline"),
        jobs_max: s.size("bills.jobs_max"),
    }
}

pub fn simulate(s: &Settings) -> Result<(), Failure> {
    let duration_ms = s.duration_ms("simulate.duration");
    let run_id = s.text("simulate.run_id");
    let config = livemeter_simulate::Config {
        ingest_url: s.text("simulate.ingest"),
        app: s.text("simulate.app"),
        write_key: Some(s.text("simulate.write_key")).filter(|key| !key.is_empty()),
        viewers: s.small("simulate.viewers"),
        seed: s.integer("simulate.seed"),
        run_id: (!run_id.is_empty()).then_some(run_id),
        heartbeat_ms: s.duration_ms("simulate.heartbeat_interval"),
        duration_ms: (duration_ms > 0).then_some(duration_ms),
        network: livemeter_simulate::Network {
            lost: s.share("simulate.lost"),
            twice: s.share("simulate.twice"),
            held: s.share("simulate.held"),
            ..livemeter_simulate::Network::default()
        },
        connections: s.size("simulate.connections"),
        batch_max: s.size("simulate.batch_max"),
        drain_ms: s.duration_ms("simulate.drain"),
        truth_path: s.path("simulate.truth"),
        truth_sessions_path: s.path("simulate.truth_sessions"),
        ..livemeter_simulate::Config::default()
    };
    serve(async move {
        let truth =
            livemeter_simulate::run(config, watch_audience(duration_ms), asked_to_stop()).await.map_err(|e| failure(&e, e.retry()))?;
        println!("{}", serde_json::to_string(&truth).map_err(Failure::new)?);
        Ok(())
    })
}

/// A bar towards the end when there is one, else a spinner; without a terminal, a line every ten seconds.
fn watch_audience(duration_ms: u64) -> impl Fn(livemeter_simulate::Progress) + Send + Sync + 'static {
    let terminal = std::io::stderr().is_terminal();
    let bar = if !terminal { indicatif::ProgressBar::hidden() } else { indicatif::ProgressBar::new(duration_ms.max(1)) };
    if let Ok(style) = indicatif::ProgressStyle::with_template("{bar:30} {elapsed_precise} {msg}") {
        bar.set_style(style);
    }
    move |p: livemeter_simulate::Progress| {
        let rate = p.events_acknowledged * 1000 / p.elapsed_ms.max(1);
        let what = if p.draining { "sending the last counters" } else { "watching" };
        let line = format!(
            "{what}: {} viewers, {} events acknowledged ({rate}/s), {} waiting, {} requests failed, {} refused",
            p.viewers, p.events_acknowledged, p.pending, p.requests_failed, p.refused
        );
        if terminal {
            bar.set_position(p.elapsed_ms.min(duration_ms));
            bar.set_message(line);
        } else if (p.elapsed_ms / 1000).is_multiple_of(10) {
            tracing::info!("{line}");
        }
    }
}

/// Runs a tool that asks the ledger and ends.
pub fn once<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Failure::new)?.block_on(work)
}

/// Two worker threads: the house is measured on two cores, and more would only wait.
pub fn serve(service: impl Future<Output = Result<(), Failure>>) -> Result<(), Failure> {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().map_err(Failure::new)?.block_on(service)
}

pub fn failure(error: &dyn std::error::Error, retry: bool) -> Failure {
    if retry { Failure::new(error) } else { Failure::attention(error) }
}

/// Ends with SIGTERM or Ctrl-C.
async fn asked_to_stop() {
    let (Ok(mut interrupt), Ok(mut terminate)) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate())) else {
        return std::future::pending().await;
    };
    tokio::select! { _ = interrupt.recv() => {}, _ = terminate.recv() => {} }
}
