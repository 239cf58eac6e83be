//! Built for fault tests alone: arms the places named in `FAILPOINTS` (`name=3*off->panic;other=return`).
//! A panic there ends the process as `kill -9` would: nothing is flushed, nobody says goodbye.

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// Reads `FAILPOINTS`. The armed places last as long as the process.
pub fn arm() {
    std::mem::forget(fail::FailScenario::setup());
    std::panic::set_hook(Box::new(|panic| {
        eprintln!("failpoint: {panic}");
        let _ = kill(Pid::this(), Signal::SIGKILL);
    }));
}
