//! The processor without a broker: its rules by property, its tables and its worker by acting out every
//! crash. One binary, since each would link the whole table engine again. Real Kafka is in `/tests`.

mod book;
mod buffer;
mod client;
mod cmcd;
mod cmcd_ledger;
mod columns;
mod corpus;
mod derive;
mod eviction;
mod group;
mod law;
mod ledger;
mod primary;
mod roll;
mod snapshot;
mod stage;
mod table;
mod worker;
