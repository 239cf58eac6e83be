//! The shape of rows before they are columns, borrowed from the event they come from.
//! Which rows there are is decided in [`crate::book`]; columns are made in [`crate::buffer`].

use crate::entry::Entry;
use crate::split::Amounts;

/// One row of `increments`.
#[derive(Debug, Clone, Copy)]
pub struct IncrementRow<'a> {
    pub window_start_ms: i64,
    pub cdn: &'a str,
    /// What this row adds.
    pub added: Amounts,
    /// The cumulative counters of its (session, CDN) after this row.
    pub reached: Amounts,
    /// Corrected time of the counters; never before that of an earlier `seq`.
    pub at_ms: i64,
    /// The amounts imply more than a player can receive.
    pub quarantined: bool,
    /// The record came long after this row's window had closed.
    pub late: bool,
    /// Where the last row of its (session, CDN) stands.
    pub last: RowRef,
    /// Everything else of the row.
    pub entry: &'a Entry<'a>,
}

/// Where a row stands among those not committed yet. A hint, and no part of what is remembered of a session: it is
/// equal to any other.
#[derive(Debug, Clone, Copy, Default)]
pub struct RowRef {
    /// Counts from 1; 0 is no batch.
    pub batch: u32,
    pub row: u32,
}

impl PartialEq for RowRef {
    fn eq(&self, _: &RowRef) -> bool {
        true
    }
}

impl Eq for RowRef {}

/// Where the book puts its rows.
pub trait Rows {
    /// Takes one row in, and says where it stands: in a place of its own, or as part of the last one.
    fn increment(&mut self, row: IncrementRow<'_>) -> RowRef;
    /// One row of `events`, which holds the event as it is.
    fn event(&mut self, entry: &Entry<'_>, late: bool);
}
