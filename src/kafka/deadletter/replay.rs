//! `livemeter deadletter replay`: records that were refused and are understood now go back on the events'
//! topic, byte for byte; a CMCD report that was none is read anew, as ingest reads it (see [`super::report`]). Nothing
//! is booked twice by that: the ledger knows a record by its seq and counters, so a second replay adds nothing. What
//! would be refused again is left where it is, with the reason.

use super::{Seen, report, watermarks};
use crate::cli::Failure;
use crate::kafka::records::TopicReader;
use crate::ledger::progress::Bar;
use crate::services::{limits, serve};
use crate::settings::Settings;
use livemeter_ingest::cmcd::hosts::Hosts;
use livemeter_ingest::identity::bind;
use livemeter_processor::entry::{Entry, Place};
use livemeter_schemas::limits::Limits;
use livemeter_schemas::record::{self, DeadLetter, Origin};
use livemeter_schemas::refusal::Code;
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{DeliveryFuture, FutureProducer, FutureRecord};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// Names the letter that a record comes from: its key, or the text's hash where it has none.
const HEADER: &str = "livemeter-replay-of";
/// Records on their way at once: bounds memory to some megabytes.
const IN_FLIGHT_MAX: usize = 200;

/// Which letters.
struct Wanted {
    code: Option<String>,
    app: Option<String>,
    origin: Option<String>,
}

impl Wanted {
    fn holds(&self, letter: &DeadLetter) -> bool {
        self.code.as_deref().is_none_or(|code| code == letter.code.as_str())
            && self.app.as_deref().is_none_or(|app| app == letter.app)
            && self.origin.as_deref().is_none_or(|origin| Some(origin) == letter.key().as_deref())
    }
}

/// A record as it is put back.
struct Restored {
    key: String,
    value: Vec<u8>,
    of: String,
}

#[derive(Default, serde::Serialize)]
struct Done {
    dry_run: bool,
    /// Put back, or (dry run) to be put back.
    replayed: u64,
    /// Letters that stood there twice.
    repeats: u64,
    /// Why others were left, and how many.
    skipped: BTreeMap<String, u64>,
}

pub fn command(settings: &Settings, given: &clap::ArgMatches) -> Result<(), Failure> {
    let text = |name: &str| given.get_one::<String>(name).cloned();
    let wanted = Wanted { code: text("code"), app: text("app"), origin: text("origin") };
    let (settings, json, dry_run) = (settings.clone(), given.get_flag("json"), given.get_flag("dry-run"));
    serve(async move {
        let done = replay(&settings, &wanted, dry_run).await?;
        if json {
            println!("{}", serde_json::to_string(&done).map_err(Failure::new)?);
            return Ok(());
        }
        for (reason, count) in &done.skipped {
            println!("left {count}: {reason}");
        }
        let (what, left) = (if dry_run { "would be put back" } else { "put back" }, done.skipped.values().sum::<u64>());
        println!("{} {what}, {left} left, {} were there twice", done.replayed, done.repeats);
        Ok(())
    })
}

async fn replay(settings: &Settings, wanted: &Wanted, dry_run: bool) -> Result<Done, Failure> {
    let (brokers, letters_topic) = (settings.text("kafka.brokers"), settings.text("kafka.deadletter_topic"));
    let events_topic = settings.text("kafka.events_topic");
    let reader = TopicReader::new(&brokers, &letters_topic)?;
    // Up to where it ends now: what is refused again is not read again.
    let ends = watermarks(&brokers, &letters_topic)?;
    let of = ends.values().map(|(low, high)| (high - low).max(0) as u64).sum();
    let mut road = Road {
        originals: Originals {
            brokers: brokers.clone(),
            limits: limits(settings),
            // What the table of settings has let pass, parses.
            hosts: settings.text("ingest.cmcd_hosts").parse().unwrap_or_default(),
            readers: BTreeMap::new(),
        },
        producer: producer(&brokers)?,
        events_topic,
        flying: Vec::new(),
        done: Done { dry_run, ..Done::default() },
    };
    let (mut seen, mut bar, mut read) = (Seen::default(), Bar::new(), 0);
    for (partition, (low, high)) in ends {
        // A page at a time: letters are up to 16 KiB, and their records are fetched in between.
        let mut from = low;
        while from < high {
            let (to, mut page) = ((from + IN_FLIGHT_MAX as i64).min(high), Vec::new());
            let mut take = |text: &[u8]| {
                page.extend(serde_json::from_slice::<DeadLetter>(text).ok());
                Ok(())
            };
            reader.read(partition, from, to, &mut |_, _, text| take(text)).map_err(Failure::new)?;
            for letter in page.into_iter().filter(|letter| wanted.holds(letter) && seen.first(letter)) {
                road.put_back(&letter).await?;
            }
            read += (to - from) as u64;
            bar.at("dead letters", read, of, read, "letters");
            from = to;
        }
    }
    road.land().await?;
    road.done.repeats = seen.repeats;
    Ok(road.done)
}

