//! Ending with the process that started us, so that a killed supervisor leaves no orphans behind.

use nix::sys::{prctl, signal::Signal};
use nix::unistd::getppid;

/// Asks the kernel for SIGTERM when the parent dies; ends at once when it is already gone. Who knows the
/// parent's id tells it (0: whoever it is now): an orphan's new parent may be anyone, and the true one
/// may well be process 1 of a container.
pub fn die_with_parent(told: i32) {
    let parent = if told == 0 { getppid().as_raw() } else { told };
    if prctl::set_pdeathsig(Signal::SIGTERM).is_err() || getppid().as_raw() != parent {
        eprintln!("livemeter: the process that started this one is gone; stopping");
        std::process::exit(1);
    }
}
