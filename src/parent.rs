//! Ending with the process that started us, so that a killed supervisor leaves no orphans behind.

use nix::sys::{prctl, signal::Signal};

/// Asks the kernel for SIGTERM when the parent dies; ends at once when it is already gone.
pub fn die_with_parent() {
    if prctl::set_pdeathsig(Signal::SIGTERM).is_err() || nix::unistd::getppid().as_raw() == 1 {
        eprintln!("livemeter: the process that started this one is gone; stopping");
        std::process::exit(1);
    }
}
