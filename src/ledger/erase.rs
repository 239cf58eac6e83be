//! `livemeter erase`: a user's name leaves the ledger.

use super::progress::Bar;
use super::quarantine::ask;
use super::{failure, print, print_json, root, table};
use crate::cli::Failure;
use crate::services::{processor, serve};
use crate::settings::Settings;
use clap::ArgMatches;
use livemeter_processor::decide::Signature;
use livemeter_processor::erase::{Person, erase};
use livemeter_processor::maintain::Policy;
use serde_json::json;

pub fn command(settings: &Settings, given: &ArgMatches) -> Result<(), Failure> {
    let text = |name: &str| given.get_one::<String>(name).cloned().unwrap_or_default();
    let (app, user_id, by, why) = (text("app"), text("user"), text("by"), text("why"));
    if by.trim().is_empty() || why.trim().is_empty() {
        return Err(Failure::usage("--by and --why must say something: they are kept in the table's log"));
    }
    if !given.get_flag("yes") {
        ask("erase this user from", "the ledger")?;
    }
    let (root, json) = (root(settings)?, given.get_flag("json"));
    let policy = Policy::of(&processor(settings));
    serve(async move {
        let mut bar = Bar::new();
        let told = |table: &'static str, done: usize, all: usize| bar.at(table, done as u64, all as u64, done as u64, "files");
        let person = Person { app: &app, user_id: &user_id };
        let erased = erase(&root, &policy, person, Signature { by: &by, why: &why }, told).await;
        drop(bar);
        let erased = erased.map_err(failure)?;
        if json {
            return print_json(&json!({ "erased": erased }));
        }
        let mut table = table(&["table", "in place of the name", "rows", "files"], 2);
        for e in &erased {
            table.add_row([e.table.to_owned(), e.stands_for.clone(), e.rows.to_string(), e.files.to_string()]);
        }
        print(&table.to_string());
        Ok(())
    })
}
