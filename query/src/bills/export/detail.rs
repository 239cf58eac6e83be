//! Rows per 5 minutes, per session or per user: they go from the ledger's stream into the file as they come, however
//! many there are.

use super::super::Bills;
use super::super::ask::Ask;
use super::super::client::{self, BYTES};
use super::table::{self, Cell, Column, Writer, int, text};
use super::{Format, Made, csv, parquet, stands_on, xlsx};
use crate::engine::Engine;
use crate::error::Error;
use crate::rows;
use arrow::array::RecordBatch;
use livemeter_schemas::bills::BillQuery;
use std::io::BufWriter;
use std::sync::Arc;
use tokio::sync::mpsc;

/// Batches that may wait for a slow disk.
const BATCHES_AHEAD: usize = 2;

const WINDOWS: [Column; 6] = [text("window_start"), text("cdn"), text("region"), int("bytes"), int("sessions"), text("source")];
const SESSIONS: [Column; 6] = [text("window_start"), text("cdn"), text("region"), text("session_id"), int("bytes"), text("source")];
const USERS: [Column; 6] = [text("window_start"), text("cdn"), text("region"), text("user_id"), int("bytes"), text("source")];

/// What a row is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Detail {
    Windows,
    Sessions,
    Users,
}

impl Detail {
    /// None: the summary.
    pub fn parse(text: &str) -> Result<Option<Detail>, Error> {
        match text {
            "summary" => Ok(None),
            "windows" => Ok(Some(Detail::Windows)),
            "sessions" => Ok(Some(Detail::Sessions)),
            "users" => Ok(Some(Detail::Users)),
            other => Err(Error::parameter("detail", format!("detail {other:?} is unknown; summary, windows, sessions and users are"))),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Detail::Windows => "windows",
            Detail::Sessions => "sessions",
            Detail::Users => "users",
        }
    }

    fn columns(self) -> &'static [Column] {
        match self {
            Detail::Windows => &WINDOWS,
            Detail::Sessions => &SESSIONS,
            Detail::Users => &USERS,
        }
    }

    fn sql(self, scope: &str) -> String {
        let (key, more) = match self {
            Detail::Windows => (String::new(), ", COUNT(DISTINCT session_id) AS sessions"),
            Detail::Sessions => (", session_id AS who".to_owned(), ""),
            Detail::Users => (", user_id AS who".to_owned(), ""),
        };
        let group = if self == Detail::Windows { "1, 2, 3" } else { "1, 2, 3, 4" };
        format!(
            "SELECT window_start, cdn, coalesce(region, '') AS region{key}, {BYTES} AS bytes{more} FROM increments WHERE {scope} GROUP BY {group}"
        )
    }
}

pub async fn file(bills: &Arc<Bills>, engine: &Engine, asked: &BillQuery, detail: Detail, format: Format) -> Result<Made, Error> {
    let asked = asked.clone();
    let ask = bills.job(move |bills| bills.ask(&asked.contract, &asked.period, asked.invoice.as_deref())).await?;
    let (snapshot, deadline_ms) = (engine.snapshot().await?, bills.config.deadline_ms);
    let source = ask.source(&client::read_series(engine, &snapshot, &ask, deadline_ms).await?, Vec::new());
    let about = stands_on(ask.summary(), &source, [&ask.text, &ask.label(ask.from_ms), &ask.label(ask.to_ms)]);
    let sql = detail.sql(&client::scope(&ask));
    let mut answer = client::start(engine, &snapshot, &sql, client::values(&ask), deadline_ms).await?;
    let (hand_on, batches) = mpsc::channel(BATCHES_AHEAD);
    let writing = bills.job(move |bills| write(bills, &ask, about, (detail, format), batches));
    let reading = async {
        while let Some(batch) = answer.next().await? {
            // The writer says itself why it has ended.
            if hand_on.send(batch).await.is_err() {
                break;
            }
        }
        drop(hand_on);
        Ok::<_, Error>(())
    };
    let (made, read) = tokio::join!(writing, reading);
    read?;
    made
}

fn write(
    bills: &Bills,
    ask: &Ask,
    about: Vec<(String, String)>,
    (detail, format): (Detail, Format),
    batches: mpsc::Receiver<RecordBatch>,
) -> Result<Made, Error> {
    let made = bills.making(ask, format, detail.name())?;
    let out = BufWriter::new(made.file.reopen().map_err(|e| table::failed("an export")(&e))?);
    let source: Vec<String> = about.iter().map(|(name, value)| format!("{}={value}", name.trim_start_matches("livemeter."))).collect();
    let rows = Rows { ask, detail, source: source.join("; "), left: bills.config.export_rows_max, limit: bills.config.export_rows_max };
    match format {
        Format::Xlsx => {
            let mut book = xlsx::Xlsx::new(&bills.scratch()?, "Bill check")?;
            rows.into_writer(&mut book, batches)?;
            book.finish(out)?;
        }
        Format::Parquet => {
            let mut file = parquet::Parquet::new(out, about);
            rows.into_writer(&mut file, batches)?;
            file.finish()?;
        }
        _ => {
            let mut file = csv::Csv::new(out);
            rows.into_writer(&mut file, batches)?;
            file.finish()?;
        }
    }
    Ok(made)
}

struct Rows<'a> {
    ask: &'a Ask,
    detail: Detail,
    /// Told once, in the first row: in each of a million it would be most of the file.
    source: String,
    left: u64,
    limit: u64,
}

impl Rows<'_> {
    fn into_writer(mut self, writer: &mut impl Writer, mut batches: mpsc::Receiver<RecordBatch>) -> Result<(), Error> {
        writer.begin(self.detail.name(), self.detail.columns())?;
        let mut first = true;
        while let Some(batch) = batches.blocking_recv() {
            let rows = batch.num_rows() as u64;
            self.left = self.left.checked_sub(rows).ok_or(Error::TooManyRows { limit: self.limit })?;
            self.batch(writer, &batch, &mut first)?;
        }
        Ok(())
    }

    fn batch(&self, writer: &mut impl Writer, batch: &RecordBatch, first: &mut bool) -> Result<(), Error> {
        let (at, bytes) = (rows::micros(batch, "window_start")?, client::exact(batch, "bytes")?);
        let (cdns, regions) = (rows::texts(batch, "cdn")?, rows::texts(batch, "region")?);
        let who = if self.detail == Detail::Windows { None } else { Some(rows::texts(batch, "who")?) };
        let sessions = if self.detail == Detail::Windows { Some(rows::ints(batch, "sessions")?) } else { None };
        for (row, bytes) in bytes.into_iter().enumerate() {
            let mut cells: Vec<Cell> =
                vec![self.ask.label(at.value(row) / 1_000).into(), cdns.value(row).into(), regions.value(row).into()];
            cells.extend(who.as_ref().map(|who| who.value(row).into()));
            cells.push(bytes.into());
            cells.extend(sessions.as_ref().map(|sessions| sessions.value(row).into()));
            cells.push(if std::mem::take(first) { self.source.as_str().into() } else { Cell::None });
            writer.row(&cells)?;
        }
        Ok(())
    }
}
