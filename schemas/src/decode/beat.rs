//! A heartbeat as the SDKs write it: the contract's members in their order, no space, nothing escaped. Nearly all that
//! ingest and the processor ever read looks so, hence a reader of its own, at a quarter of serde's cost. None says
//! nothing but "look closely": what any other text is, is for serde to say. What both read is the same; the tests
//! here and the fuzz targets hold one against the other.

use crate::event::{Counters, Heartbeat, State};
use crate::plain;
use serde::Deserialize;
use serde::de::value::{BorrowedStrDeserializer, Error};
use std::borrow::Cow;

/// The heartbeat that `json` begins with, and what follows it.
pub fn first(json: &str) -> Option<(Heartbeat<'_>, &str)> {
    let (session_id, rest) = text(json, "{\"type\":\"heartbeat\",\"session_id\":\"")?;
    let (seq, rest) = count(rest, ",\"seq\":")?;
    let (at_ms, rest) = integer(rest, ",\"at_ms\":")?;
    let (user_id, rest) = text(rest, ",\"user_id\":\"")?;
    let (programme_id, rest) = text(rest, ",\"programme_id\":\"")?;
    let (region, rest) = match text(rest, ",\"region\":\"") {
        Some((region, rest)) => (Some(region), rest),
        None => (None, rest),
    };
    let (session_started_at_ms, mut rest) = integer(rest, ",\"session_started_at_ms\":")?;
    // The order of these three differs between the SDKs.
    let (mut state, mut cdn, mut counters) = (None, None, None);
    while !rest.starts_with('}') {
        if let Some((word, behind)) = text(rest, ",\"state\":\"").filter(|_| state.is_none()) {
            (state, rest) = (Some(State::deserialize(BorrowedStrDeserializer::<Error>::new(word)).ok()?), behind);
        } else if let Some((name, behind)) = text(rest, ",\"cdn\":\"").filter(|_| cdn.is_none()) {
            (cdn, rest) = (Some(Cow::Borrowed(name)), behind);
        } else {
            let list = rest.strip_prefix(",\"counters\":[").filter(|_| counters.is_none())?;
            let (all, behind) = all_counters(list)?;
            (counters, rest) = (Some(all), behind);
        }
    }
    let heartbeat = Heartbeat {
        session_id: Cow::Borrowed(session_id),
        seq,
        at_ms,
        user_id: Cow::Borrowed(user_id),
        programme_id: Cow::Borrowed(programme_id),
        region: region.map(Cow::Borrowed),
        session_started_at_ms,
        state: state?,
        cdn,
        counters: counters?,
    };
    Some((heartbeat, rest.strip_prefix('}')?))
}

/// A list behind its bracket.
fn all_counters(mut rest: &str) -> Option<(Vec<Counters<'_>>, &str)> {
    let mut all = Vec::new();
    if let Some(rest) = rest.strip_prefix(']') {
        return Some((all, rest));
    }
    loop {
        let (one, behind) = counters(rest)?;
        all.push(one);
        match behind.strip_prefix(',') {
            Some(behind) => rest = behind,
            None => return Some((all, behind.strip_prefix(']')?)),
        }
    }
}

fn counters(json: &str) -> Option<(Counters<'_>, &str)> {
    let (cdn, rest) = text(json, "{\"cdn\":\"")?;
    let (first_used_at_ms, rest) = integer(rest, ",\"first_used_at_ms\":")?;
    let (bytes, rest) = count(rest, ",\"bytes\":")?;
    let (aborted_bytes, rest) = count(rest, ",\"aborted_bytes\":")?;
    let (play_ms, rest) = count(rest, ",\"play_ms\":")?;
    let (stall_ms, rest) = count(rest, ",\"stall_ms\":")?;
    let (stalls, rest) = count(rest, ",\"stalls\":")?;
    let counters = Counters { cdn: Cow::Borrowed(cdn), first_used_at_ms, bytes, aborted_bytes, play_ms, stall_ms, stalls };
    Some((counters, rest.strip_prefix('}')?))
}

