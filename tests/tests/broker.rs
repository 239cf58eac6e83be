//! The embedded broker as a program: what its flags refuse, and how it ends.

use livemeter_tests::process::Process;
use livemeter_tests::{binary, kafka, ports, wait};
use std::process::Command;

fn broker(port: u16, folder: &std::path::Path) -> Command {
    let mut command = Command::new(binary::path("livemeter-broker"));
    command.arg("--listen").arg(format!("127.0.0.1:{port}")).arg("--data").arg(folder);
    command
}

async fn answers(port: u16) {
    let addr = format!("127.0.0.1:{port}");
    wait::until("the broker", || kafka::cluster_id(&addr)).await;
}

#[tokio::test]
async fn a_wrong_start_is_refused_in_one_sentence() {
    let folder = tempfile::tempdir().expect("a folder");
    let port = ports::free();
    let running = Process::start("broker", broker(port, folder.path()), &folder.path().join("log"));
    answers(port).await;
    let other = tempfile::tempdir().expect("a folder");
    let cases = [(broker(port, other.path()), "cannot listen on"), (broker(ports::free(), folder.path()), "another broker uses")];
    for (mut command, says) in cases {
        let out = command.output().expect("it starts");
        let said = String::from_utf8_lossy(&out.stderr).into_owned();
        assert!(!out.status.success() && said.contains(says) && said.trim().lines().count() == 1, "{says:?} is not what it says: {said}");
    }
    drop(running);
    let out = broker(port, folder.path()).args(["--cluster-id", "another"]).output().expect("it starts");
    assert!(String::from_utf8_lossy(&out.stderr).contains("another"), "{out:?}");
}

#[tokio::test]
async fn it_dies_with_its_parent_when_asked() {
    let folder = tempfile::tempdir().expect("a folder");
    let port = ports::free();
    let mut shell = Command::new("sh");
    // The shell is the parent; `setsid` takes the broker out of its group, so that only the kernel can end it.
    shell.arg("-c").arg("setsid \"$@\" & wait").arg("sh").arg(binary::path("livemeter-broker"));
    shell.args(["--die-with-parent", "--listen", &format!("127.0.0.1:{port}"), "--data"]).arg(folder.path().join("data"));
    let mut parent = Process::start("parent", shell, &folder.path().join("log"));
    answers(port).await;
    parent.kill9();
    wait::until("the broker's end", || async {
        match tokio::net::TcpStream::connect(("127.0.0.1", port)).await {
            Err(_) => Ok(()),
            Ok(_) => Err("it still listens"),
        }
    })
    .await;
}
