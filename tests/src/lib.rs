//! What the black-box tests and the benches stand on: real brokers, the real binaries, a small HTTP
//! client. Nothing here knows the inside of a service; everything here ends what it has started.
//!
//! * [`wait`]      polling with a deadline, instead of sleeping and hoping
//! * [`process`]   one child process: its log, its end, its end when the test is killed
//! * [`ports`]     free ports that nobody else is given
//! * [`binary`]    where the built `livemeter` and `livemeter-broker` are
//! * [`brokers`]   Apache Kafka and the embedded broker: start, stop, kill -9, restart
//! * [`kafka`]     a client's side: topics, a producer, reading everything back
//! * [`faults`]    the processor killed, cut off and raced against itself, with a log to compare with
//! * [`http`]      posts and gets
//! * [`wire`]      raw bytes on one connection, and what came back
//! * [`tls`]       a certificate of one's own, and who trusts it
//! * [`tree`]      ingest, processor and query around one broker
//! * [`apps`]      a file of apps, its keys and tokens, made by the tools
//! * [`edge`]      ingest alone, under attack: raw bytes in, and what must hold afterwards
//! * [`up`]        the whole tree as `livemeter up` starts it
//! * [`audience`]  events as a player posts them, and what must come out of them
//! * [`truth`]     the reports against the truth of a simulated audience

pub mod apps;
pub mod audience;
pub mod binary;
pub mod brokers;
pub mod edge;
pub mod faults;
pub mod http;
pub mod kafka;
pub mod ports;
pub mod process;
pub mod tls;
pub mod tree;
pub mod truth;
pub mod up;
pub mod wait;
pub mod wire;
