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
/// The largest window that a zstd frame may ask for, 2^23 bytes: what RFC 9659 allows over HTTP. Unpacking is
/// synchronous, so there are never more of them than worker threads.
const ZSTD_WINDOW_LOG_MAX: u32 = 23;
/// Room made for a body that does not say its size.
const FIRST_BYTES: usize = 8 * 1024;

/// How the bytes are packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    Identity,
    Packed(Packing),
}

/// The two that clients can make: gzip in every browser, zstd where a server or app batches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Packing {
    Gzip,
    Zstd,
}

impl Encoding {
    /// Reads a `Content-Encoding`; none is identity.
    pub fn named(name: Option<&str>) -> Result<Self, Fault> {
        match name.map(str::trim) {
            None | Some("") => Ok(Encoding::Identity),
            Some(name) if name.eq_ignore_ascii_case("identity") => Ok(Encoding::Identity),
            Some(name) if name.eq_ignore_ascii_case("gzip") || name.eq_ignore_ascii_case("x-gzip") => Ok(Encoding::Packed(Packing::Gzip)),
            Some(name) if name.eq_ignore_ascii_case("zstd") => Ok(Encoding::Packed(Packing::Zstd)),
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

/// Unpacks to at most `max` bytes and at most `ratio` times its size; stops at the first byte
/// beyond. The room is taken before the first byte is unpacked.
pub fn inflate(packing: Packing, packed: &[u8], max: usize, ratio: usize, room: &mut Room) -> Result<Vec<u8>, Fault> {
    let by_ratio = packed.len().saturating_mul(ratio).max(RATIO_FREE_BYTES);
    let limit = max.min(by_ratio);
    room.grow(limit)?;
    let mut plain = Vec::with_capacity(limit.min(packed.len().saturating_mul(4)));
    let beyond = limit as u64 + 1;
    // Several members or frames in a row are one body, and counted as one.
    let read = match packing {
        Packing::Gzip => MultiGzDecoder::new(packed).take(beyond).read_to_end(&mut plain),
        Packing::Zstd => unzstd(packed).and_then(|decoder| decoder.take(beyond).read_to_end(&mut plain)),
    };
    read.map_err(|e| {
        let reason = format!("the body is not valid {}: {e}", packing.name());
        Fault::Batch(Refusal { field: Some("body".into()), ..Refusal::whole(Code::Malformed, reason) })
    })?;
    if plain.len() <= limit {
        return Ok(plain);
    }
    Err(if by_ratio < max { Fault::InflatedTooFar { limit: ratio } } else { Fault::InflatedBeyond { limit: max } })
}

fn unzstd(packed: &[u8]) -> std::io::Result<zstd::stream::read::Decoder<'static, &[u8]>> {
    let mut decoder = zstd::stream::read::Decoder::with_buffer(packed)?;
    decoder.window_log_max(ZSTD_WINDOW_LOG_MAX)?;
    Ok(decoder)
}

impl Packing {
    fn name(self) -> &'static str {
        match self {
            Packing::Gzip => "gzip",
            Packing::Zstd => "zstd",
        }
    }
}

#[cfg(test)]
#[path = "body_tests.rs"]
mod tests;
