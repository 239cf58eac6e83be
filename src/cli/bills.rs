//! The subcommands of the bill check: vendors' logs, contracts, invoices, checks. What they do is elsewhere.

use super::commands::service;
use clap::{Arg, ArgAction, Command, value_parser};

pub(super) fn commands() -> [Command; 2] {
    [logs(), bill()]
}

fn logs() -> Command {
    Command::new("logs")
        .about("Vendors' access logs: import them, list them, look at their lines")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(
            over("import", "Import files of a vendor's log: each all or nothing; a file that is known changes nothing")
                .args([
                    Arg::new("file").required(true).num_args(1..).value_name("FILE").help("Plain, gzip or zstd"),
                    vendor().required(true),
                    text("format", "NAME", "cloudfront, akamai, tencent, aliyun, fastly, fastly-clf, nginx, or a mapping file that was kept (`livemeter logs format`)").required(true),
                    text("domain", "HOST", "Domain of lines that name none; else that of the vendor's contracts"),
                    text("region", "NAME", "Region of lines that name none"),
                    flag("copy", "Keep a copy of each file, packed: for files that will go away"),
                    json(),
                ])
                .after_help(
                    "Exits 0 when every file is in, 2 when one was refused.\n\
                     Examples:\n  livemeter logs import access.log.gz --vendor acme --format nginx --domain live.example\n  livemeter logs import E2*.gz --vendor cloudfront --format cloudfront --json | jq .lines",
                ),
        )
        .subcommand(layout(
            "format",
            "Keep a mapping file: how another vendor's log is read. Without a file: list those that are kept",
            "Example:\n  livemeter logs format edge.toml\n  livemeter logs import access.log --vendor acme --format edge",
        ))
        .subcommand(over("list", "List what was imported").args([vendor(), json()]).after_help("Example:\n  livemeter logs list --vendor acme"))
        .subcommand(
            over("bad", "The lines of an import that could not be read, and why")
                .args([vendor().required(true), sha256(), json()])
                .after_help("Example:\n  livemeter logs bad --vendor acme --sha256 1a2b3c4d"),
        )
        .subcommand(
            over("lines", "Lines of an imported file as they stand in it; it is read again and its hash compared")
                .args([
                    vendor().required(true),
                    sha256(),
                    number("first", "First line, counted from 1").required(true),
                    number("last", "Last line; default: the first"),
                    json(),
                ])
                .after_help("Example:\n  livemeter logs lines --vendor acme --sha256 1a2b3c4d --first 120 --last 140"),
        )
        .subcommand(
            over("forget", "Take an import out again; its file is left alone")
                .args([vendor().required(true), sha256(), json()])
                .after_help("Example:\n  livemeter logs forget --vendor acme --sha256 1a2b3c4d"),
        )
}

fn bill() -> Command {
    Command::new("bill")
        .about("What a vendor may bill: contracts, invoices, the check, simulation, exports, evidence")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(contract())
        .subcommand(layout(
            "template",
            "Keep a template: which column of a vendor's invoices is what. Without a file: list those that are kept",
            "Example:\n  livemeter bill template acme.toml\n  livemeter bill invoice import october.csv --vendor acme --template acme",
        ))
        .subcommand(
            Command::new("invoice").about("Vendors' invoices").subcommand_required(true).arg_required_else_help(true).subcommand(
                over("import", "Import an invoice, CSV or XLSX: all or nothing")
                    .args([
                        Arg::new("file").required(true).value_name("FILE").help("CSV or XLSX"),
                        vendor().required(true),
                        text("template", "NAME", "focus, or a template that was kept (`livemeter bill template`)").required(true),
                        json(),
                    ])
                    .after_help("Example:\n  livemeter bill invoice import october.xlsx --vendor acme --template acme"),
            )
            .subcommand(over("list", "List invoices").args([vendor(), json()]).after_help("Example:\n  livemeter bill invoice list")),
        )
        .subcommand(
            asked("check", "Client, log and invoice side by side, and why they differ")
                .arg(json())
                .after_help(
                    "Exits 0 when all agrees or is within tolerance, 3 when something is disputed, 4 when a side is missing.\n\
                     Examples:\n  livemeter bill check --contract acme-live --period 2026-10\n  livemeter bill check --contract acme-live --period 2026-10 --json | jq .causes",
                ),
        )
        .subcommand(
            asked("simulate", "The period under every mode, the forecast of the 95th percentile, and the free slots left")
                .arg(json())
                .after_help("Example:\n  livemeter bill simulate --contract acme-live --period 2026-10"),
        )
        .subcommand(what_if())
        .subcommand(
            asked("export", "The check as a file; of several contracts (--contract a,b) a workbook with a sheet per vendor")
                .args([
                    text("format", "FORMAT", "csv, xlsx, parquet, focus-1.4 or focus-1.2").default_value("xlsx").value_parser(["csv", "xlsx", "parquet", "focus-1.4", "focus-1.2"]),
                    text("detail", "DETAIL", "summary, windows, sessions or users").default_value("summary").value_parser(["summary", "windows", "sessions", "users"]),
                    output(),
                ])
                .after_help("Example:\n  livemeter bill export --contract acme-live --period 2026-10 --format xlsx -o october.xlsx\n  livemeter bill export --contract acme-live,bolt-live --period 2026-10 -o vendors.xlsx"),
        )
        .subcommand(
            asked("evidence", "All that the check stands on, as a ZIP that anybody can recompute with DuckDB")
                .arg(output())
                .after_help("Example:\n  livemeter bill evidence --contract acme-live --period 2026-10 -o october.zip"),
        )
}

