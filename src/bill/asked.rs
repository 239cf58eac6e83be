//! Questions to the query service, and the files it answers with.

use super::text;
use crate::cli::{Failure, exit};
use crate::client::http::{self, Answer};
use crate::services::once;
use clap::ArgMatches;
use serde::de::DeserializeOwned;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::time::Duration;
use url::Url;

/// Longer than the service's own deadline, which says more.
const WAIT: Duration = Duration::from_secs(900);

/// What most questions are about.
const ABOUT: [&str; 3] = ["contract", "period", "invoice"];

/// Asks and reads the JSON answer.
pub fn json<T: DeserializeOwned>(given: &ArgMatches, what: &str) -> Result<T, Failure> {
    json_of(given, what, &ABOUT)
}

/// The same of a question that is about these arguments.
pub fn json_of<T: DeserializeOwned>(given: &ArgMatches, what: &str, about: &[&str]) -> Result<T, Failure> {
    let url = address(given, what, about)?;
    let answer = once(async { http::get(&url, WAIT).await.map_err(away) })?;
    if answer.status != 200 {
        return Err(refused(&answer));
    }
    serde_json::from_slice(&answer.body).map_err(Failure::new)
}

pub fn export(given: &ArgMatches) -> Result<(), Failure> {
    file(given, &address(given, "export", &["contract", "period", "invoice", "format", "detail"])?)
}

pub fn evidence(given: &ArgMatches) -> Result<(), Failure> {
    file(given, &address(given, "evidence", &ABOUT)?)
}

/// Writes the answer beside its place and moves it there when it is whole.
fn file(given: &ArgMatches, url: &str) -> Result<(), Failure> {
    let output = text(given, "output").unwrap_or_default();
    if output == "-" {
        return fetch(url, &mut std::io::stdout().lock());
    }
    let part = format!("{output}.part");
    let wrong = |e: std::io::Error| Failure::new(format!("{output}: {e}"));
    let mut out = BufWriter::new(File::create(&part).map_err(wrong)?);
    let fetched = fetch(url, &mut out).and_then(|()| out.flush().map_err(wrong));
    drop(out);
    if let Err(failure) = fetched {
        let _ = std::fs::remove_file(&part);
        return Err(failure);
    }
    std::fs::rename(&part, &output).map_err(wrong)?;
    let bytes = std::fs::metadata(Path::new(&output)).map_err(wrong)?.len();
    eprintln!("{output}: {}", crate::settings::show_size(bytes));
    Ok(())
}

fn fetch(url: &str, out: &mut dyn Write) -> Result<(), Failure> {
    let answer = once(async { http::download(url, out, WAIT).await.map_err(away) })?;
    if answer.status == 200 { Ok(()) } else { Err(refused(&answer)) }
}

fn address(given: &ArgMatches, what: &str, about: &[&str]) -> Result<String, Failure> {
    let server = text(given, "server").unwrap_or_default();
    let wrong = |e| Failure::usage(format!("--server {server:?}: {e}"));
    let mut url = Url::parse(&format!("{}/v1/bills/{what}", server.trim_end_matches('/'))).map_err(wrong)?;
    for name in about {
        if let Some(value) = text(given, name) {
            url.query_pairs_mut().append_pair(name, &value);
        }
    }
    Ok(url.into())
}

fn away(error: String) -> Failure {
    Failure::new(format!("{error}; is `livemeter query` or `livemeter up` running there? (--server)"))
}

/// The service's own words.
fn refused(answer: &Answer) -> Failure {
    let problem = serde_json::from_slice::<serde_json::Value>(&answer.body).ok();
    let word = |name: &str| problem.as_ref().and_then(|p| p[name].as_str()).map(str::to_owned);
    let reason = word("reason").unwrap_or_else(|| answer.text());
    let message = word("field").map_or_else(|| reason.clone(), |field| format!("{reason} ({field})"));
    Failure { message, code: if (400..500).contains(&answer.status) && answer.status != 429 { exit::USAGE } else { exit::FAILED } }
}
