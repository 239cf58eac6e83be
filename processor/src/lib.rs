//! Kafka → ledger. Counters become additive rows, and the offsets they came from are committed in the
//! same transaction, so that nothing is booked twice and nothing is left out, through any crash.
//! Taking events from clients is not here (`ingest`), nor answering questions (`query`).
//!
//! In the order in which data meets them:
//!
//! * [`config`]    every setting and limit, with its reason
//! * [`error`]     why the processor cannot go on, by cause
//! * [`source`]    records out of Kafka, and the partitions they come from (the only consumer)
//! * [`entry`]     a record's bytes → a checked event with corrected times, or a dead letter
//! * [`split`]     an amount over an interval → exact parts per 5-minute window
//! * [`cmcd`]      CMCD reports → the same counters and events; pure
//! * [`session`]   what is remembered of one session
//! * [`memory`]    all sessions in memory, and the trace of those that left it
//! * [`book`]      the rules: which rows an event becomes; pure
//! * [`tally`]     what became of every record, counted
//! * [`rows`]      the shape of those rows, before they are columns
//! * [`buffer`]    rows → Arrow batches of the two tables
//! * [`sink`]      dead letters into Kafka (the only producer)
//! * [`table`]     batches + offsets → one Delta commit (the only writer of the primary tables)
//! * [`durable`]   makes what was written survive a power cut
//! * [`scan`]      reads a table's own Parquet files, column by column
//! * [`snapshot`]  what the book remembers → a file, and back
//! * [`store`]     where those files are kept
//! * [`recover`]   ledger → what the book has to remember
//! * [`partition`] one partition under work: its book, its place, its accounts
//! * [`worker`]    drives all of the above
//! * [`places`]    what a table's log stores of each partition: offsets and accounts
//! * [`audit`]     does the ledger keep its law: every session, every partition, against the topic
//! * [`decide`]    what was quarantined, and what somebody decided about it
//! * [`erase`]     a user's name leaves the ledger; amounts stay
//! * [`period`]    closed periods: what they held, and what has come since
//! * [`derive`]    the primary tables → derived tables, beside the worker or by command (their only writer)
//! * [`roll`]      roll-up of closed windows, and few files, beside the worker
//! * [`maintain`]  when that happens; checkpoints and clean-up
//! * [`status`]    what the outside may see: metrics and readiness
//! * [`http`]      the admin address
//! * [`run`](mod@run)  the whole processor, from its settings to its end

pub mod audit;
pub mod book;
pub mod buffer;
pub mod cmcd;
pub mod config;
pub mod decide;
pub mod derive;
pub mod durable;
pub mod entry;
pub mod erase;
pub mod error;
pub mod http;
pub mod maintain;
pub mod memory;
pub mod partition;
pub mod period;
pub mod places;
pub mod recover;
pub mod roll;
pub mod rows;
pub mod run;
pub mod scan;
pub mod session;
pub mod sink;
pub mod snapshot;
pub mod source;
pub mod split;
pub mod status;
pub mod store;
pub mod table;
pub mod tally;
pub mod worker;

pub use config::Config;
pub use error::Error;
pub use run::run;
