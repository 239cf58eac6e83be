//! A child that falls is started again, and the person is told.

use crate::watched;
use livemeter_tests::audience::Session;
use livemeter_tests::process;
use livemeter_tests::up::Up;

#[tokio::test(flavor = "multi_thread")]
async fn a_child_that_falls_is_started_again_and_service_returns() {
    let mut up = Up::new();
    up.start(&["--viewers", "0"]).await;
    let mut viewer = Session::new("s-1", "user-1", "cdn-a");
    watched(&up, &mut viewer).await;
    for (process_name, name) in [("ingest", "ingest"), ("process", "processor"), ("livemeter-broker", "broker"), ("query", "query")] {
        let before = up.child(process_name).expect("it runs");
        process::kill9(before);
        up.says(&format!("{name} ended (signal: 9 (SIGKILL))")).await;
        up.says(&format!("Starting {name} again.")).await;
        watched(&up, &mut viewer).await;
        let after = up.child(process_name).expect("it runs again");
        assert_ne!(before, after);
    }
    assert!(up.interrupt().await.success());
}
