//! Bodies: whole, in pieces, packed, broken, and larger than they may be.

use super::*;
use crate::gate::Gate;
use flate2::Compression;
use flate2::write::GzEncoder;
use http_body_util::{Full, StreamBody};
use hyper::body::Frame;
use proptest::prelude::*;
use std::convert::Infallible;
use std::io::Write;

fn gzip(plain: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}

fn zstd_packed(plain: &[u8]) -> Vec<u8> {
    ::zstd::stream::encode_all(plain, 3).unwrap()
}

type Pack = fn(&[u8]) -> Vec<u8>;
const PACKINGS: [(Packing, Pack); 2] = [(Packing::Gzip, gzip), (Packing::Zstd, zstd_packed)];

fn room() -> Room {
    Gate::new("bytes", 1 << 30).room()
}

#[tokio::test]
async fn a_body_is_read_whole_up_to_the_limit_and_refused_one_byte_beyond() {
    for (chunks, declared) in [(vec![5, 5], None), (vec![10], Some(10)), (vec![1; 10], Some(10)), (vec![0, 10, 0], None)] {
        let frames = chunks.iter().map(|n| Ok::<_, Infallible>(Frame::data(Bytes::from(vec![b'x'; *n]))));
        let mut body = StreamBody::new(futures::stream::iter(frames.collect::<Vec<_>>()));
        assert_eq!(read(&mut body, declared, 10, &mut room()).await.unwrap().len(), 10, "{chunks:?}");
    }
    let mut body = Full::new(Bytes::from(vec![0; 11]));
    assert_eq!(read(&mut body, None, 10, &mut room()).await, Err(Fault::BodyBeyond { limit: 10 }));
    let mut unread = Full::new(Bytes::from(vec![0; 11]));
    assert_eq!(read(&mut unread, Some(11), 10, &mut room()).await, Err(Fault::BodyTooLarge { size: 11, limit: 10 }));
}

#[tokio::test]
async fn bytes_in_flight_are_bounded_over_all_requests() {
    let gate = Gate::new("bytes", 15);
    let (mut one, mut two) = (gate.room(), gate.room());
    read(&mut Full::new(Bytes::from(vec![0; 10])), None, 10, &mut one).await.unwrap();
    let refused = read(&mut Full::new(Bytes::from(vec![0; 10])), None, 10, &mut two).await;
    assert_eq!(refused, Err(Fault::Busy { what: "bytes", limit: 15 }));
}

#[test]
fn a_bomb_is_refused_by_size_or_by_ratio() {
    for (packing, pack) in PACKINGS {
        let bomb = pack(&vec![b'0'; 32 << 20]);
        assert_eq!(inflate(packing, &bomb, 4 << 20, 100_000, &mut room()), Err(Fault::InflatedBeyond { limit: 4 << 20 }));
        assert_eq!(inflate(packing, &bomb, 1 << 30, 100, &mut room()), Err(Fault::InflatedTooFar { limit: 100 }));
        // Many members or frames in one body are one body.
        let members: Vec<u8> = (0..64).flat_map(|_| pack(&vec![b'0'; 1 << 20])).collect();
        assert_eq!(inflate(packing, &members, 4 << 20, 100_000, &mut room()), Err(Fault::InflatedBeyond { limit: 4 << 20 }));
        let two = [pack(b"one, "), pack(b"two")].concat();
        assert_eq!(inflate(packing, &two, 100, 100, &mut room()).unwrap(), b"one, two");
    }
}

#[test]
fn what_is_broken_is_malformed_and_says_of_what_kind() {
    for (packing, pack) in PACKINGS {
        let whole = pack(&b"{\"a\":1}".repeat(100));
        let cut = (1..whole.len()).map(|length| whole[..length].to_vec());
        let with_rubbish = [whole.as_slice(), b"rubbish after it"].concat();
        for text in cut.chain([b"plain text".to_vec(), with_rubbish]) {
            let fault = inflate(packing, &text, 10_000, 100, &mut room());
            let named = format!("is not valid {}", packing.name());
            assert!(
                matches!(&fault, Err(Fault::Batch(r)) if r.code == Code::Malformed && r.reason.contains(&named)),
                "{text:?}: {fault:?}"
            );
        }
    }
}

#[test]
fn a_zstd_window_beyond_that_of_http_is_refused_whatever_it_holds() {
    for (window_log, accepted) in [(ZSTD_WINDOW_LOG_MAX, true), (ZSTD_WINDOW_LOG_MAX + 1, false), (27, false)] {
        let mut encoder = ::zstd::stream::write::Encoder::new(Vec::new(), 1).unwrap();
        encoder.window_log(window_log).unwrap();
        // In two writes: a frame whose size is known needs no larger window than that.
        encoder.write_all(b"{").unwrap();
        encoder.flush().unwrap();
        encoder.write_all(b"}").unwrap();
        let packed = encoder.finish().unwrap();
        assert_eq!(inflate(Packing::Zstd, &packed, 100, 100, &mut room()).is_ok(), accepted, "{window_log}");
    }
}

#[test]
fn skippable_zstd_frames_are_not_content() {
    let mut packed = vec![0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3];
    packed.extend(zstd_packed(b"{}"));
    assert_eq!(inflate(Packing::Zstd, &packed, 100, 100, &mut room()).unwrap(), b"{}");
}

#[test]
fn encodings_are_known_by_name() {
    assert_eq!(Encoding::named(None), Ok(Encoding::Identity));
    assert_eq!(Encoding::named(Some("GZIP")), Ok(Encoding::Packed(Packing::Gzip)));
    assert_eq!(Encoding::named(Some(" zstd")), Ok(Encoding::Packed(Packing::Zstd)));
    assert_eq!(Encoding::named(Some("br")), Err(Fault::Encoding("br".into())));
}

proptest! {
    #[test]
    fn what_was_packed_comes_back(plain in proptest::collection::vec(any::<u8>(), 0..5000)) {
        for (packing, pack) in PACKINGS {
            prop_assert_eq!(&inflate(packing, &pack(&plain), 5000, 100, &mut room()).unwrap(), &plain);
        }
    }

    #[test]
    fn any_bytes_are_inflated_or_refused_within_the_limit(bytes in proptest::collection::vec(any::<u8>(), 0..2000)) {
        let framed = [&[0x28, 0xb5, 0x2f, 0xfd], bytes.as_slice()].concat();
        for (packing, bytes) in [(Packing::Gzip, &bytes), (Packing::Zstd, &bytes), (Packing::Zstd, &framed)] {
            if let Ok(plain) = inflate(packing, bytes, 3000, 10, &mut room()) {
                prop_assert!(plain.len() <= 3000);
            }
        }
    }
}
