//! `livemeter quarantine list|release|reject`: amounts that no player can have received, and what somebody
//! decides about them.

use super::{failure, now_ms, parse_time, print, print_json, root, table, time};
use crate::cli::Failure;
use crate::services::serve;
use crate::settings::Settings;
use clap::ArgMatches;
use livemeter_processor::decide::{self, Quarantined, Selection, Signature, Verdict};
use serde_json::json;
use std::io::{BufRead as _, IsTerminal as _, Write as _};

pub fn command(settings: &Settings, word: &str, given: &ArgMatches) -> Result<(), Failure> {
    let text = |name: &str| given.try_get_one::<String>(name).ok().flatten().cloned();
    let window_start_ms = text("window").map(|t| parse_time("window", &t)).transpose()?;
    let selection = Selection { app: text("app"), session_id: text("session"), cdn: text("cdn"), window_start_ms };
    let (root, json) = (root(settings)?, given.get_flag("json"));
    let verdict = match word {
        "release" => Some(Verdict::Released),
        "reject" => Some(Verdict::Rejected),
        _ => None,
    };
    let Some(verdict) = verdict else {
        return serve(async move {
            let found = decide::undecided(&root, &selection).await.map_err(failure)?;
            if json {
                print_json(&json!({ "quarantined": found }))
            } else {
                {
                    show(&found, "undecided");
                    Ok(())
                }
            }
        });
    };
    let (by, why) = (text("by").unwrap_or_default(), text("why").unwrap_or_default());
    if by.trim().is_empty() || why.trim().is_empty() {
        return Err(Failure::usage("--by and --why must say something: they are kept beside the rows"));
    }
    let sure = given.get_flag("yes");
    serve(async move {
        let found = decide::undecided(&root, &selection).await.map_err(failure)?;
        if !sure && !found.is_empty() {
            show(&found, "undecided");
            ask(word, "all of this")?;
        }
        let decided = decide::decide(&root, &selection, verdict, Signature { by: &by, why: &why }, now_ms).await.map_err(failure)?;
        if json {
            print_json(&json!({ "status": verdict.status(), "decided": decided }))
        } else if decided.is_empty() {
            print("Nothing is left to decide there.");
            Ok(())
        } else {
            show(&decided, verdict.status());
            Ok(())
        }
    })
}

/// What cannot be taken back is done on purpose.
pub(super) fn ask(word: &str, what: &str) -> Result<(), Failure> {
    if !std::io::stdin().is_terminal() {
        return Err(Failure::usage(format!("to {word} without being asked, say --yes")));
    }
    print!("{word} {what}? [y/N] ");
    let _ = std::io::stdout().flush();
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer).map_err(Failure::new)?;
    if answer.trim().eq_ignore_ascii_case("y") { Ok(()) } else { Err(Failure::usage("nothing was done")) }
}

fn show(found: &[Quarantined], what: &str) {
    let header = ["app", "session", "CDN", "user", "window", "received", "bytes", "play ms", "Mbit/s, at least"];
    let mut table = table(&header, 6);
    for q in found {
        let (g, mbps) = (&q.group, q.bitrate_min_bps / 1_000_000);
        table.add_row([
            g.app.clone(),
            g.session_id.clone(),
            g.cdn.clone(),
            g.user_id.clone(),
            time(g.window_start_ms),
            time(q.received_at_ms),
            q.bytes.to_string(),
            q.play_ms.to_string(),
            mbps.to_string(),
        ]);
    }
    print(&table.to_string());
    let bytes: i128 = found.iter().map(|q| i128::from(q.bytes)).sum();
    print(&format!("{} windows of sessions {what}, {bytes} bytes", found.len()));
}
