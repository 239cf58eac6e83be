//! The text of metrics → counts by cause. Pure. Only counters of the contract are looked at, and only words that look
//! like causes are taken: what stands at a configured address may be anything.

use livemeter_schemas::refusals::{COUNTED, Counted, RefusalRow, What};
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// Causes are words of the services' own sets, about sixty in all; whatever names more is no service of ours.
const ROWS_MAX: usize = 200;
const CAUSE_BYTES_MAX: usize = 40;

/// Adds up what these texts count; the largest first within each kind.
pub fn rows<'t>(texts: impl Iterator<Item = &'t str>) -> Vec<RefusalRow> {
    let mut counts: BTreeMap<(&'static str, What, &str), u64> = BTreeMap::new();
    for line in texts.flat_map(str::lines) {
        let Some((counted, cause, count)) = COUNTED.iter().find_map(|counted| read(counted, line)) else { continue };
        let key = (counted.by, counted.what, cause);
        if count > 0 && (counts.len() < ROWS_MAX || counts.contains_key(&key)) {
            let sum = counts.entry(key).or_default();
            *sum = sum.saturating_add(count);
        }
    }
    let row = |((by, what, cause), count): ((&str, What, &str), u64)| RefusalRow { by: by.into(), what, cause: cause.into(), count };
    let mut rows: Vec<RefusalRow> = counts.into_iter().map(row).collect();
    rows.sort_by_key(|row| (row.what, Reverse(row.count)));
    rows
}

/// `name{label="cause"} 3` or `name 3`.
fn read<'t>(counted: &Counted, line: &'t str) -> Option<(Counted, &'t str, u64)> {
    let rest = line.strip_prefix(counted.metric)?;
    let (cause, rest) = match counted.label {
        Some(label) => rest.strip_prefix('{')?.strip_prefix(label)?.strip_prefix("=\"")?.split_once("\"}")?,
        None => (counted.cause, rest),
    };
    // A timestamp or an exemplar may follow the number.
    let count = rest.strip_prefix(' ')?.split(' ').next()?.parse().ok()?;
    (counted.label.is_none() || is_cause(cause)).then_some((*counted, cause, count))
}

fn is_cause(text: &str) -> bool {
    (1..=CAUSE_BYTES_MAX).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// In the order of the contract's list.
    fn names() -> [&'static str; 8] {
        COUNTED.map(|counted| counted.metric)
    }

    fn of_ingest() -> String {
        let [events, requests, _, connections, of_address, letters, ..] = names();
        format!(
            "# HELP {events} Events refused, by cause.\n{events}{{code=\"too_long\"}} 3\n{events}{{code=\"clock\"}} 0\n\
             {requests}{{error=\"busy\"}} 2\n{requests}{{error=\"key_refused\"}} 40 1760000000.0\n{connections} 7\n{of_address} 1\n\
             {letters}{{outcome=\"kept\"}} 2\nevents_accepted_total 1000\n# EOF\n"
        )
    }

    fn told(texts: &[&str]) -> Vec<(String, What, String, u64)> {
        rows(texts.iter().copied()).into_iter().map(|r| (r.by, r.what, r.cause, r.count)).collect()
    }

    #[test]
    fn counts_are_read_by_cause_and_added_up_over_services() {
        let row = |by: &str, what, cause: &str, count| (by.to_owned(), what, cause.to_owned(), count);
        let [.., records, record_letters] = names();
        let processor = format!("{records}{{code=\"counter_fell\"}} 5\n{record_letters}{{outcome=\"taken\"}} 5\n");
        assert_eq!(
            told(&[&of_ingest(), &of_ingest(), &processor]),
            [
                row("ingest", What::Connection, "connections_max", 14),
                row("ingest", What::Connection, "address_connections_max", 2),
                row("ingest", What::Request, "key_refused", 80),
                row("ingest", What::Request, "busy", 4),
                row("ingest", What::Event, "too_long", 6),
                row("processor", What::Record, "counter_fell", 5),
                row("processor", What::DeadLetter, "taken", 5),
                row("ingest", What::DeadLetter, "kept", 4),
            ]
        );
    }

    #[test]
    fn what_is_no_count_of_ours_is_passed_over() {
        let [events, _, _, connections, ..] = names();
        for text in [
            String::new(),
            "<html>".into(),
            format!("{events} 3"),
            format!("{events}{{code=\"<script>\"}} 3"),
            format!("{events}{{code=\"too_long\",app=\"x\"}} 3"),
            format!("{events}{{error=\"too_long\"}} 3"),
            format!("{events}{{code=\"too_long\"}} -3"),
            format!("{events}{{code=\"too_long\"}} NaN"),
            format!("{events}{{code=\"too_long\"}}"),
            format!("{connections}_x 3"),
        ] {
            assert!(told(&[&text]).is_empty(), "{text}");
        }
        let many: String = (0..10_000).map(|n| format!("{events}{{code=\"c{n}\"}} 1\n")).collect();
        assert_eq!(told(&[&many]).len(), ROWS_MAX);
        let most = format!("{events}{{code=\"a\"}} {}\n", u64::MAX);
        assert_eq!(told(&[&most, &most])[0].3, u64::MAX);
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_harm(pieces in prop::collection::vec((any::<bool>(), "[{}=\" a-z0-9\n]{0,6}"), 0..40)) {
            let piece = |(name, rest): &(bool, String)| format!("{}{rest}", if *name { names()[0] } else { "" });
            let text: String = pieces.iter().map(piece).collect();
            prop_assert!(rows([text.as_str()].into_iter()).len() <= ROWS_MAX);
        }
    }
}
