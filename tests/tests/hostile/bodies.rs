//! Bodies that are small and become large, heads that are large, bodies that break off, and bodies of another kind
//! than they should be. Refused by name, and nothing of them on Kafka.

use crate::tally;
use futures::future::join_all;
use livemeter_tests::apps::Apps;
use livemeter_tests::audience::{Session, batch};
use livemeter_tests::edge::{Edge, Said};
use std::io::Write as _;
use tokio::io::AsyncWriteExt as _;

fn gzip(plain: &[u8]) -> Vec<u8> {
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    packer.write_all(plain).expect("memory");
    packer.finish().expect("memory")
}

/// A zstd frame by hand: blocks of 128 KiB of one byte, each four bytes long. `window` is the header's window
/// descriptor; a reader that believes 0xa8 takes 2 GiB at once.
fn zstd_bomb(window: u8, blocks: usize) -> Vec<u8> {
    const RLE_128_KIB: u32 = (128 << 10) << 3 | 1 << 1;
    let mut frame = vec![0x28, 0xb5, 0x2f, 0xfd, 0x00, window];
    for n in 1..=blocks {
        frame.extend_from_slice(&(RLE_128_KIB | u32::from(n == blocks)).to_le_bytes()[..3]);
        frame.push(b' ');
    }
    frame
}

/// Events that nobody could mean: what unpacks to them is small.
fn many_events() -> String {
    format!("{{\"v\":1,\"app\":\"tests\",\"events\":[{}{{}}]}}", "{},".repeat(1_300_000))
}

fn deep() -> String {
    format!("{{\"v\":1,\"app\":\"tests\",\"events\":[{}", "[".repeat(500_000))
}

#[tokio::test(flavor = "multi_thread")]
async fn bombs_are_refused_before_they_go_off() {
    let edge = Edge::start(Apps::with(&[]), &[]).await;
    let ten_mb = gzip(&vec![b' '; 10_000_000]);
    let bombs = [
        ("gzip of 800 MB in 80 members", "gzip", ten_mb.repeat(80)),
        ("gzip in gzip", "gzip", gzip(&ten_mb.repeat(80))),
        ("gzip, twice named", "gzip, gzip", gzip(&ten_mb)),
        ("zstd of 32 GB in 1 MB", "zstd", zstd_bomb(0x50, 260_000)),
        ("zstd with a window of 2 GiB", "zstd", zstd_bomb(0xa8, 100)),
        ("zstd that declares 2^60 bytes", "zstd", [&[0x28, 0xb5, 0x2f, 0xfd, 0xe0][..], &(1u64 << 60).to_le_bytes(), &[1, 0, 0]].concat()),
        ("1.3 million events", "gzip", gzip(many_events().as_bytes())),
        ("500,000 brackets", "gzip", gzip(deep().as_bytes())),
        ("a repeated byte of 60 KB", "gzip", gzip(&[0; 60_000])),
    ];
    for (what, encoding, body) in bombs {
        const EACH: usize = 40;
        assert!(body.len() < 1 << 20, "{what}: {} bytes are refused unopened", body.len());
        let lines = format!("content-type: application/json\r\ncontent-encoding: {encoding}\r\n");
        let request = edge.request("POST", &edge.path(), &lines, &body);
        let said = join_all((0..EACH).map(|_| edge.exchange(&request))).await;
        let answers: Vec<u16> = said.iter().flat_map(|s| s.statuses.clone()).collect();
        assert_eq!(answers.len(), EACH, "{what}: {said:?}");
        assert!(answers.iter().all(|status| [400, 413, 415, 503].contains(status)), "{what}: {}", tally(answers));
        edge.is_well(&format!("{EACH} × {what} ({} bytes): {}", body.len(), tally(answers))).await;
    }
    let inflated = edge.metric("livemeter_ingest_requests_refused_total{error=\"inflated_too_large\"}").await;
    assert!(inflated >= 120, "{inflated}");
    assert_eq!(edge.sessions().len(), 1, "the honest viewer alone");
}

