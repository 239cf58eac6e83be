//! What a reconciliation compares: the client's bytes, the vendor's log by what is known of its sessions, sessions
//! whose end never came, and the invoice's lines.

use super::ReconcileError;
use super::lines::LINES_MAX;
use crate::contract::Contract;
use crate::period::Period;
use crate::series::{Basis, Place, SeriesError, Traffic};
use rust_decimal::Decimal;

/// All that is known. All series are of `period`, which lies within the contract's validity.
#[derive(Debug, Clone, Copy)]
pub struct Sides<'a> {
    pub contract: &'a Contract,
    pub period: &'a Period,
    pub client: &'a Traffic,
    pub log: Option<&'a LogSide>,
    /// Sessions without an end.
    pub tails: &'a [Tail],
    pub invoice: Option<&'a InvoiceSide>,
    /// The log's bytes (without a log: the client's) over the windows of `period.in_zone(UTC)`: the same dates, with
    /// days cut in UTC. Without them, a wrong zone is not looked for.
    pub utc: Option<&'a Traffic>,
}

impl Sides<'_> {
    pub(super) fn admit(&self) -> Result<(), ReconcileError> {
        let Some(invoice) = self.invoice else { return Ok(()) };
        if invoice.currency != self.contract.currency {
            return Err(ReconcileError::Currency { invoice: invoice.currency.clone(), contract: self.contract.currency.clone() });
        }
        match invoice.lines.len() {
            lines if lines > LINES_MAX => Err(ReconcileError::TooManyLines { lines }),
            _ => Ok(()),
        }
    }
}

/// A vendor's log, its bytes parted by what the ledger knows of the session that each line names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogSide {
    /// Whether the log carries session ids at all. If not, all of it is `anonymous`.
    pub session_ids: bool,
    /// Lines of sessions in the ledger.
    pub known: Traffic,
    /// Lines with a session id that the ledger never saw.
    pub unseen: Traffic,
    /// Lines without a session id.
    pub anonymous: Traffic,
}

impl LogSide {
    pub fn new(session_ids: bool) -> LogSide {
        let none = || Traffic::new(Basis::Log);
        LogSide { session_ids, known: none(), unseen: none(), anonymous: none() }
    }

    /// The log as a whole.
    pub fn all(&self) -> Result<Traffic, SeriesError> {
        let mut all = Traffic::new(Basis::Log);
        for part in [&self.known, &self.unseen, &self.anonymous] {
            for (place, series) in &part.places {
                match all.places.get_mut(place) {
                    Some(sum) => sum.add_all(series)?,
                    None => drop(all.places.insert(place.clone(), series.clone())),
                }
            }
        }
        Ok(all)
    }
}

/// A session on one CDN whose end never came: what it received after its last heartbeat is not in the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tail {
    pub place: Place,
    /// Window of its last heartbeat.
    pub window: usize,
    /// Its bytes in the log after its last counter, where the log has session ids: exact.
    pub logged_after: Option<u64>,
    /// Its bytes at the last heartbeat, and how long it had lived: its rate, where `logged_after` is not known.
    pub bytes: u64,
    pub lived_ms: u64,
    pub heartbeat_ms: u64,
}

/// An invoice as far as it is compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvoiceSide {
    /// ISO 4217.
    pub currency: String,
    pub lines: Vec<InvoiceLine>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvoiceLine {
    /// Of the file, to find it again.
    pub row: u64,
    pub item: String,
    pub place: Place,
    /// What it is for: ms since 1970 UTC, the end exclusive.
    pub from_ms: i64,
    pub to_ms: i64,
    pub quantity: Option<Decimal>,
    /// As written; none: the contract's.
    pub unit: Option<String>,
    pub price: Option<Decimal>,
    pub amount: Decimal,
}
