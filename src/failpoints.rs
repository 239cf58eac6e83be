//! Built for fault tests alone: arms the places named in `FAILPOINTS` (`name=3*off->panic;other=return`).
//! A panic there ends the process as `kill -9` would: nothing is flushed, nobody says goodbye. Any other
//! panic is what it is without this feature.

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// Reads `FAILPOINTS`. The armed places last as long as the process.
pub fn arm() {
    std::mem::forget(fail::FailScenario::setup());
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        let armed = panic.payload_as_str().is_some_and(|words| words.starts_with("failpoint "));
        if armed {
            eprintln!("{panic}");
            let _ = kill(Pid::this(), Signal::SIGKILL);
        }
        usual(panic);
    }));
}
