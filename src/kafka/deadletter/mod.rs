//! `livemeter deadletter list|replay`: what was refused, by whom and why; and putting it back once it is understood.

mod replay;
mod report;

use super::records::{TopicReader, layout};
use crate::cli::Failure;
use crate::settings::Settings;
use livemeter_schemas::record::DeadLetter;
use std::collections::{BTreeMap, HashSet};

pub fn command(settings: &Settings, word: &str, given: &clap::ArgMatches) -> Result<(), Failure> {
    if word == "replay" { replay::command(settings, given) } else { list(settings, given) }
}

fn list(settings: &Settings, given: &clap::ArgMatches) -> Result<(), Failure> {
    let limit = given.get_one::<u32>("limit").copied().unwrap_or(50);
    let topic = settings.text("kafka.deadletter_topic");
    let (texts, repeats) = newest(&settings.text("kafka.brokers"), &topic, i64::from(limit))?;
    if given.get_flag("json") {
        texts.iter().for_each(|text| println!("{text}"));
        return Ok(());
    }
    let mut table = comfy_table::Table::new();
    let header = ["received", "by", "app", "code", "reason", "bytes", "sha256", "origin"];
    table.load_preset(comfy_table::presets::ASCII_MARKDOWN).set_header(header);
    let mut shown = 0;
    for text in &texts {
        let Ok(letter) = serde_json::from_str::<DeadLetter>(text) else { continue };
        shown += 1;
        let origin = letter.key().unwrap_or_default();
        table.add_row([
            received(letter.received_at_ms),
            letter.by,
            letter.app,
            letter.code.as_str().to_owned(),
            letter.reason,
            letter.length_bytes.to_string(),
            letter.sha256.chars().take(12).collect(),
            origin,
        ]);
    }
    println!("{table}");
    let again = if repeats > 0 { format!("; {repeats} written twice, shown once") } else { String::new() };
    println!("{shown} refused, newest last (at most {limit}; --limit for more, --json for the texts themselves){again}");
    Ok(())
}

/// RFC 3339, UTC; the bare number when it is no time at all.
fn received(at_ms: i64) -> String {
    let time = chrono::DateTime::from_timestamp_millis(at_ms);
    time.map_or_else(|| at_ms.to_string(), |t| t.to_rfc3339_opts(chrono::SecondsFormat::Millis, true))
}

/// Recognises a letter that was written twice, around a crash: by its key, which is its origin.
#[derive(Default)]
struct Seen {
    keys: HashSet<String>,
    repeats: u64,
}

impl Seen {
    /// Whether the letter is told for the first time. Ingest's letters have no origin, and are not repeated.
    fn first(&mut self, letter: &DeadLetter) -> bool {
        let first = letter.key().is_none_or(|key| self.keys.insert(key));
        self.repeats += u64::from(!first);
        first
    }
}

/// The newest `limit` letters of every partition, oldest first, each once; and how many were repeats.
fn newest(brokers: &str, topic: &str, limit: i64) -> Result<(Vec<String>, u64), Failure> {
    let reader = TopicReader::new(brokers, topic)?;
    let (mut seen, mut out) = (Seen::default(), Vec::new());
    for (partition, (low, high)) in watermarks(brokers, topic)? {
        let mut take = |text: &[u8]| {
            let first = serde_json::from_slice::<DeadLetter>(text).map_or(true, |letter| seen.first(&letter));
            if first {
                out.push(String::from_utf8_lossy(text).into_owned());
            }
            Ok(())
        };
        reader.read(partition, low.max(high - limit), high, &mut |_, _, text| take(text)).map_err(Failure::new)?;
    }
    Ok((out, seen.repeats))
}

fn watermarks(brokers: &str, topic: &str) -> Result<BTreeMap<i32, (i64, i64)>, Failure> {
    let watermarks = layout(brokers, topic)?.watermarks;
    Ok(watermarks.into_iter().filter_map(|(p, ends)| Some((i32::try_from(p).ok()?, ends))).collect())
}
