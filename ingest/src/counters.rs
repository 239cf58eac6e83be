//! Cumulative counters that fall within one batch: at a higher `seq` of the same session, a CDN's
//! counter may not be lower than before. Pure. What was seen in earlier batches is the processor's.

use crate::batch::Judged;
use livemeter_schemas::event::Counters;
use livemeter_schemas::refusal::{Code, Refusal};
use std::collections::HashMap;

const FIELDS: [&str; 5] = ["bytes", "aborted_bytes", "play_ms", "stall_ms", "stalls"];

/// One accepted event that carries counters.
struct Reading<'e> {
    /// The session's first bytes: nearly always enough to tell two apart.
    beginning: u64,
    session: &'e str,
    seq: u64,
    index: usize,
    counters: &'e [Counters<'e>],
}

/// The highest counters of one CDN, each with the `seq` that brought it.
type Highest = [(u64, u64); FIELDS.len()];

/// The events to refuse, by their index in the batch. An event that is refused raises nothing.
pub fn falls(events: &[Judged]) -> Vec<(usize, Refusal)> {
    let mut readings: Vec<Reading> = events.iter().enumerate().filter_map(|(index, judged)| reading(index, judged)).collect();
    let mut refused = Vec::new();
    if readings.len() < 2 {
        return refused;
    }
    readings.sort_unstable_by_key(|r| (r.beginning, r.session, r.seq, r.index));
    let sessions = readings.chunk_by(|a, b| a.session == b.session);
    for session in sessions.filter(|readings| readings.len() > 1) {
        let mut highest: HashMap<&str, Highest> = HashMap::new();
        // Events of one seq are judged against what came before them, not against each other.
        for same_seq in session.chunk_by(|a, b| a.seq == b.seq) {
            let verdicts: Vec<_> = same_seq.iter().map(|r| fall(r, &highest)).collect();
            for (reading, verdict) in same_seq.iter().zip(verdicts) {
                match verdict {
                    Some(refusal) => refused.push((reading.index, refusal)),
                    None => raise(reading, &mut highest),
                }
            }
        }
    }
    refused
}

fn reading<'e>(index: usize, judged: &'e Judged) -> Option<Reading<'e>> {
    let event = judged.verdict.as_ref().ok()?;
    let (head, counters) = (event.head(), event.counters());
    (!counters.is_empty()).then_some(Reading {
        beginning: beginning(head.session_id),
        session: head.session_id,
        seq: head.seq,
        index,
        counters,
    })
}

fn beginning(session: &str) -> u64 {
    session.bytes().take(8).fold(0, |bytes, b| bytes << 8 | u64::from(b))
}

fn values(c: &Counters) -> [u64; FIELDS.len()] {
    [c.bytes, c.aborted_bytes, c.play_ms, c.stall_ms, c.stalls]
}

fn fall(reading: &Reading, highest: &HashMap<&str, Highest>) -> Option<Refusal> {
    reading.counters.iter().enumerate().find_map(|(i, c)| {
        let before = highest.get(c.cdn.as_ref())?;
        let fallen = values(c).into_iter().zip(before).zip(FIELDS).find(|((now, (was, _)), _)| now < was);
        let ((now, (was, at)), name) = fallen?;
        let field = format!("counters[{i}].{name}");
        let reason =
            format!("{field} of CDN {:?} is {now} at seq {}; it was {was} at seq {at} and counters never fall", c.cdn, reading.seq);
        let refusal = Refusal::new(Code::CounterFell, field, reason);
        Some(Refusal { value: i64::try_from(now).ok(), limit: i64::try_from(*was).ok(), ..refusal })
    })
}

