//! Free ports below the range from which the kernel takes ports for outgoing connections, so that a
//! service that was killed finds its port free again.

use std::net::TcpListener;
use std::sync::atomic::{AtomicU16, Ordering};

const FROM: u16 = 20_000;
const COUNT: u16 = 12_000;

static NEXT: AtomicU16 = AtomicU16::new(0);

/// A port on 127.0.0.1 that is free now, given to nobody else in this process; other test processes
/// start looking elsewhere.
pub fn free() -> u16 {
    let start = (std::process::id() as u16).wrapping_mul(97) % COUNT;
    for _ in 0..COUNT {
        let step = NEXT.fetch_add(1, Ordering::Relaxed) % COUNT;
        let port = FROM + (start + step) % COUNT;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
    panic!("no free port between {FROM} and {}", FROM + COUNT);
}
