//! `make faults`: the processor under every fault that is known, and its ledger compared with what was sent.
//! Wants a `livemeter` built with the feature `failpoints`, in `LIVEMETER_BIN_DIR`.

use livemeter_tests::faults::{ledger, run, settings::Settings};
use std::process::ExitCode;

fn main() -> ExitCode {
    // Before there are threads.
    ledger::alone();
    let ran = Settings::from_variables().and_then(|settings| {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        runtime.block_on(run::run(settings))
    });
    match ran {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("faults: {error:#}");
            ExitCode::FAILURE
        }
    }
}