/// From letters to the events' topic.
struct Road {
    originals: Originals,
    producer: FutureProducer,
    events_topic: String,
    flying: Vec<DeliveryFuture>,
    done: Done,
}

impl Road {
    async fn put_back(&mut self, letter: &DeadLetter) -> Result<(), Failure> {
        let restored = match self.originals.restore(letter)? {
            Ok(restored) => restored,
            Err(reason) => {
                *self.done.skipped.entry(reason).or_default() += 1;
                return Ok(());
            }
        };
        self.done.replayed += 1;
        if self.done.dry_run {
            return Ok(());
        }
        let headers = OwnedHeaders::new().insert(Header { key: HEADER, value: Some(&restored.of) });
        let record = FutureRecord::to(&self.events_topic).key(&restored.key).payload(&restored.value).headers(headers);
        self.flying.push(self.producer.send_result(record).map_err(|(e, _)| Failure::new(format!("{}: {e}", self.events_topic)))?);
        if self.flying.len() >= IN_FLIGHT_MAX { self.land().await } else { Ok(()) }
    }

    /// Waits until all that is on its way is durable.
    async fn land(&mut self) -> Result<(), Failure> {
        for delivery in self.flying.drain(..) {
            let told = delivery.await.map_err(|_| Failure::new("the producer ended before it told of a record"))?;
            told.map_err(|(e, _)| Failure::new(format!("{}: {e}; replay again: what arrived is not booked twice", self.events_topic)))?;
        }
        Ok(())
    }
}

/// As ingest writes: every acknowledgement means durable, and the same key goes to the same partition.
fn producer(brokers: &str) -> Result<FutureProducer, Failure> {
    let mut config = crate::kafka::client(brokers);
    config
        .set("client.id", "livemeter-replay")
        .set("acks", "all")
        .set("enable.idempotence", "true")
        .set("partitioner", "murmur2_random")
        .set("allow.auto.create.topics", "false")
        .set("compression.type", "lz4")
        .set("message.timeout.ms", "60000");
    config.create().map_err(Failure::new)
}

/// One topic that letters come from: its reader, and what its partitions hold.
type Source = (TopicReader, BTreeMap<i32, (i64, i64)>);

/// Finds what a letter was written of.
struct Originals {
    brokers: String,
    limits: Limits,
    hosts: Hosts,
    readers: BTreeMap<String, Source>,
}

impl Originals {
    /// The record to be put back, or why there is none.
    fn restore(&mut self, letter: &DeadLetter) -> Result<Result<Restored, String>, Failure> {
        if letter.code == Code::Forbidden {
            return Ok(Err("its sender may not say that: no limit changes it".into()));
        }
        let found = match &letter.origin {
            Some(origin) => match self.on_the_broker(origin, letter)? {
                Some(value) => Ok(value),
                None => kept_whole(letter),
            },
            None => kept_whole(letter).and_then(|text| self.wrapped(letter, &text)),
        };
        Ok(found.and_then(|value| self.understood(letter, value)))
    }

    /// The record at its own place, if it is still there and still the same.
    fn on_the_broker(&mut self, origin: &Origin, letter: &DeadLetter) -> Result<Option<Vec<u8>>, Failure> {
        if !self.readers.contains_key(&origin.topic) {
            let source = (TopicReader::new(&self.brokers, &origin.topic)?, watermarks(&self.brokers, &origin.topic).unwrap_or_default());
            self.readers.insert(origin.topic.clone(), source);
        }
        let Some((reader, held)) = self.readers.get(&origin.topic) else { return Ok(None) };
        if !held.get(&origin.partition).is_some_and(|(low, high)| (*low..*high).contains(&origin.offset)) {
            return Ok(None);
        }
        let mut found = None;
        let mut take = |text: &[u8]| {
            found = Some(text.to_vec());
            Ok(())
        };
        reader.read(origin.partition, origin.offset, origin.offset + 1, &mut |_, _, text| take(text)).map_err(Failure::new)?;
        // Another record at that place: the topic was made anew.
        Ok(found.filter(|text| sha256(text) == letter.sha256))
    }