fn text<'a>(rest: &'a str, member: &str) -> Option<(&'a str, &'a str)> {
    plain::text(rest.strip_prefix(member)?)
}

fn integer<'a>(rest: &'a str, member: &str) -> Option<(i64, &'a str)> {
    plain::integer(rest.strip_prefix(member)?)
}

fn count<'a>(rest: &'a str, member: &str) -> Option<(u64, &'a str)> {
    let (n, rest) = integer(rest, member)?;
    Some((u64::try_from(n).ok()?, rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Event;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    /// What the contract makes of a text, whatever it looks like.
    fn by_serde(text: &str) -> Option<Heartbeat<'_>> {
        serde_json::from_str(text).ok()
    }

    /// As the simulator writes it, and as the web SDK does.
    fn written(cdns: usize, region: bool, cdn: bool) -> [String; 2] {
        let counters: Vec<_> = (0..cdns)
            .map(|n| {
                format!(
                    "{{\"cdn\":\"cdn-{n}\",\"first_used_at_ms\":{n},\"bytes\":{},\"aborted_bytes\":0,\"play_ms\":1,\"stall_ms\":2,\"stalls\":3}}",
                    n << 40
                )
            })
            .collect();
        let counters = format!(",\"counters\":[{}]", counters.join(","));
        let region = if region { ",\"region\":\"Île\"" } else { "" };
        let cdn = if cdn { ",\"cdn\":\"cdn-0\"" } else { "" };
        let head = format!(
            "{{\"type\":\"heartbeat\",\"session_id\":\"s\",\"seq\":7,\"at_ms\":-5,\"user_id\":\"u\",\"programme_id\":\"p\"{region},\"session_started_at_ms\":0"
        );
        [format!("{head},\"state\":\"p\"{cdn}{counters}}}"), format!("{head}{counters},\"state\":\"r\"{cdn}}}")]
    }

    fn each() -> Vec<String> {
        let kinds = [0, 1, 2, 16].into_iter().flat_map(|cdns| [(cdns, true, false), (cdns, false, true)]);
        kinds.flat_map(|(cdns, region, cdn)| written(cdns, region, cdn)).collect()
    }

    #[test]
    fn what_the_sdks_write_is_read_here_and_as_serde_reads_it() {
        for text in each() {
            let (beat, rest) = first(&text).unwrap_or_else(|| panic!("{text}"));
            assert_eq!((Some(&beat), rest), (by_serde(&text).as_ref(), ""), "{text}");
            let followed = format!("{text},{{");
            assert_eq!(first(&followed), Some((beat, ",{")));
        }
    }

    #[test]
    fn an_event_written_by_its_own_type_is_read_here() {
        let batch: Value = serde_json::from_str(include_str!("../../golden/v1/heartbeat.batch.json")).unwrap();
        let golden = batch["events"][0].to_string();
        let event = Event::Heartbeat(by_serde(&golden).unwrap());
        let text = serde_json::to_string(&event).unwrap();
        assert_eq!(first(&text).map(|(beat, _)| Event::Heartbeat(beat)), Some(event));
    }

    #[test]
    fn anything_else_is_left_to_serde() {
        let [text, _] = written(1, true, true);
        let spoilt = [
            ("\"seq\":7", "\"seq\":-7"),
            ("\"seq\":7", "\"seq\":7.0"),
            ("\"seq\":7", "\"seq\":07"),
            ("\"seq\":7", "\"seq\": 7"),
            ("\"seq\":7", "\"seq\":99999999999999999999"),
            ("\"state\":\"p\"", "\"state\":\"z\""),
            ("\"state\":\"p\"", "\"state\":\"p\",\"state\":\"p\""),
            ("\"state\":\"p\"", "\"other\":1,\"state\":\"p\""),
            (",\"state\":\"p\"", ""),
            ("\"user_id\":\"u\"", "\"user_id\":\"\\u0075\""),
            ("\"user_id\":\"u\"", "\"user_id\":null"),
            ("\"stalls\":3}", "\"stalls\":3,\"other\":1}"),
            ("\"stalls\":3}", "\"stalls\":3},"),
            ("heartbeat", "stall"),
        ];
        for (good, bad) in spoilt {
            let spoilt = text.replacen(good, bad, 1);
            assert_ne!(spoilt, text);
            assert_eq!(first(&spoilt), None, "{spoilt}");
        }
    }

    /// Each member left out, given twice, and before the one in front of it; in the event and in its counters.
    #[test]
    fn every_member_is_asked_for_once() {
        let counters = [
            "\"cdn\":\"a\"",
            "\"first_used_at_ms\":1",
            "\"bytes\":2",
            "\"aborted_bytes\":3",
            "\"play_ms\":4",
            "\"stall_ms\":5",
            "\"stalls\":6",
        ];
        let counted = |members: &[&str]| format!("\"counters\":[{{{}}}]", members.join(","));
        let whole = counted(&counters);
        let event = [
            "\"type\":\"heartbeat\"",
            "\"session_id\":\"s\"",
            "\"seq\":1",
            "\"at_ms\":2",
            "\"user_id\":\"u\"",
            "\"programme_id\":\"p\"",
            "\"region\":\"r\"",
            "\"session_started_at_ms\":3",
            "\"state\":\"p\"",
            "\"cdn\":\"a\"",
            &whole,
        ];
        let text = |members: &[&str]| format!("{{{}}}", members.join(","));
        let mut taken = vec![];
        for spoilt in spoilt(&event).iter().map(|members| text(members)).chain(spoilt(&counters).iter().map(|members| {
            let counters = counted(members);
            text(&[&event[..10], &[&counters]].concat())
        })) {
            if let Some((beat, "")) = first(&spoilt) {
                assert_eq!(Some(beat), by_serde(&spoilt), "{spoilt}");
                taken.push(spoilt);
            }
        }
        // Without a region, without a CDN, and the last three in two other orders.
        assert_eq!(taken.len(), 4, "{taken:?}");
    }

    fn spoilt<'m>(members: &[&'m str]) -> Vec<Vec<&'m str>> {
        let changed = |at: usize, change: fn(&mut Vec<&'m str>, usize)| {
            let mut members = members.to_vec();
            change(&mut members, at);
            members
        };
        let out = (0..members.len()).map(|at| {
            changed(at, |all, at| {
                all.remove(at);
            })
        });
        let twice = (0..members.len()).map(|at| changed(at, |all, at| all.insert(at, all[at])));
        let before = (1..members.len()).map(|at| changed(at, |all, at| all.swap(at, at - 1)));
        out.chain(twice).chain(before).collect()
    }

    /// The golden event is in some other order when a map has sorted it: serde reads it, this does not.
    #[test]
    fn another_order_is_no_fault() {
        let sorted = json!({"type": "heartbeat", "seq": 1, "session_id": "s", "at_ms": 0, "user_id": "u", "programme_id": "p",
            "session_started_at_ms": 0, "state": "p", "counters": []});
        let text = sorted.to_string();
        assert!(first(&text).is_none() && by_serde(&text).is_some());
    }

    proptest! {
        /// Any change to a heartbeat: what is read here is what serde reads.
        #[test]
        fn no_change_to_a_heartbeat_is_read_in_two_ways(
            which in 0..16usize, at in 0usize..400, with in "[-0-9a-z{}\\[\\]\",:\\\\ é\u{1}]{0,4}", cut in 0usize..6,
        ) {
            let mut text = each().swap_remove(which);
            let at = text.floor_char_boundary(at.min(text.len()));
            let to = text.ceil_char_boundary((at + cut).min(text.len()));
            text.replace_range(at..to, &with);
            if let Some((beat, rest)) = first(&text) {
                let own = &text[..text.len() - rest.len()];
                prop_assert_eq!(Some(beat), by_serde(own), "{}", text);
            }
        }
    }
}
