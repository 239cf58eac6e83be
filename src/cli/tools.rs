//! The subcommands of those who look after the ledger: audit, quarantine, periods, dead letters.

use super::commands::service;
use clap::{Arg, ArgAction, Command, value_parser};

pub(super) fn commands() -> [Command; 5] {
    [audit(), quarantine(), erase(), period(), deadletter()]
}

fn audit() -> Command {
    service("audit", &["audit", "ledger", "kafka"], "Does the ledger keep its law? Every session, every offset, to the byte")
        .args([
            app("Only this app"),
            text("from", "TIME", "Only sessions seen from this time on: 2026-10-01, or RFC 3339 (UTC)"),
            text("to", "TIME", "Only sessions seen before this time"),
            flag("topic", "Read again what the broker still holds, and compare every session with it"),
            flag("offline", "Do not ask the broker: look at the ledger alone"),
            json(),
        ])
        .after_help(
            "Exits 0 when everything agrees, 3 on any difference.\n\
             Examples:\n  livemeter audit\n  livemeter audit --topic --app demo --from 2026-10-01\n  livemeter audit --offline --json | jq .differences",
        )
}

fn quarantine() -> Command {
    let decision = |name: &'static str, about: &'static str| {
        service(name, &["ledger"], about)
            .args([
                app("App of the session").required(true),
                text("session", "ID", "Session to decide on").required(true),
                text("cdn", "CDN", "Only this CDN"),
                text("window", "TIME", "Only the window that starts at this time, RFC 3339"),
                text("by", "NAME", "Who decides").required(true),
                text("why", "TEXT", "Why: it is kept beside the rows").required(true),
                flag("yes", "Do it without asking"),
                json(),
            ])
            .after_help(format!(
                "Example:\n  livemeter quarantine {name} --app demo --session 3f0e --by ada --why 'the player sent megabits for bytes' --yes"
            ))
    };
    Command::new("quarantine")
        .about("Amounts that no player can have received: look at them, release or reject them")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(
            service("list", &["ledger"], "List what is quarantined and not yet decided")
                .args([app("Only this app"), json()])
                .after_help("Example:\n  livemeter quarantine list --json"),
        )
        .subcommand(decision("release", "Let quarantined amounts count"))
        .subcommand(decision("reject", "Refuse quarantined amounts for good"))
}

fn erase() -> Command {
    service("erase", &["ledger", "processor"], "Take a user's name out of the ledger; amounts, and every bill, stay as they are")
        .args([
            app("App of the user").required(true),
            text("user", "ID", "The user, as players sent it").required(true),
            text("by", "NAME", "Who erases").required(true),
            text("why", "TEXT", "Why: it is kept in the table's log").required(true),
            flag("yes", "Do it without asking"),
            json(),
        ])
        .after_help(
            "The name also stands on Kafka, and in replaced files, until their retention is over; derived tables follow with the next \
             `livemeter derive` or by themselves.\n\
             Example:\n  livemeter erase --app demo --user alice --by ada --why 'asked on 2026-11-20' --yes",
        )
}

fn period() -> Command {
    let named = |name: &'static str, sections: &[&'static str], about: &'static str| {
        service(name, sections, about)
            .arg(Arg::new("period").required(true).value_name("PERIOD").help("A month (2026-10) or a day (2026-10-31)"))
            .arg(text("tz", "ZONE", "IANA time zone whose days count, such as Asia/Shanghai").required(true))
    };
    Command::new("period")
        .about("Closed periods: what was billed stays what it was")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(
            named("close", &["period", "ledger"], "Draw the line: totals, offsets and hash are kept; what comes later is an adjustment")
                .args([text("by", "NAME", "Who closes it").required(true), flag("now", "Knowingly before the grace is over"), json()])
                .after_help("Example:\n  livemeter period close 2026-10 --tz Asia/Shanghai --by ada"),
        )
        .subcommand(service("list", &["ledger"], "List closed periods").arg(json()).after_help("Example:\n  livemeter period list"))
        .subcommand(
            named("show", &["ledger"], "Totals at closing, adjustments since, and both together")
                .arg(json())
                .after_help("Example:\n  livemeter period show 2026-10 --tz Asia/Shanghai --json"),
        )
        .subcommand(
            named("verify", &["ledger"], "Compute the totals within the line again; exits 3 when they differ from those kept")
                .arg(json())
                .after_help("Example:\n  livemeter period verify 2026-10 --tz Asia/Shanghai"),
        )
}

fn deadletter() -> Command {
    let replay = service("replay", &["kafka", "ingest"], "Put refused events back on the events' topic, once they are understood")
        .mut_args(|arg| if SHOWN.contains(&arg.get_id().as_str()) { arg } else { arg.hide(true) })
        .args([
            text("code", "CODE", "Only letters refused for this, such as too_long"),
            app("Only letters of this app"),
            text("origin", "PLACE", "Only the record that stood at topic/partition/offset"),
            flag("dry-run", "Say what would be done, and do nothing"),
            json(),
        ])
        .after_help(
            "A replay repeats nothing: what the ledger has already is recognised by its seq and counters.\n\
             Examples:\n  livemeter deadletter replay --code too_long --id-bytes-max 256 --dry-run\n  livemeter deadletter replay --origin livemeter.events.v1/3/120044",
        );
    Command::new("deadletter")
        .about("What was refused, and why")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(
            service("list", &["kafka"], "List refused events, newest last")
                .arg(
                    Arg::new("limit")
                        .long("limit")
                        .value_name("N")
                        .default_value("50")
                        .value_parser(value_parser!(u32).range(1..=100_000))
                        .help("Most to list"),
                )
                .arg(Arg::new("json").long("json").action(ArgAction::SetTrue).help("One JSON object a line"))
                .after_help("Example:\n  livemeter deadletter list --limit 5\n  livemeter deadletter list --json | jq .reason"),
        )
        .subcommand(replay)
}

/// Of ingest's settings a replay needs those that say what an event may be; the others work, but are not shown.
const SHOWN: [&str; 10] = [
    "kafka.brokers",
    "kafka.events_topic",
    "kafka.deadletter_topic",
    "ingest.cmcd_hosts",
    "ingest.id_bytes_max",
    "ingest.text_bytes_max",
    "ingest.event_bytes_max",
    "ingest.cdns_max",
    "ingest.clock_ahead_max",
    "ingest.event_age_max",
];

fn app(help: &'static str) -> Arg {
    text("app", "APP", help)
}

fn text(name: &'static str, value: &'static str, help: &'static str) -> Arg {
    Arg::new(name).long(name).value_name(value).allow_hyphen_values(true).help(help)
}

fn flag(name: &'static str, help: &'static str) -> Arg {
    Arg::new(name).long(name).action(ArgAction::SetTrue).help(help)
}

fn json() -> Arg {
    flag("json", "One JSON object instead of a table")
}
