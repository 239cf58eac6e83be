//! The bill check under load: a large month under every mode, a reconciliation over what a hundred million log lines
//! come to, the same 95th percentile in DuckDB over the same Parquet, and a CloudFront log beside `wc -l`. The last
//! line is JSON. Traffic is made up, the same each time.

use anyhow::{Context, Result, ensure};
use arrow::array::{ArrayRef, AsArray, Int64Array, RecordBatch};
use arrow::datatypes::{DataType, Field, Int64Type, Schema};
use clap::Parser;
use livemeter_bench::process::cost_of;
use livemeter_billing::bill::percentile;
use livemeter_billing::contract::{DropRounding, Mode};
use livemeter_billing::reconcile::{InvoiceLine, InvoiceSide, LogSide, Tail};
use livemeter_billing::{Basis, Contract, Period, Place, Series, Sides, Traffic, bill, reconcile};
use livemeter_logs::sample::{Sample, cloudfront};
use livemeter_tests::binary;
use livemeter_tests::process::Process;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::BufWriter;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// Lines of log that one aggregate of the reconciliation stands for: 1.8 million aggregates are a hundred million lines.
const LINES: u64 = 100_000_000;

/// Bills, reconciliation, DuckDB, import.
#[derive(Debug, Parser)]
struct Arguments {
    #[arg(long, default_value_t = 50)]
    vendors: u64,
    #[arg(long, default_value_t = 200)]
    domains: u64,
    /// Vendors whose series go into Parquet: 1.8 million rows each.
    #[arg(long, default_value_t = 10)]
    parquet_vendors: u64,
    /// Text of the generated log, in MB.
    #[arg(long, default_value_t = 1_000)]
    log_mb: u64,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let bills_s = bills(&arguments)?;
    println!("{} vendors × {} domains, every mode: {bills_s:.3} s", arguments.vendors, arguments.domains);
    let reconcile_s = reconciled(arguments.domains)?;
    println!("a month's reconciliation over {LINES} lines' aggregates: {reconcile_s:.3} s");
    let folder = tempfile::tempdir()?;
    let duck = duckdb(&arguments, folder.path())?;
    println!("the same percentiles: ours {:.3} s, DuckDB {:.3} s", duck.ours_s, duck.theirs_s);
    let import = import(arguments.log_mb, folder.path())?;
    println!("{} MB of log: {:.2} s of CPU, wc -l {:.2} s", arguments.log_mb, import.cpu_s, import.wc_s);
    let round = |value: f64| (value * 1_000.0).round() / 1_000.0;
    println!(
        "{}",
        json!({
            "bench": "billing", "bills_s": round(bills_s), "reconcile_s": round(reconcile_s),
            "log_gb_per_s_core": round(import.gb / import.cpu_s), "wc_gb_per_s": round(import.gb / import.wc_s),
            "duckdb_equal": duck.equal, "ratio_duckdb": round(duck.theirs_s / duck.ours_s), "import_rss_mb": import.rss_bytes >> 20,
        })
    );
    ensure!(duck.equal, "DuckDB comes to other percentiles");
    Ok(())
}

fn contract(mode: Mode) -> Result<Contract> {
    let unit = if mode.is_bandwidth() { "Mbps" } else { "GB" };
    let text = format!(
        "id = \"c\"\nversion = 1\nvendor = \"v\"\ncurrency = \"CNY\"\nzone = \"Asia/Shanghai\"\nvalid_from = \"2020-01-01\"\n\
         scopes = [{{ cdn = \"a\" }}]\nmode = \"{}\"\nunit = \"{unit}\"\noverhead = \"1.1\"\ntiers_apply = \"progressive\"\n\
         tiers = [{{ from = 0, up_to = 500, price = \"0.2\" }}, {{ from = 500, price = \"0.15\" }}]\n",
        mode.name()
    );
    Contract::parse(&text).context("a contract")
}

fn month() -> Result<Period> {
    contract(Mode::Traffic)?.period("2026-10").context("a month")
}

/// Nights and evenings, no two days alike (a linear congruential generator with Knuth's MMIX constants).
fn waves(windows: usize, seed: u64) -> Vec<u64> {
    let (mut state, mut day) = (seed, 0);
    let mut noise = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state >> 33
    };
    let mut wave = |window: usize| {
        if window.is_multiple_of(288) {
            day = noise() % 900_000_000;
        }
        1_000_000 + day + (window % 288) as u64 / 12 * 40_000_000 + noise() % 50_000_000
    };
    (0..windows).map(&mut wave).collect()
}

