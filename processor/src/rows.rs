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
    /// Everything else of the row.
    pub entry: &'a Entry<'a>,
}

/// Where the book puts its rows.
pub trait Rows {
    fn increment(&mut self, row: IncrementRow<'_>);
    /// One row of `events`, which holds the event as it is.
    fn event(&mut self, entry: &Entry<'_>, late: bool);
}
