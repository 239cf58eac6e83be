//! CMCD reports that ingest refused and understands now: they go back as reports, and come to what they would have
//! come to at once, however often they are put back.

use crate::{DEADLETTERS, deadletter, told};
use livemeter_tests::brokers::{Broker, Kind};
use livemeter_tests::tree::Tree;
use livemeter_tests::{kafka, wait};
use serde_json::{Value, json};
use std::time::{SystemTime, UNIX_EPOCH};

const HOSTS: &str = "edge.example=cdn-a";
const LONG: &str = "a-session-of-more-than-16-bytes";
const SHORT: &str = "short";

/// Starts, plays 10 s, stands still for 1.5 s, plays 2 s, and ends; a report of version 1 besides, which has no number.
fn reports(sid: &str) -> String {
    let began = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_millis() as i64 - 60_000;
    let steps = [("s", 0), ("p", 500), ("r", 10_500), ("p", 12_000), ("q", 14_000)];
    let line = |(sn, (sta, at)): (usize, (&str, i64))| {
        format!(
            "com.livemeter-bytes=\"{}\",e=ps,h=\"edge.example\",sid=\"{sid}\",sn={sn},sta={sta},ts={},v=2\n",
            1_000 * (sn + 1),
            began + at
        )
    };
    steps.into_iter().enumerate().map(line).collect::<String>() + &format!("bs,cdn=\"cdn-a\",sid=\"{sid}-v1\"\n")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_report_goes_back_as_a_report() {
    let broker = Broker::start(Kind::Embedded).await;
    let tree = Tree::start_with(
        &broker.addr(),
        &[
            ("ingest", &["--id-bytes-max", "16", "--cmcd-hosts", HOSTS]),
            ("process", &["--commit-interval", "500ms"]),
            ("query", &["--refresh-interval", "200ms"]),
        ],
    )
    .await;
    // One is refused whole, the other is taken at once: that is what the first must come to.
    for sid in [LONG, SHORT] {
        let posted = tree.ingest().post("/v1/cmcd?app=demo&target=t", &[("content-type", "application/cmcd")], reports(sid)).await;
        posted.expect("an answer");
    }
    wait::until("six dead letters", || async {
        let (low, high) = kafka::watermarks(&broker.addr(), DEADLETTERS, 0);
        if high - low == 6 { Ok(()) } else { Err(format!("{low} to {high}")) }
    })
    .await;
    let expected = figures(&tree, SHORT, "cdn-a").await;
    assert_eq!(expected["play_ms"], json!(12_000), "{expected}");
    assert_eq!((&expected["stall_ms"], &expected["stalls"], &expected["bytes"]), (&json!(1_500), &json!(2), &json!(5_000)), "{expected}");

    let early = told(&deadletter(&broker, &["replay", "--json", "--id-bytes-max", "16", "--cmcd-hosts", HOSTS]));
    assert_eq!(early["replayed"], json!(0), "what would be refused again is left: {early}");
    for _ in 0..2 {
        let done = told(&deadletter(&broker, &["replay", "--json", "--cmcd-hosts", HOSTS]));
        assert_eq!((&done["replayed"], &done["skipped"]), (&json!(6), &json!({})), "{done}");
    }
    wait::until("all of it to be booked", || async {
        let report = crate::audit(&broker, tree.folder());
        let lag: i64 = report["partitions"].as_array().expect("partitions").iter().filter_map(|p| p["lag_records"].as_i64()).sum();
        if lag == 0 && report["ok"] == json!(true) { Ok(()) } else { Err(format!("{report}")) }
    })
    .await;
    assert_eq!(figures(&tree, LONG, "cdn-a").await, expected, "what was put back twice counts once");
    let (_, high) = kafka::watermarks(&broker.addr(), DEADLETTERS, 0);
    assert_eq!(high, 6, "what was put back was not refused again");
}

/// What the ledger says of both versions' sessions.
async fn figures(tree: &Tree, sid: &str, cdn: &str) -> Value {
    let ids = format!("('{sid}~t', '{sid}-v1~t')");
    let sql = format!(
        "SELECT i.play_ms, i.stall_ms, i.stalls, i.bytes, e.events FROM \
         (SELECT SUM(play_ms) AS play_ms, SUM(stall_ms) AS stall_ms, SUM(stalls) AS stalls, SUM(bytes) AS bytes FROM increments \
          WHERE cdn = '{cdn}' AND session_id IN {ids}) AS i CROSS JOIN (SELECT COUNT(*) AS events FROM events WHERE session_id IN {ids}) AS e"
    );
    wait::until(&format!("the figures of {sid}"), || async {
        let answer = tree.query().post_json("/v1/sql", &json!({ "sql": sql })).await?.json();
        let names = answer["columns"].as_array().cloned().unwrap_or_default();
        let row: Value = names
            .iter()
            .enumerate()
            .map(|(i, c)| (c["name"].as_str().unwrap_or_default().to_owned(), answer["rows"][0][i].clone()))
            .collect();
        // One row of `events` for each report.
        if row["events"].as_u64().is_some_and(|events| events >= 6) { Ok(row) } else { Err(answer.to_string()) }
    })
    .await
}
