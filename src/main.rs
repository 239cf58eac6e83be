//! The one binary. Thin: it picks the allocator and hands over to the command line.

mod apps;
mod bill;
mod cli;
mod client;
mod derive;
#[cfg(feature = "failpoints")]
mod failpoints;
mod kafka;
mod ledger;
mod parent;
mod services;
mod settings;
mod telemetry;
mod up;

/// jemalloc gives freed memory back: a service that has seen a peak must not keep its size for ever.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> std::process::ExitCode {
    #[cfg(feature = "failpoints")]
    failpoints::arm();
    cli::run()
}