#[tokio::test(flavor = "multi_thread")]
async fn heads_beyond_all_measure_are_refused_and_hold_nothing() {
    let edge = Edge::start(Apps::with(&[]), &["--head-timeout", "2s"]).await;
    let (path, body) = (edge.path(), batch(vec![]).to_string());
    let lines = |lines: String| edge.request("POST", &path, &format!("content-type: application/json\r\n{lines}"), body.as_bytes());
    let heads = [
        ("one line of 100 KB", lines(format!("x: {}\r\n", "a".repeat(100_000)))),
        ("one line of 4 MB", lines(format!("x: {}\r\n", "a".repeat(4_000_000)))),
        ("1,000 lines", lines("x: a\r\n".repeat(1_000))),
        ("a target of 70 KB", edge.request("POST", &format!("/v1/events?key={}", "a".repeat(70_000)), "", b"")),
        ("a method of 70 KB", edge.request(&"A".repeat(70_000), &path, "", b"")),
        ("a head of 4 MB that does not end", [format!("POST {path} HTTP/1.1\r\n").into_bytes(), b"x: a\r\n".repeat(700_000)].concat()),
        ("a token of 60 KB", lines(format!("livemeter-token: {}\r\n", "a".repeat(60_000)))),
    ];
    for (what, request) in heads {
        const EACH: usize = 40;
        let said = join_all((0..EACH).map(|_| edge.exchange(&request))).await;
        // Cut off while it was still being sent, a head may lose its answer on the way; it is never taken.
        let refused = |s: &Said| s.closed && s.statuses.iter().all(|s| [400, 414, 431].contains(s));
        assert!(said.iter().all(refused), "{what}: {said:?}");
        let answers: Vec<Vec<u16>> = said.into_iter().map(|s| s.statuses).collect();
        edge.is_well(&format!("{EACH} × {what}: {}", tally(answers))).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn other_kinds_and_broken_bodies_are_refused_and_leave_nothing() {
    let edge = Edge::start(Apps::with(&[]), &["--body-timeout", "2s"]).await;
    let body = batch(vec![Session::new("broken", "u", "cdn-a").plays(1, 1).heartbeat()]).to_string();
    let kinds = [
        "text/html",
        "application/xml",
        "multipart/form-data; boundary=x",
        "application/x-www-form-urlencoded",
        "application/jsonx",
        "application/json-patch+json",
        "application",
        "",
        "application/octet-stream",
        "image/png",
        "application/json, text/html",
        "\u{e9}\u{e9}",
        "application/grpc",
        "application/msgpack",
    ];
    let mut answers = Vec::new();
    for kind in kinds {
        let request = edge.request("POST", &edge.path(), &format!("content-type: {kind}\r\n"), body.as_bytes());
        answers.extend(edge.exchange(&request).await.statuses);
    }
    answers.extend(edge.exchange(&edge.request("POST", &edge.path(), "", body.as_bytes())).await.statuses);
    for encoding in ["br", "deflate", "compress", "gzip, br", "zstd;q=1", "identity, identity"] {
        let lines = format!("content-type: application/json\r\ncontent-encoding: {encoding}\r\n");
        answers.extend(edge.exchange(&edge.request("POST", &edge.path(), &lines, body.as_bytes())).await.statuses);
    }
    assert!(answers.len() == 21 && answers.iter().all(|status| *status == 415), "{}", tally(answers));
    edge.is_well(&format!("15 other content types, 6 other encodings: {}", tally(answers))).await;

    // Cut at every byte, with a length that is true: never half a batch.
    let packed = gzip(body.as_bytes());
    for (what, lines, whole) in [
        ("JSON", "content-type: application/json\r\n", body.as_bytes()),
        ("gzip", "content-type: application/json\r\ncontent-encoding: gzip\r\n", &packed),
    ] {
        let cuts = (0..whole.len()).map(|cut| edge.request("POST", &edge.path(), lines, &whole[..cut])).collect::<Vec<_>>();
        let mut answers = Vec::new();
        for some in cuts.chunks(50) {
            answers.extend(join_all(some.iter().map(|request| edge.exchange(request))).await.into_iter().flat_map(|s| s.statuses));
        }
        assert!(answers.len() == whole.len() && answers.iter().all(|status| *status == 400), "{what}: {}", tally(answers));
        edge.is_well(&format!("{what} cut off at each of its {} bytes: {}", whole.len(), tally(answers))).await;
    }

    // Cut by going away, in the head, in a body, in a chunk: nobody is there to be answered.
    let head = format!("POST {} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n", edge.path());
    let chunked = format!("{head}transfer-encoding: chunked\r\n\r\n{:x}\r\n{body}\r\n", body.len());
    let sized = format!("{head}content-length: {}\r\n\r\n{body}", body.len());
    let gone = async |bytes: &[u8]| {
        let mut stream = edge.connect(None).await.expect("a connection");
        stream.write_all(bytes).await.expect("written");
    };
    for whole in [&sized, &chunked] {
        join_all((1..whole.len()).step_by(3).map(|cut| gone(&whole.as_bytes()[..cut]))).await;
    }
    let count = (sized.len() - 1).div_ceil(3) + (chunked.len() - 1).div_ceil(3);
    edge.is_well(&format!("{count} connections gone in the middle of a request")).await;
    assert_eq!(edge.sessions().len(), 1, "of all that was cut off nothing is on Kafka: {:?}", edge.sessions());
}
