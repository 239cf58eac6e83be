//! The subcommands of services and clients, with a flag for each setting that concerns them. What they do is
//! elsewhere; the tools over the ledger and the dead letters are in [`super::tools`].

use super::{bills, identity, tools};
use crate::settings::SETTINGS;
use clap::{Arg, ArgAction, Command};
use std::path::PathBuf;

pub fn command() -> Command {
    Command::new("livemeter")
        .about("The independent meter for live video over several CDNs")
        .version(env!("CARGO_PKG_VERSION"))
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(
            service("up", &["up"], "Start everything on this machine: broker, ingest, processor, query, console, a simulated audience")
                .arg(Arg::new("kafka").long("kafka").value_name("HOST:PORT").help("Use this Kafka cluster instead of the embedded broker"))
                .after_help("Examples:\n  livemeter up\n  livemeter up --viewers 0 --data /srv/livemeter\n  livemeter up --kafka kafka-1:9092"),
        )
        .subcommand(
            service("ingest", &["ingest", "kafka", "telemetry"], "HTTP to Kafka: what players post to")
                .arg(Arg::new("check-config").long("check-config").action(ArgAction::SetTrue).help("Check settings and the file of apps, print what would be in force, and end; exits 2 when something is wrong"))
                .after_help("Example:\n  livemeter ingest --listen 0.0.0.0:8700 --brokers kafka-1:9092,kafka-2:9092\n  livemeter ingest --apps-file apps.toml --check-config"),
        )
        .subcommand(
            service("process", &["processor", "kafka", "ledger"], "Kafka to the ledger")
                .after_help("Example:\n  livemeter process --brokers kafka-1:9092 --ledger /srv/livemeter/ledger"),
        )
        .subcommand(
            service("query", &["query", "ledger", "bills"], "Answers from the ledger: SQL, reports, the console")
                .after_help("Example:\n  livemeter query --ledger /srv/livemeter/ledger --listen 127.0.0.1:8701"),
        )
        .subcommand(
            service("derive", &["ledger"], "Refresh the tables made from the ledger: traffic_5m, usage_daily, sessions, stalls")
                .arg(Arg::new("rebuild").long("rebuild").action(ArgAction::SetTrue).help("Make every date anew, not only what has changed"))
                .arg(
                    Arg::new("table")
                        .long("table")
                        .value_name("NAME")
                        .action(ArgAction::Append)
                        .value_parser(clap::builder::PossibleValuesParser::new(livemeter_schemas::derived::TABLES))
                        .help("Only this table; may be given several times"),
                )
                .arg(Arg::new("json").long("json").action(ArgAction::SetTrue).help("One JSON object a table"))
                .after_help("Examples:\n  livemeter derive --ledger /srv/livemeter/ledger\n  livemeter derive --rebuild --table sessions\n  livemeter derive --json | jq .reflects"),
        )
        .subcommand(
            service("simulate", &["simulate"], "A simulated audience that posts to ingest, with its own ground truth")
                .after_help("Example:\n  livemeter simulate --viewers 1000 --duration 60s --truth truth.json"),
        )
        .subcommand(
            Command::new("topics").about("Kafka topics").subcommand_required(true).arg_required_else_help(true).subcommand(
                service("create", &["kafka"], "Create the topics with sound settings; those that exist are left alone")
                    .after_help("Example:\n  livemeter topics create --brokers kafka-1:9092 --partitions 24 --replication 3"),
            )
            .subcommand(
                service("repartition", &["kafka", "ledger", "processor"], "More partitions for the events' topic, once everything on it is booked")
                    .after_help("Stop ingest first. Example:\n  livemeter topics repartition --brokers kafka-1:9092 --partitions 24 --ledger /srv/livemeter/ledger"),
            ),
        )
        .subcommand(identity::apps())
        .subcommand(identity::privacy())
        .subcommands(tools::commands())
        .subcommands(bills::commands())
        .subcommand(
            common(Command::new("sql").about("Ask the ledger in SQL; prints a table"))
                .arg(Arg::new("sql").required(true).value_name("SQL").help("One SELECT; - reads it from standard input"))
                .arg(Arg::new("server").long("server").value_name("URL").default_value("http://127.0.0.1:8701").env("LIVEMETER_SERVER").help("The query service"))
                .arg(Arg::new("format").long("format").value_parser(["table", "json", "csv"]).default_value("table").help("How to print"))
                .arg(Arg::new("json").long("json").action(ArgAction::SetTrue).help("The same as --format json"))
                .after_help("Examples:\n  livemeter sql \"SELECT cdn, SUM(bytes) AS bytes FROM increments GROUP BY cdn\"\n  livemeter sql --format csv \"SELECT * FROM events LIMIT 10\" > events.csv"),
        )
        .subcommand(common(Command::new("settings").about("Print every setting as it is in force, as TOML")))
        .subcommand(
            Command::new("completions")
                .about("Shell completions on standard output")
                .arg(Arg::new("shell").required(true).value_parser(clap::value_parser!(clap_complete::Shell)))
                .after_help("Example:\n  livemeter completions bash > /etc/bash_completion.d/livemeter"),
        )
}

/// A subcommand with a flag for each setting of the sections; the first section's flags win.
pub(super) fn service(name: &'static str, sections: &[&'static str], about: &'static str) -> Command {
    let mut command = common(Command::new(name).about(about));
    for section in sections {
        for setting in SETTINGS.iter().filter(|s| s.section() == *section) {
            let variable = format!("LIVEMETER_{}", setting.key.replace('.', "_").to_uppercase());
            command = command.arg(
                Arg::new(setting.key)
                    .long(setting.flag)
                    .value_name("VALUE")
                    .allow_hyphen_values(true)
                    .help(format!("{} [{variable}]", setting.help))
                    .long_help(format!(
                        "{}\nAccepted: {}\nAlso {variable}, or {} in the file.",
                        setting.help,
                        setting.kind.accepts(),
                        setting.key
                    )),
            );
        }
    }
    command
}

/// What every subcommand takes.
pub(super) fn common(command: Command) -> Command {
    command
        .arg(
            Arg::new("config")
                .long("config")
                .value_name("FILE")
                .value_parser(clap::value_parser!(PathBuf))
                .env("LIVEMETER_CONFIG")
                .help("A TOML file of settings"),
        )
        .arg(
            Arg::new("log")
                .long("log")
                .value_name("LEVEL")
                .default_value("info")
                .env("LIVEMETER_LOG")
                .help("error, warn, info, debug or trace"),
        )
        .arg(Arg::new("log-json").long("log-json").action(ArgAction::SetTrue).help("Log as JSON, one object a line"))
        .arg(
            Arg::new("die-with-parent")
                .long("die-with-parent")
                .value_name("PID")
                .num_args(0..=1)
                .default_missing_value("0")
                .value_parser(clap::value_parser!(i32))
                .hide(true),
        )
}
