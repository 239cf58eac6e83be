//! `livemeter up`: everything on this machine as one supervised process tree, on embedded defaults.
//!
//! * [`plan`]      settings → which processes, with which arguments
//! * [`child`]     one process: started, logged, stopped
//! * [`supervise`] start in order, restart what falls, stop in order
//! * [`watch`]     the services' own metrics, read for progress and trimming
//! * [`disk`]      how much is used, how much is free, and what to do about it
//! * [`progress`]  what the person at the terminal sees

mod child;
mod disk;
mod plan;
mod progress;
mod supervise;
mod watch;

use crate::cli::Failure;
use crate::settings::Settings;
use clap::ArgMatches;

/// Runs the tree until Ctrl-C or SIGTERM. One thread: the kernel ties children to the *thread* that
/// started them, so that thread must live as long as the process.
pub fn run(settings: &Settings, given: &ArgMatches) -> Result<(), Failure> {
    let plan = plan::Plan::make(settings, given)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Failure::new)?;
    runtime.block_on(supervise::run(plan, settings))
}