fn traffic(basis: Basis, vendor: u64, domains: u64, windows: usize) -> Result<Traffic> {
    let mut traffic = Traffic::new(basis);
    for domain in 0..domains {
        let series = Series::new(waves(windows, vendor << 32 | domain))?;
        traffic.places.insert(Place::new(Some(&format!("d{domain}")), None), series);
    }
    Ok(traffic)
}

/// Every vendor's account under every mode; making the traffic is not counted.
fn bills(Arguments { vendors, domains, .. }: &Arguments) -> Result<f64> {
    let period = month()?;
    let contracts = Mode::ALL.map(contract).into_iter().collect::<Result<Vec<_>>>()?;
    let mut took = Duration::ZERO;
    for vendor in 0..*vendors {
        let side = traffic(Basis::Log, vendor, *domains, period.windows())?;
        let began = Instant::now();
        for contract in &contracts {
            bill(contract, &period, &side)?;
        }
        took += began.elapsed();
    }
    Ok(took.as_secs_f64())
}

/// Client and log per domain and window, tails of a tenth of a million sessions, an invoice of a line a day.
fn reconciled(domains: u64) -> Result<f64> {
    let (period, contract) = (month()?, contract(Mode::Traffic)?);
    let client = traffic(Basis::Client, 1, domains, period.windows())?;
    let mut log = LogSide::new(true);
    log.known = traffic(Basis::Log, 1, domains, period.windows())?;
    log.unseen = traffic(Basis::Log, 2, domains / 10, period.windows())?;
    log.anonymous = traffic(Basis::Log, 3, domains / 10, period.windows())?;
    let tail = |session: u64| Tail {
        place: Place::new(Some(&format!("d{}", session % domains.max(1))), None),
        window: session as usize % period.windows(),
        logged_after: Some(session % 5_000_000),
        bytes: 100_000_000,
        lived_ms: 600_000,
        heartbeat_ms: 10_000,
    };
    let tails: Vec<Tail> = (0..100_000).map(tail).collect();
    let day = |day: &livemeter_billing::period::Day| InvoiceLine {
        row: day.first as u64 + 2,
        item: "traffic".into(),
        place: Place::ALL,
        from_ms: period.window_ms(day.first),
        to_ms: period.window_ms(day.first + day.windows),
        quantity: Some(1_000.into()),
        unit: Some("GB".into()),
        price: None,
        amount: 200.into(),
    };
    let invoice = InvoiceSide { currency: "CNY".into(), lines: period.days().iter().map(day).collect() };
    let sides =
        Sides { contract: &contract, period: &period, client: &client, log: Some(&log), tails: &tails, invoice: Some(&invoice), utc: None };
    let began = Instant::now();
    let found = reconcile(&sides)?;
    let took = began.elapsed().as_secs_f64();
    ensure!(found.days.len() == period.days().len(), "a day is missing");
    Ok(took)
}

struct Duck {
    ours_s: f64,
    theirs_s: f64,
    equal: bool,
}

/// Both read the Parquet, sum per vendor and window, and take the sample behind the dropped ones.
fn duckdb(arguments: &Arguments, folder: &Path) -> Result<Duck> {
    let (period, path) = (month()?, folder.join("series.parquet"));
    write(arguments, &period, &path)?;
    let began = Instant::now();
    let mut sums: BTreeMap<i64, Vec<u64>> = BTreeMap::new();
    for batch in ParquetRecordBatchReaderBuilder::try_new(File::open(&path)?)?.with_batch_size(65_536).build()? {
        let batch = batch?;
        let [vendors, windows, bytes] = [0, 2, 3].map(|column| batch.column(column).as_primitive::<Int64Type>().values());
        for ((vendor, window), bytes) in vendors.iter().zip(windows.iter()).zip(bytes.iter()) {
            let series = sums.entry(*vendor).or_insert_with(|| vec![0; period.windows()]);
            *series.get_mut(*window as usize).context("a window of the period")? += *bytes as u64;
        }
    }
    let dropped = percentile::dropped(period.windows(), DropRounding::Floor);
    let ours: BTreeMap<String, u64> =
        sums.into_iter().map(|(vendor, mut series)| (vendor.to_string(), percentile::billed(&mut series, dropped))).collect();
    let ours_s = began.elapsed().as_secs_f64();
    let readers = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/readers");
    let fetched = Command::new(readers.join("fetch")).arg("files").output()?;
    ensure!(fetched.status.success(), "{}", String::from_utf8_lossy(&fetched.stderr));
    let python = String::from_utf8(fetched.stdout)?;
    let out = Command::new(python.trim()).args(["-c", DUCKDB]).arg(&path).arg(dropped.to_string()).output()?;
    ensure!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let told: Value = serde_json::from_slice(&out.stdout)?;
    let theirs: BTreeMap<String, u64> = serde_json::from_value(told["p95"].clone())?;
    Ok(Duck { ours_s, theirs_s: told["seconds"].as_f64().context("seconds")?, equal: ours == theirs })
}