fn what_if() -> Command {
    super::commands::common(Command::new("what-if").about("What the vendors would have billed, had the traffic been parted otherwise between them"))
        .args([
            text("contracts", "IDS", "The contracts, parted by commas; the days are those of the first").required(true),
            text("period", "PERIOD", "A month of the first contract's zone, 2026-10, or days: 2026-10-01..2026-10-15").required(true),
            text("shares", "PERCENTS", "Each contract's share of all bytes, in their order; together 100").required_unless_present("percent"),
            text("from", "ID", "The contract that bytes are taken from").requires("percent"),
            text("to", "ID", "The contract that they go to").requires("percent"),
            text("percent", "PERCENT", "How much of each 5 minutes goes, at most two decimals").requires("from").requires("to").conflicts_with("shares"),
            server(),
            json(),
        ])
        .after_help(
            "Each bill is worked out anew by its own contract. Amounts are added up where the currencies agree.\n\
             Examples:\n  livemeter bill what-if --contracts acme-live,bolt-live --period 2026-10 --from acme-live --to bolt-live --percent 25\n  \
             livemeter bill what-if --contracts acme-live,bolt-live,crane --period 2026-10 --shares 50,30,20 --json | jq .total",
        )
}

fn contract() -> Command {
    let file = || Arg::new("file").required(true).value_name("FILE").help("The contract, TOML");
    Command::new("contract")
        .about("Contracts: a file a version, never overwritten")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(
            over("check", "Read a contract and say what is wrong with it; keep nothing")
                .args([file(), json()])
                .after_help("Example:\n  livemeter bill contract check acme.toml"),
        )
        .subcommand(
            over("add", "Keep a version of a contract")
                .args([file(), json()])
                .after_help("Example:\n  livemeter bill contract add acme.toml"),
        )
        .subcommand(over("list", "List contracts and their versions").arg(json()).after_help("Example:\n  livemeter bill contract list"))
}

fn layout(name: &'static str, about: &'static str, examples: &'static str) -> Command {
    over(name, about)
        .args([
            Arg::new("layout").value_name("FILE").help("TOML; it is kept under the name that it has in it"),
            flag("check", "Say what is wrong with it; keep nothing").requires("layout"),
            json(),
        ])
        .after_help(examples)
}

/// A tool over the bill check's folder.
fn over(name: &'static str, about: &'static str) -> Command {
    let shown = |id: &str| id == "bills.root";
    service(name, &["bills"], about).mut_args(move |arg| {
        let id = arg.get_id().as_str();
        if id.starts_with("bills.") && !shown(id) { arg.hide(true) } else { arg }
    })
}

/// A question to the query service.
fn asked(name: &'static str, about: &'static str) -> Command {
    super::commands::common(Command::new(name).about(about)).args([
        text("contract", "ID", "The contract; ID@2 for a version of one's choice").required(true),
        text("period", "PERIOD", "A month of the contract's zone, 2026-10, or days: 2026-10-01..2026-10-15").required(true),
        text("invoice", "SHA256", "The invoice, by its first 8 letters or more; default: the newest of the period"),
        server(),
    ])
}

fn server() -> Arg {
    text("server", "URL", "The query service").default_value("http://127.0.0.1:8701").env("LIVEMETER_SERVER")
}

fn output() -> Arg {
    Arg::new("output").short('o').long("output").value_name("FILE").required(true).help("Where to write; - for standard output")
}

fn vendor() -> Arg {
    text("vendor", "VENDOR", "The vendor, as contracts name it")
}

fn sha256() -> Arg {
    text("sha256", "HASH", "The file's SHA-256, or its first 8 letters or more").required(true)
}

fn number(name: &'static str, help: &'static str) -> Arg {
    Arg::new(name).long(name).value_name("N").value_parser(value_parser!(u64).range(1..)).help(help)
}

fn text(name: &'static str, value: &'static str, help: &'static str) -> Arg {
    Arg::new(name).long(name).value_name(value).help(help)
}

fn flag(name: &'static str, help: &'static str) -> Arg {
    Arg::new(name).long(name).action(ArgAction::SetTrue).help(help)
}

fn json() -> Arg {
    flag("json", "JSON instead of a table")
}
