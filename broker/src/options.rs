//! The flags and what they accept. Nothing here opens anything.

use std::net::SocketAddr;
use std::path::PathBuf;

/// One Kafka-compatible node on one SQLite file: the broker that `livemeter up` starts when it is
/// given no Kafka cluster.
#[derive(Debug, clap::Parser)]
#[command(version, after_help = EXAMPLES)]
pub struct Options {
    /// Address to listen on: a literal IP address and port (0 picks a free port). Names are refused.
    #[arg(long, default_value = "127.0.0.1:8709", value_parser = literal_address)]
    pub listen: SocketAddr,

    /// Folder of the broker's data: created when missing, used by one broker at a time.
    #[arg(long, default_value = "./data/broker")]
    pub data: PathBuf,

    /// The cluster's id. Default: generated at the first start and kept in the data folder.
    #[arg(long)]
    pub cluster_id: Option<String>,

    /// When an acknowledged record is on the disk itself.
    #[arg(long, value_enum, default_value_t = Sync::Always)]
    pub sync: Sync,

    /// End when the process that started this one ends, however it ends.
    #[arg(long)]
    pub die_with_parent: bool,

    /// What is logged to stderr, such as `info` or `warn,tansu_broker=debug`.
    #[arg(long, default_value = "warn", env = "LIVEMETER_BROKER_LOG")]
    pub log: String,
}

/// What an acknowledgement promises.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Sync {
    /// Before the acknowledgement: it survives kill -9 and a power cut.
    Always,
    /// Later, by SQLite: it survives kill -9, but a power cut may take the last records.
    Later,
}

const EXAMPLES: &str = "\
Examples:
  livemeter-broker
  livemeter-broker --listen 127.0.0.1:9092 --data /var/lib/livemeter/broker
  livemeter-broker --log info --sync later

There is no authentication and no encryption: leave it on 127.0.0.1.
Records are deleted only when a client asks for it (DeleteRecords), never by age or size.";

/// `localhost` or any other name may mean several addresses, or all of them: only a literal will do.
fn literal_address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| format!("{text:?} is not a literal address; give an IP address and a port, such as 127.0.0.1:8709"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[test]
    fn names_are_refused_and_literals_taken() {
        for name in ["localhost:8709", "example.com:1", ":8709", "8709", "127.0.0.1"] {
            let refusal = Options::try_parse_from(["livemeter-broker", "--listen", name]).unwrap_err().to_string();
            assert!(refusal.contains("is not a literal address"), "{refusal}");
        }
        let options = Options::try_parse_from(["livemeter-broker", "--listen", "127.0.0.1:0"]).unwrap();
        assert_eq!((options.listen.port(), options.sync), (0, Sync::Always));
    }
}
