//! Polling with a deadline. Deadlines are generous, because two loaded cores are slow: a test that
//! passes does not wait for them, and one that fails says what it last saw.

use crate::http::Http;
use crate::process::Process;
use std::fmt::Display;
use std::future::Future;
use std::time::{Duration, Instant};

/// Long enough for anything that works, on a machine that does other things too.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// Between two looks.
const PAUSE: Duration = Duration::from_millis(50);

/// Looks until `look` gives a value; panics with its last reason after [`PATIENCE`].
pub async fn until<T, E: Display, F: Future<Output = Result<T, E>>>(what: &str, look: impl FnMut() -> F) -> T {
    within(PATIENCE, what, look).await
}

/// The same with a deadline of one's own.
pub async fn within<T, E: Display, F: Future<Output = Result<T, E>>>(patience: Duration, what: &str, mut look: impl FnMut() -> F) -> T {
    let deadline = Instant::now() + patience;
    loop {
        match look().await {
            Ok(value) => return value,
            Err(reason) => assert!(Instant::now() < deadline, "waited {patience:?} in vain for {what}: {reason}"),
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Waits until a service says that it is ready; panics when it ends instead.
pub async fn ready(name: &str, process: &mut Process, http: &Http) {
    until(&format!("{name} to be ready"), || {
        let (ended, http) = (process.check(), http.clone());
        async move {
            ended.unwrap_or_else(|why| panic!("{why}"));
            match http.get("/readyz").await? {
                answer if answer.status == 200 => Ok(()),
                answer => Err(format!("{} {}", answer.status, answer.text())),
            }
        }
    })
    .await;
}
