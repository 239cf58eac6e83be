//! The subcommands over the files of identity: who may post, and the keys of pseudonyms. What they do is elsewhere.

use super::commands::service;
use clap::{Arg, ArgAction, Command};

/// Of ingest's settings these tools need the files' own; the others work, but are not shown.
const APPS: &[&str] = &["ingest.apps_file", "ingest.apps_max", "ingest.app_keys_max"];
const KEYS: &[&str] = &["ingest.pseudonym_keys_file", "ingest.pseudonym_reach"];

pub(super) fn apps() -> Command {
    Command::new("apps")
        .about("Apps that may post: their keys, their limits, tokens to try them with")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(create())
        .subcommand(
            tool("list", "List apps and keys; the keys themselves are stored nowhere")
                .arg(json())
                .after_help("Example:\n  livemeter apps list --apps-file apps.toml"),
        )
        .subcommand(
            Command::new("key")
                .about("Write keys: several are good at once, so that they can be rotated without a pause")
                .subcommand_required(true)
                .arg_required_else_help(true)
                .subcommand(
                    tool("add", "Make a write key; it is printed once and only its hash is kept")
                        .args([app(), text("not-after", "TIME", "Last moment at which it is good"), json()])
                        .after_help("Example:\n  livemeter apps key add --app demo --apps-file apps.toml"),
                )
                .subcommand(
                    tool("revoke", "Take a write key back, at once or from a time on")
                        .args([
                            app(),
                            text("key", "ID", "Its id: the eight digits after lmw_").required(true),
                            text("not-after", "TIME", "Last moment at which it is good; without it, now"),
                            json(),
                        ])
                        .after_help(
                            "Example:\n  livemeter apps key revoke --app demo --key 1a2b3c4d --not-after 2026-12-31 --apps-file apps.toml",
                        ),
                ),
        )
        .subcommand(token())
}

fn create() -> Command {
    tool("create", "Add an app with a first write key, which is printed once; makes the file where there is none")
        .arg(Arg::new("app").required(true).value_name("APP").help("Its id, as players send it"))
        .args([
            many("origin", "ORIGIN", "Web origin that may post, such as https://player.example; may be given several times"),
            many("cdn", "CDN", "CDN that its players may report; may be given several times"),
            text("heartbeat-ms", "MS", "Heartbeat interval told to its players"),
            text("user-ids", "WORD", "What is stored as a user's id: as_sent or pseudonym").value_parser(["as_sent", "pseudonym"]),
            text("sampling", "SHARE", "Share of its sessions that should report, 0 to 1"),
            json(),
        ])
        .after_help("Example:\n  livemeter apps create demo --origin https://player.example --cdn cdn-a --cdn cdn-b --apps-file apps.toml")
}

fn token() -> Command {
    tool("token", "Sign a session token by hand, to try things; an app's own server does this with any JWT library")
        .args([
            app(),
            text("kid", "ID", "The token key of the app that it is signed for").required(true),
            text("user", "USER", "The user it is bound to (sub)").required(true),
            text("programme", "PROGRAMME", "The programme (prog)").required(true),
            many("cdn", "CDN", "CDN that the session may report (cdns); may be given several times").required(true),
            text("session", "ID", "The session (sid), where it is known"),
            text("ttl", "SECONDS", "How long it is good").default_value("3600"),
            text("private-key", "FILE", "EdDSA: the private key, PKCS #8 PEM (openssl genpkey -algorithm ed25519)"),
            text("secret", "FILE", "HS256: the shared secret"),
        ])
        .after_help("Example:\n  livemeter apps token --app demo --kid k1 --user u-17 --programme final --cdn cdn-a --private-key k1.pem")
}

pub(super) fn privacy() -> Command {
    Command::new("privacy")
        .about("Pseudonyms of users: whose they are, and their keys")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(
            over(KEYS, "pseudonyms", "All names that a user has in the ledger under the keys that are kept: for an erasure")
                .args([app(), text("user", "USER", "The id as the app sends it").required(true), json()])
                .after_help("Example:\n  livemeter privacy pseudonyms --app demo --user u-17 --pseudonym-keys-file keys.toml"),
        )
        .subcommand(keys())
}

fn keys() -> Command {
    Command::new("keys")
        .about("The keys of pseudonyms: rotated no more often than a billing period, kept for erasure, then destroyed")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(
            over(KEYS, "list", "List keys and what is still done with them")
                .arg(json())
                .after_help("Example:\n  livemeter privacy keys list --pseudonym-keys-file keys.toml"),
        )
        .subcommand(
            over(KEYS, "rotate", "Add a key for sessions that begin from a time on; makes the file where there is none")
                .args([text("from", "TIME", "From when on; without it, the next midnight (UTC) that may be"), json()])
                .after_help("Example:\n  livemeter privacy keys rotate --from 2027-01-01 --pseudonym-keys-file keys.toml"),
        )
        .subcommand(
            over(KEYS, "destroy", "Remove the secret of a key that no session uses any more; what it named stays nameless")
                .args([
                    text("key", "ID", "Id of the key").required(true),
                    Arg::new("yes").long("yes").action(ArgAction::SetTrue).help("Knowing that it cannot be undone"),
                    json(),
                ])
                .after_help("Example:\n  livemeter privacy keys destroy --key p1 --yes --pseudonym-keys-file keys.toml"),
        )
}

fn tool(name: &'static str, about: &'static str) -> Command {
    over(APPS, name, about)
}

/// A tool that needs only a few of ingest's settings.
fn over(shown: &'static [&'static str], name: &'static str, about: &'static str) -> Command {
    service(name, &["ingest"], about).mut_args(|arg| {
        let id = arg.get_id().as_str();
        if id.starts_with("ingest.") && !shown.contains(&id) { arg.hide(true) } else { arg }
    })
}

fn app() -> Arg {
    text("app", "APP", "Id of the app").required(true)
}

fn text(name: &'static str, value: &'static str, help: &'static str) -> Arg {
    Arg::new(name).long(name).value_name(value).allow_hyphen_values(true).help(help)
}

fn many(name: &'static str, value: &'static str, help: &'static str) -> Arg {
    text(name, value, help).action(ArgAction::Append)
}

fn json() -> Arg {
    Arg::new("json").long("json").action(ArgAction::SetTrue).help("JSON instead of text")
}
