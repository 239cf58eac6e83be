//! `livemeter audit`: the ledger against its own law, against the broker's offsets and, on request, against
//! what the topic still holds. Exits 3 on any difference.

use super::progress::Bar;
use super::{failure, now_ms, or_dash, parse_time, print, print_json, root, table};
use crate::cli::Failure;
use crate::kafka::records::{self, TopicReader};
use crate::services::{limits, rules, serve};
use crate::settings::Settings;
use clap::ArgMatches;
use livemeter_processor::audit::{self, Ledger, PartitionReport, Progress, Question, Report, Topic};

pub fn command(settings: &Settings, given: &ArgMatches) -> Result<(), Failure> {
    let text = |name: &str| given.get_one::<String>(name).cloned();
    let time = |name: &str| text(name).map(|t| parse_time(name, &t)).transpose();
    let question = Question {
        app: text("app"),
        from_ms: time("from")?,
        to_ms: time("to")?,
        memory_bytes_max: settings.size("audit.memory_bytes_max"),
        differences_max: settings.size("audit.differences_max"),
    };
    let (offline, topic) = (given.get_flag("offline"), given.get_flag("topic"));
    if offline && topic {
        return Err(Failure::usage("--topic reads the broker: it cannot be had --offline"));
    }
    let (settings, json) = (settings.clone(), given.get_flag("json"));
    serve(async move {
        let began = now_ms();
        let report = audited(&settings, &question, offline, topic).await?;
        if json {
            print_json(&report)?;
        } else {
            show(&report, now_ms() - began);
        }
        match report.differences {
            0 => Ok(()),
            n => Err(Failure::attention(format!("{n} differences"))),
        }
    })
}

async fn audited(settings: &Settings, question: &Question, offline: bool, topic: bool) -> Result<Report, Failure> {
    let ledger = Ledger::open(&root(settings)?).await.map_err(failure)?;
    let (brokers, name) = (settings.text("kafka.brokers"), settings.text("kafka.events_topic"));
    // Asked after the ledger was opened: the broker can only be ahead of it.
    let broker = match offline {
        true => None,
        false => Some(
            records::layout(&brokers, &name)
                .map_err(|e| Failure { message: format!("{} (--offline audits the ledger alone)", e.message), code: e.code })?,
        ),
    };
    let topic = match topic {
        true => Some(Topic { records: TopicReader::new(&brokers, &name)?, rules: rules(settings), limits: limits(settings) }),
        false => None,
    };
    let (mut bar, mut reading_topic) = (Bar::new(), false);
    let mut watch = |p: Progress| {
        if std::mem::replace(&mut reading_topic, p.reading_topic) != p.reading_topic {
            bar.again();
        }
        let (what, unit) = if p.reading_topic { ("topic", "records") } else { ("ledger", "rows") };
        bar.at(&format!("{what}, pass {}", p.pass), p.done, p.of, p.count, unit);
    };
    audit::run(&ledger, question, broker.as_ref(), topic, &mut watch).await.map_err(failure)
}

fn show(report: &Report, took_ms: i64) {
    let header = [
        "generation",
        "partition",
        "increments at",
        "events at",
        "begin",
        "consumed",
        "booked",
        "late",
        "empty",
        "events only",
        "refused",
        "absent",
        "accounts",
        "broker low",
        "broker high",
        "lag",
    ];
    let mut partitions = table(&header, 0);
    for p in &report.partitions {
        partitions.add_row(row(p));
    }
    print(&partitions.to_string());
    for difference in &report.shown {
        print(&format!("! {}", difference.what));
    }
    let more = report.differences.saturating_sub(report.shown.len() as u64);
    if more > 0 {
        print(&format!("! and {more} more (--differences-max)"));
    }
    if let Some(topic) = &report.topic {
        print(&format!(
            "topic: {} records read again, {} unreadable, {} refused; {} counters compared to the byte, {} whose beginning the broker no longer holds",
            topic.records, topic.unreadable, topic.refused, topic.compared, topic.partly
        ));
    }
    print(&format!(
        "{} rows of {} counters (session, CDN) in {} pass(es), {} differences, in {:.1} s; increments at version {}, events at {}",
        report.rows,
        report.counters,
        report.passes,
        report.differences,
        took_ms as f64 / 1000.0,
        report.increments_version,
        report.events_version
    ));
}

fn row(p: &PartitionReport) -> Vec<String> {
    let mut cells = vec![p.generation.to_string(), p.partition.to_string(), p.increments_offset.to_string(), or_dash(p.events_offset)];
    match p.accounts {
        Some(a) => {
            cells.extend([a.begin, a.consumed, a.booked, a.late, a.empty, a.events_only, a.refused, a.absent].map(|n| n.to_string()))
        }
        None => cells.extend(std::iter::repeat_n("-".to_owned(), 8)),
    }
    cells.push(match p.accounts_balance {
        Some(true) => "balance".into(),
        Some(false) => "DIFFER".into(),
        None => "not recorded".into(),
    });
    cells.extend([or_dash(p.broker_low), or_dash(p.broker_high), or_dash(p.lag_records)]);
    cells
}