    /// An event that ingest refused before it was a record: it becomes one, received when it was.
    fn wrapped(&self, letter: &DeadLetter, text: &[u8]) -> Result<Vec<u8>, String> {
        if letter.app.is_empty() {
            return Err("a whole batch was refused, not one event: its client has been told".into());
        }
        let text = std::str::from_utf8(text).map_err(|e| format!("it is not UTF-8: {e}"))?;
        if let Some(beside) = &letter.cmcd {
            return report::record(letter, beside, text, &self.hosts, &self.limits);
        }
        let mut value = Vec::new();
        record::write(&mut value, &letter.app, letter.received_at_ms, None, text).map_err(|e| e.to_string())?;
        Ok(value)
    }

    /// Whether the processor would take it now; then it gets the key of its session.
    fn understood(&self, letter: &DeadLetter, value: Vec<u8>) -> Result<Restored, String> {
        let entry = Entry::read(&value, Place { partition: 0, offset: 0 }, &self.limits);
        let entry = entry.map_err(|refusal| format!("it would be refused again: {}", refusal.reason))?;
        // It was refused for another reason before anybody asked whether its sender may say it.
        if let Some(bound) = &letter.bound {
            bind::check_kept(&entry.event, bound).map_err(|refusal| format!("its sender may not say that: {}", refusal.reason))?;
        }
        let key = record::key(&entry.app, entry.head().session_id);
        Ok(Restored { key, of: letter.key().unwrap_or_else(|| letter.sha256.clone()), value })
    }
}

/// The kept bytes, if they are all of them.
fn kept_whole(letter: &DeadLetter) -> Result<Vec<u8>, String> {
    let gone = || "the broker no longer holds its record, and the letter kept only its beginning".to_owned();
    let kept = letter.kept().ok_or_else(gone)?;
    if kept.len() as u64 == letter.length_bytes && sha256(&kept) == letter.sha256 { Ok(kept) } else { Err(gone()) }
}

fn sha256(bytes: &[u8]) -> String {
    format!("{:x}", Sha256::digest(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use livemeter_schemas::record::Bound;
    use livemeter_schemas::refusal::Refusal;

    fn originals() -> Originals {
        Originals { brokers: String::new(), limits: Limits::default(), hosts: Hosts::default(), readers: BTreeMap::new() }
    }

    fn restored(bound: Option<Bound>) -> Result<String, String> {
        let text =
            r#"{"type":"session_start","session_id":"s","seq":0,"at_ms":1790000000000,"user_id":"u","programme_id":"p","cdn":"cdn-a"}"#;
        let refusal = Refusal::new(Code::TooLong, "user_id", "long");
        let letter = livemeter_ingest::deadletter::build("demo", 1_790_000_000_000, &refusal, text.as_bytes());
        originals().restore(&DeadLetter { bound, ..letter }).unwrap().map(|restored| restored.key)
    }

    #[test]
    fn what_is_put_back_keeps_to_what_its_sender_was_bound_to() {
        let name = |name: &str| Some(name.to_owned());
        let list = |cdn: &str| Some(vec![cdn.to_owned()]);
        let own =
            Bound { user_id: name("u"), programme_id: name("p"), session_id: None, token_cdns: list("cdn-a"), app_cdns: list("cdn-a") };
        assert_eq!(restored(None).as_deref(), Ok("demo/s"));
        assert_eq!(restored(Some(own.clone())).as_deref(), Ok("demo/s"));
        for (other, says) in [
            (Bound { user_id: name("v"), ..own.clone() }, "user_id"),
            (Bound { programme_id: name("q"), ..own.clone() }, "programme_id"),
            (Bound { session_id: name("t"), ..own.clone() }, "session_id"),
            (Bound { token_cdns: list("cdn-b"), ..own.clone() }, "the session token"),
            (Bound { app_cdns: list("cdn-b"), ..own }, "the app"),
        ] {
            let why = restored(Some(other)).unwrap_err();
            assert!(why.starts_with("its sender may not say that") && why.contains(says), "{why}");
        }
    }
}