/// One thread, as ours has; importing the module is not counted.
const DUCKDB: &str = r#"
import json, sys, time, duckdb
connection = duckdb.connect()
connection.execute("SET threads = 1")
began = time.perf_counter()
rows = connection.execute(f"""
    SELECT vendor, bytes FROM (
      SELECT vendor, bytes, row_number() OVER (PARTITION BY vendor ORDER BY bytes DESC) AS rank FROM (
        SELECT vendor, window_index, sum(bytes)::BIGINT AS bytes FROM '{sys.argv[1]}' GROUP BY ALL))
    WHERE rank = {int(sys.argv[2]) + 1}""").fetchall()
print(json.dumps({"seconds": time.perf_counter() - began, "p95": {str(vendor): bytes for vendor, bytes in rows}}))
"#;

fn write(arguments: &Arguments, period: &Period, path: &Path) -> Result<()> {
    let names = ["vendor", "domain", "window_index", "bytes"];
    let schema = Arc::new(Schema::new(names.map(|name| Field::new(name, DataType::Int64, false)).to_vec()));
    let mut writer = ArrowWriter::try_new(BufWriter::new(File::create(path)?), Arc::clone(&schema), None)?;
    for vendor in 0..arguments.parquet_vendors {
        for domain in 0..arguments.domains {
            let bytes = waves(period.windows(), vendor << 32 | domain);
            let column = |values: &mut dyn Iterator<Item = i64>| -> ArrayRef { Arc::new(Int64Array::from_iter_values(values)) };
            let columns = vec![
                column(&mut bytes.iter().map(|_| vendor as i64)),
                column(&mut bytes.iter().map(|_| domain as i64)),
                column(&mut (0..bytes.len() as i64)),
                column(&mut bytes.iter().map(|bytes| *bytes as i64)),
            ];
            writer.write(&RecordBatch::try_new(Arc::clone(&schema), columns)?)?;
        }
    }
    writer.close()?;
    Ok(())
}

struct Import {
    gb: f64,
    cpu_s: f64,
    wc_s: f64,
    rss_bytes: u64,
}

/// The real command line, beside `wc -l` over the same file, both from the page cache.
fn import(log_mb: u64, folder: &Path) -> Result<Import> {
    let path = folder.join("cloudfront.log");
    let sample = Sample { text_bytes: log_mb * 1_000_000, ..Sample::default() };
    let written = cloudfront(&sample, &mut BufWriter::new(File::create(&path)?))?;
    let began = Instant::now();
    ensure!(Command::new("wc").arg("-l").arg(&path).output()?.status.success(), "wc failed");
    let wc_s = began.elapsed().as_secs_f64();
    let mut command = Command::new(binary::path("livemeter"));
    command
        .args(["logs", "import", "--vendor", "bench", "--format", "cloudfront", "--json", "--bills"])
        .arg(folder.join("bills"))
        .arg(&path);
    let log = folder.join("import.log");
    let mut process = Process::start("import", command, &log);
    let cost = cost_of(&mut process, Duration::from_secs(3_600))?;
    let told = std::fs::read_to_string(&log)?;
    ensure!(told.contains(&format!("\"bytes\":{}", written.traffic_bytes)), "the import counted other bytes:\n{told}");
    Ok(Import { gb: written.text_bytes as f64 / 1e9, cpu_s: cost.cpu_s, wc_s, rss_bytes: cost.rss_bytes_max })
}
