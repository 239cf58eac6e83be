//! What keeps it from starting is said at once: what is wrong, its setting, and what to do.

use livemeter_tests::binary;
use livemeter_tests::up::Up;
use nix::fcntl::{Flock, FlockArg};
use std::fs::File;
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;

/// Wrong usage, and what needs a person: the exit codes that scripts rely on.
const USAGE: i32 = 2;
const ATTENTION: i32 = 3;

#[test]
fn a_taken_port_is_named_with_its_setting() {
    for (place, setting, variable) in [
        (0, "ingest.listen", "LIVEMETER_INGEST_LISTEN"),
        (1, "processor.listen", "LIVEMETER_PROCESSOR_LISTEN"),
        (2, "query.listen", "LIVEMETER_QUERY_LISTEN"),
        (3, "kafka.brokers", "LIVEMETER_KAFKA_BROKERS"),
    ] {
        let up = Up::new();
        let _taken = TcpListener::bind(up.addr(place)).expect("a free port");
        refused(ours(&up, &[]), ATTENTION, &[setting, variable, &up.addr(place)]);
    }
}

#[test]
fn two_services_on_one_port_and_a_port_without_a_number_are_refused() {
    let up = Up::new();
    for (address, words) in [(up.addr(0), "in use"), ("127.0.0.1:0".to_owned(), "must name its port")] {
        let mut command = ours(&up, &[]);
        command.env("LIVEMETER_QUERY_LISTEN", &address);
        refused(command, ATTENTION, &["query.listen", "LIVEMETER_QUERY_LISTEN", &address, words]);
    }
}

#[test]
fn a_folder_in_use_is_refused() {
    let up = Up::new();
    let data = up.folder().join("data");
    std::fs::create_dir_all(&data).expect("a folder");
    let lock = File::create(data.join("lock")).expect("a file");
    let _held = Flock::lock(lock, FlockArg::LockExclusiveNonblock).expect("free");
    refused(ours(&up, &[]), ATTENTION, &["another `livemeter up`", "--data", &data.display().to_string()]);
}

#[test]
fn a_missing_broker_is_named_with_a_way_out() {
    let up = Up::new();
    let alone = up.folder().join("livemeter");
    let built = binary::path("livemeter");
    std::fs::hard_link(&built, &alone).or_else(|_| std::fs::copy(&built, &alone).map(drop)).expect("a copy of the binary");
    refused(up.command(&alone, &[]), ATTENTION, &["livemeter-broker", "is missing", "--kafka"]);
}

#[test]
fn too_little_disk_is_refused_before_anything_starts() {
    let up = Up::new();
    refused(ours(&up, &["--disk-free-min", "1024TiB"]), ATTENTION, &["are free in", "at least 1048576.0 GiB", "--disk-free-min"]);
}

#[test]
fn a_wrong_setting_is_a_wrong_usage() {
    let up = Up::new();
    refused(ours(&up, &["--viewers", "many"]), USAGE, &["up.viewers", "many", "whole number"]);
    let mut command = ours(&up, &[]);
    command.env("LIVEMETER_UP_DISK_MAX", "plenty");
    refused(command, USAGE, &["up.disk_max", "LIVEMETER_UP_DISK_MAX", "plenty", "2GiB"]);
    refused(ours(&up, &["--kafka", "nowhere"]), USAGE, &["kafka.brokers", "nowhere", "host:port"]);
}

fn ours(up: &Up, flags: &[&str]) -> Command {
    up.command(&binary::path("livemeter"), flags)
}

fn refused(mut command: Command, code: i32, words: &[&str]) {
    let out = command.output().unwrap_or_else(|e| panic!("{}: {e}", Path::new(command.get_program()).display()));
    let said = String::from_utf8_lossy(&out.stderr);
    assert_eq!(out.status.code(), Some(code), "{said}");
    for word in words {
        assert!(said.contains(word), "{said:?} lacks {word:?}");
    }
    assert!(out.stdout.is_empty(), "nothing was started: {}", String::from_utf8_lossy(&out.stdout));
}
