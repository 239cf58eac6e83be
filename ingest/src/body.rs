//! A request's bytes: read and counted, inflated and counted, never beyond the limits. What the
//! bytes mean is not here: see [`crate::batch`].

use crate::error::Fault;
use crate::gate::Room;
use bytes::{Bytes, BytesMut};
use flate2::bufread::MultiGzDecoder;
use http_body_util::BodyExt;
use hyper::body::Body;
use livemeter_schemas::refusal::{Code, Refusal};
use std::io::Read;

/// A small body may inflate this far whatever its ratio: one line of zeros is no bomb.
const RATIO_FREE_BYTES: usize = 64 * 1024;
/// Room made for a body that does not say its size.
const FIRST_BYTES: usize = 8 * 1024;

/// How the bytes are packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    Identity,
    Gzip,
}

impl Encoding {
    /// Reads a `Content-Encoding`; none is identity.
    pub fn named(name: Option<&str>) -> Result<Self, Fault> {
        match name.map(str::trim) {
            None | Some("") => Ok(Encoding::Identity),
            Some(name) if name.eq_ignore_ascii_case("identity") => Ok(Encoding::Identity),
            Some(name) if name.eq_ignore_ascii_case("gzip") || name.eq_ignore_ascii_case("x-gzip") => Ok(Encoding::Gzip),
            Some(name) => Err(Fault::Encoding(name.chars().take(80).collect())),
        }
    }
}

/// Reads a body of at most `max` bytes. `declared` is its Content-Length, which is believed only
/// when it says too much; every byte that arrives is taken from `room`.
pub async fn read<B>(body: &mut B, declared: Option<u64>, max: usize, room: &mut Room) -> Result<Bytes, Fault>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: std::fmt::Display,
{
    if let Some(size) = declared.filter(|size| *size > max as u64) {
        return Err(Fault::BodyTooLarge { size, limit: max });
    }
    let Some(first) = next(body, 0, max, room).await? else { return Ok(Bytes::new()) };
    // Nearly every body arrives whole in its first frame; then nothing is copied.
    if body.is_end_stream() || declared == Some(first.len() as u64) {
        return Ok(first);
    }
    let expected = declared.map_or(FIRST_BYTES, |size| size as usize);
    let mut whole = BytesMut::with_capacity(expected.max(first.len()));
    whole.extend_from_slice(&first);
    while let Some(data) = next(body, whole.len(), max, room).await? {
        whole.extend_from_slice(&data);
    }
    Ok(whole.freeze())
}

/// The next bytes of a body of which `so_far` have arrived.
async fn next<B>(body: &mut B, so_far: usize, max: usize, room: &mut Room) -> Result<Option<Bytes>, Fault>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: std::fmt::Display,
{
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|e| Fault::BodyBroken(e.to_string()))?;
        let Ok(data) = frame.into_data() else { continue };
        if data.is_empty() {
            continue;
        }
        if so_far + data.len() > max {
            return Err(Fault::BodyBeyond { limit: max });
        }
        room.grow(data.len())?;
        return Ok(Some(data));
    }
    Ok(None)
}

/// Unpacks gzip to at most `max` bytes and at most `ratio` times its size; stops at the first byte
/// beyond. The room is taken before the first byte is unpacked.
pub fn inflate(packed: &[u8], max: usize, ratio: usize, room: &mut Room) -> Result<Vec<u8>, Fault> {
    let by_ratio = packed.len().saturating_mul(ratio).max(RATIO_FREE_BYTES);
    let limit = max.min(by_ratio);
    room.grow(limit)?;
    let mut plain = Vec::with_capacity(limit.min(packed.len().saturating_mul(4)));
    MultiGzDecoder::new(packed).take(limit as u64 + 1).read_to_end(&mut plain).map_err(|e| {
        let reason = format!("the body is not valid gzip: {e}");
        Fault::Batch(Refusal { field: Some("body".into()), ..Refusal::whole(Code::Malformed, reason) })
    })?;
    if plain.len() <= limit {
        return Ok(plain);
    }
    Err(if by_ratio < max { Fault::InflatedTooFar { limit: ratio } } else { Fault::InflatedBeyond { limit: max } })
}

#[cfg(test)]
mod tests {
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
        let bomb = gzip(&vec![b'0'; 32 << 20]);
        assert_eq!(inflate(&bomb, 4 << 20, 10_000, &mut room()), Err(Fault::InflatedBeyond { limit: 4 << 20 }));
        assert_eq!(inflate(&bomb, 1 << 30, 100, &mut room()), Err(Fault::InflatedTooFar { limit: 100 }));
        // Many members in one body are one body.
        let members: Vec<u8> = (0..64).flat_map(|_| gzip(&vec![b'0'; 1 << 20])).collect();
        assert_eq!(inflate(&members, 4 << 20, 10_000, &mut room()), Err(Fault::InflatedBeyond { limit: 4 << 20 }));
    }

    #[test]
    fn broken_gzip_is_malformed() {
        let mut packed = gzip(b"{}");
        packed.truncate(packed.len() - 3);
        for text in [packed.as_slice(), b"plain".as_slice()] {
            assert!(matches!(inflate(text, 100, 100, &mut room()), Err(Fault::Batch(r)) if r.code == Code::Malformed));
        }
    }

    #[test]
    fn encodings_are_known_by_name() {
        assert_eq!(Encoding::named(None), Ok(Encoding::Identity));
        assert_eq!(Encoding::named(Some("GZIP")), Ok(Encoding::Gzip));
        assert_eq!(Encoding::named(Some("br")), Err(Fault::Encoding("br".into())));
    }

    proptest! {
        #[test]
        fn what_was_packed_comes_back(plain in proptest::collection::vec(any::<u8>(), 0..5000)) {
            prop_assert_eq!(inflate(&gzip(&plain), 5000, 100, &mut room()).unwrap(), plain);
        }

        #[test]
        fn any_bytes_are_inflated_or_refused_within_the_limit(bytes in proptest::collection::vec(any::<u8>(), 0..2000)) {
            if let Ok(plain) = inflate(&bytes, 3000, 10, &mut room()) {
                prop_assert!(plain.len() <= 3000);
            }
        }
    }
}
