//! Whether a report is the next of its session, a repeat, or late. A reporter numbers its reports (`sn`) from 0; a
//! player that loads again may begin anew under the same session id, so a low number with a later time than ever is
//! the first of a new numbering, and not a repeat.

use super::Known;

/// How a report that is not late follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    Next,
    /// The first of a new numbering.
    Anew,
}

/// None: late, or seen already. Times of responses are those of their requests, and prove nothing.
pub fn turn(before: &Known, sn: u64, ts_ms: i64, response: bool) -> Option<Turn> {
    let Some(newest) = before.sn else { return Some(Turn::Next) };
    if sn > newest {
        let of_before = before.anew_at_ms.is_some_and(|anew| ts_ms < anew);
        return (!of_before).then_some(Turn::Next);
    }
    let later = before.ts_ms_max.is_some_and(|latest| ts_ms > latest);
    (later && !response).then_some(Turn::Anew)
}

impl Turn {
    /// Notes the report's place.
    pub fn apply(self, known: &mut Known, sn: u64, ts_ms: i64, response: bool) {
        known.sn = Some(sn);
        if response {
            return;
        }
        known.ts_ms = Some(ts_ms);
        known.ts_ms_max = known.ts_ms_max.max(Some(ts_ms));
        if self == Turn::Anew {
            known.anew_at_ms = Some(ts_ms);
        }
    }
}