fn raise<'e>(reading: &Reading<'e>, highest: &mut HashMap<&'e str, Highest>) {
    for c in reading.counters {
        let known = highest.entry(c.cdn.as_ref()).or_insert([(0, 0); FIELDS.len()]);
        for (highest, now) in known.iter_mut().zip(values(c)) {
            if now >= highest.0 {
                *highest = (now, reading.seq);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use livemeter_schemas::event::Event;
    use proptest::prelude::*;

    fn heartbeat(session: &str, seq: u64, cdn: &str, bytes: u64) -> String {
        format!(
            r#"{{"type":"heartbeat","session_id":"{session}","seq":{seq},"at_ms":0,"user_id":"u","programme_id":"p",
            "session_started_at_ms":0,"state":"p","counters":[{{"cdn":"{cdn}","first_used_at_ms":0,"bytes":{bytes},"play_ms":0,"stall_ms":0,"stalls":0}}]}}"#
        )
    }

    fn judged(texts: &[String]) -> Vec<Judged<'_>> {
        texts.iter().map(|text| Judged { text, verdict: livemeter_schemas::decode::parse(text) }).collect()
    }

    fn refused(texts: &[String]) -> Vec<usize> {
        let mut indexes: Vec<usize> = falls(&judged(texts)).into_iter().map(|(index, _)| index).collect();
        indexes.sort_unstable();
        indexes
    }

    #[test]
    fn a_fall_is_refused_at_the_higher_seq_wherever_it_stands() {
        let beats = [heartbeat("s", 3, "a", 50), heartbeat("s", 1, "a", 100), heartbeat("s", 2, "a", 120)];
        let found = falls(&judged(&beats));
        let (index, refusal) = &found[0];
        assert_eq!((found.len(), *index, refusal.code), (1, 0, Code::CounterFell));
        assert_eq!(refusal.field.as_deref(), Some("counters[0].bytes"));
        assert_eq!((refusal.value, refusal.limit), (Some(50), Some(120)));
        assert!(refusal.reason.contains("at seq 3; it was 120 at seq 2"), "{}", refusal.reason);
    }

    #[test]
    fn other_sessions_other_cdns_and_repeats_are_no_falls() {
        assert!(refused(&[heartbeat("s", 1, "a", 100), heartbeat("t", 2, "a", 50)]).is_empty());
        assert!(refused(&[heartbeat("s", 1, "a", 100), heartbeat("s", 2, "b", 50)]).is_empty());
        assert!(refused(&[heartbeat("s", 1, "a", 100), heartbeat("s", 1, "a", 100), heartbeat("s", 2, "a", 100)]).is_empty());
    }

    #[test]
    fn a_refused_fall_raises_nothing() {
        let beats = [heartbeat("s", 1, "a", 100), heartbeat("s", 2, "a", 90), heartbeat("s", 3, "a", 95), heartbeat("s", 4, "a", 100)];
        assert_eq!(refused(&beats), [1, 2]);
    }

    proptest! {
        /// Against the definition, spelled out slowly.
        #[test]
        fn falls_are_exactly_those_of_the_definition(beats in proptest::collection::vec((0..2u8, 0..6u64, 0..2u8, 0..4u64), 0..12)) {
            let texts: Vec<String> = beats.iter().map(|(s, seq, cdn, bytes)| heartbeat(&s.to_string(), *seq, &cdn.to_string(), *bytes)).collect();
            let mut order: Vec<usize> = (0..beats.len()).collect();
            order.sort_by_key(|i| (beats[*i].1, *i));
            let (mut expected, mut kept): (Vec<usize>, Vec<usize>) = (vec![], vec![]);
            for i in order {
                let (s, seq, cdn, bytes) = beats[i];
                let fell = kept.iter().any(|k| beats[*k].0 == s && beats[*k].2 == cdn && beats[*k].1 < seq && beats[*k].3 > bytes);
                if fell { expected.push(i) } else { kept.push(i) }
            }
            expected.sort_unstable();
            prop_assert_eq!(refused(&texts), expected);
            prop_assert!(judged(&texts).iter().all(|j| matches!(j.verdict, Ok(Event::Heartbeat(_)))));
        }
    }
}
