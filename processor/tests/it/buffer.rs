//! Rows that meet within one batch: whatever is added to its predecessor, the table says the same as if each row
//! stood alone.

use crate::client::*;
use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::{Int64Type, TimestampMicrosecondType};
use livemeter_processor::book::{Book, Rules, Wanted};
use livemeter_processor::buffer::Buffer;
use livemeter_processor::config::Config;
use livemeter_processor::entry::{Entry, Place};
use livemeter_processor::memory::Memory;
use livemeter_schemas::event::Event;
use livemeter_schemas::limits::Limits;
use proptest::prelude::*;
use std::collections::BTreeMap;

/// What rows have in common that may be one: session, CDN, window, user, programme, region and network,
/// status, late.
type Group = (String, String, i64, String, String, (Option<String>, Option<i64>), String, bool);

/// Of a group: sums of the amounts and `records`; the largest `reached_*`, `reached_seq`, `at`, `received_at`,
/// `kafka_offset`; the smallest first offset.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Said {
    sums: [i64; 6],
    largest: [i64; 9],
    first: i64,
}

fn said(batches: &[RecordBatch]) -> BTreeMap<Group, Said> {
    let mut groups = BTreeMap::new();
    for batch in batches {
        let column = |name: &str| batch.column_by_name(name).unwrap();
        let text = |name: &str, row| column(name).as_string::<i32>().iter().nth(row).unwrap().map(str::to_owned);
        let int = |name: &str, row| column(name).as_primitive::<Int64Type>().value(row);
        let us = |name: &str, row| column(name).as_primitive::<TimestampMicrosecondType>().value(row);
        for row in 0..batch.num_rows() {
            let word = |name| text(name, row).unwrap();
            let late = column("late").as_boolean().value(row);
            let group = (
                word("session_id"),
                word("cdn"),
                us("window_start", row),
                word("user_id"),
                word("programme_id"),
                (text("region", row), column("asn").as_primitive::<Int64Type>().iter().nth(row).unwrap()),
                word("status"),
                late,
            );
            let sums = ["bytes", "aborted_bytes", "play_ms", "stall_ms", "stalls", "records"].map(|name| int(name, row));
            let reached =
                ["reached_seq", "reached_bytes", "reached_aborted_bytes", "reached_play_ms", "reached_stall_ms", "reached_stalls"];
            let [seq, a, b, c, d, e] = reached.map(|name| int(name, row));
            let largest = [seq, a, b, c, d, e, us("at", row), us("received_at", row), int("kafka_offset", row)];
            let first = int("kafka_offset_first", row);
            let said = groups.entry(group).or_insert(Said { sums: [0; 6], largest, first });
            said.sums.iter_mut().zip(sums).for_each(|(sum, more)| *sum += more);
            said.largest.iter_mut().zip(largest).for_each(|(most, now)| *most = (*most).max(now));
            said.first = said.first.min(first);
        }
    }
    groups
}

/// Books everything, taking a batch out after every `commit_every` records.
fn booked(records: &[Vec<u8>], commit_every: usize) -> Vec<RecordBatch> {
    let c = Config::default();
    let rules = Rules {
        split_windows_max: c.split_windows_max,
        session_events_max: c.session_events_max,
        age_ms_max: c.limits.age_ms_max,
        // Low, so that some amounts are quarantined.
        bitrate_bps_max: 100_000,
        burst_ms: c.burst_ms,
        late_after_ms: c.late_after_ms,
        cmcd: Default::default(),
    };
    let (mut book, mut buffer, mut batches) = (Book::new(rules, Memory::default()), Buffer::new(1), Vec::new());
    for (offset, record) in (0..).zip(records) {
        let entry = Entry::read(record, Place { partition: 0, offset }, &Limits::default()).unwrap();
        let _ = book.book(&entry, Wanted { increments: true, events: true }, &mut buffer);
        if (offset as usize + 1).is_multiple_of(commit_every) {
            batches.extend(buffer.take().unwrap().0);
        }
    }
    batches.extend(buffer.take().unwrap().0);
    batches
}

fn moved(event: &Event<'static>, to: u8) -> Event<'static> {
    let mut event = event.clone();
    if let Event::Heartbeat(beat) = &mut event {
        match to {
            0 => beat.programme_id = "p2".into(),
            1 => beat.region = Some("eu".into()),
            2 => beat.region = Some("us".into()),
            3 => beat.user_id = "u2".into(),
            _ => {}
        }
    }
    event
}

fn via(to: u8) -> Option<u32> {
    [(4, 64_500), (5, 64_501)].into_iter().find(|(n, _)| *n == to).map(|(_, asn)| asn)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn rows_that_meet_in_a_batch_say_what_they_said_apart(
        lives in (life(0), life(1), life(2)),
        order in prop::collection::vec(0usize..3, 0..60),
        moves in prop::collection::vec(0u8..12, 60),
        every in 2usize..40,
    ) {
        let mut left = [lives.0, lives.1, lives.2].map(|l| l.events.into_iter());
        let turns = order.into_iter().chain((0..3).flat_map(|life| [life; 14]));
        let events: Vec<_> = turns.filter_map(|life| left[life].next()).collect();
        let records: Vec<_> = events.iter().zip(moves.iter().chain(std::iter::repeat(&9))).map(|(e, to)| record_via(via(*to), &moved(e, *to))).collect();
        let (apart, together) = (booked(&records, 1), booked(&records, every));
        prop_assert_eq!(said(&apart), said(&together));
        let rows = |batches: &[RecordBatch]| batches.iter().map(RecordBatch::num_rows).sum::<usize>();
        prop_assert!(rows(&together) <= rows(&apart));
    }
}

#[test]
fn heartbeats_of_one_window_are_one_row_and_nothing_is_added_to_what_is_committed() {
    let beat = |n: u64| record(&heartbeat("s", n, T0 + n as i64 * 1_000, T0, vec![counted("cdn-a", T0, n)]), 0, 0);
    let records: Vec<_> = (1..=20).map(beat).collect();
    let batches = booked(&records, 10);
    assert_eq!(batches.iter().map(RecordBatch::num_rows).collect::<Vec<_>>(), [1, 1]);
    let bytes = |batch: &RecordBatch| batch.column_by_name("bytes").unwrap().as_primitive::<Int64Type>().value(0);
    assert_eq!(batches.iter().map(bytes).collect::<Vec<_>>(), [10_007, 10_000]);

    // A player that moves to another network and back: two rows, then a third, since only neighbours meet.
    let moves = [None, None, Some(64_500), Some(64_500), Some(64_501), None];
    let beat = |(n, asn): (u64, Option<u32>)| record_via(asn, &heartbeat("m", n, T0 + n as i64 * 1_000, T0, vec![counted("cdn-a", T0, n)]));
    let batch = booked(&(1..).zip(moves).map(beat).collect::<Vec<_>>(), 100).remove(0);
    let networks: Vec<_> = batch.column_by_name("asn").unwrap().as_primitive::<Int64Type>().iter().collect();
    assert_eq!(networks, [None, Some(64_500), Some(64_501), None]);
}
