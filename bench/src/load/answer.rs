//! Just enough HTTP to know when an answer has come whole, and whether it says that the events were taken. Pure.

use anyhow::{Context, Result, bail, ensure};

/// A head longer than this is no answer of anybody here.
const HEAD_BYTES_MAX: usize = 4096;
/// Where an answer says how many events were taken: at its beginning.
const SAID_WITHIN_BYTES: usize = 64;

/// An answer that has come whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answer<'a> {
    pub status: u16,
    pub body: &'a [u8],
}

impl Answer<'_> {
    /// Whether it is a success, and says that so many events were taken if it has to say.
    pub fn accepts(&self, events: Option<usize>) -> bool {
        let said = &self.body[..self.body.len().min(SAID_WITHIN_BYTES)];
        let said = std::str::from_utf8(said).unwrap_or_default();
        let number = said.split_once("\"accepted\":").map(|(_, rest)| rest.trim_start());
        let digits = number.map(|rest| rest.split(|c: char| !c.is_ascii_digit()).next().unwrap_or_default());
        let told = digits.and_then(|d| d.parse().ok());
        (200..300).contains(&self.status) && (events.is_none() || events == told)
    }
}

/// The answer at the beginning of `bytes`, once all of it is there.
pub fn read(bytes: &[u8]) -> Result<Option<Answer<'_>>> {
    let Some(end) = bytes.windows(4).take(HEAD_BYTES_MAX).position(|w| w == b"\r\n\r\n") else {
        ensure!(bytes.len() < HEAD_BYTES_MAX, "a head of more than {HEAD_BYTES_MAX} bytes");
        return Ok(None);
    };
    let head = std::str::from_utf8(&bytes[..end]).context("a head that is not text")?;
    let status = head.get(9..12).and_then(|digits| digits.parse().ok()).with_context(|| format!("no status in {head:?}"))?;
    let rest = &bytes[end + 4..];
    let header =
        |name: &str| head.lines().filter_map(|l| l.split_once(':')).find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.trim());
    match (header("content-length"), header("transfer-encoding")) {
        (Some(length), _) => {
            let length: usize = length.parse().with_context(|| format!("content-length {length:?}"))?;
            Ok(rest.get(..length).map(|body| Answer { status, body }))
        }
        // One chunk is as good as a whole body for what is asked of it here.
        (None, Some("chunked")) => {
            let body = rest.windows(2).position(|w| w == b"\r\n").map_or(rest, |line| &rest[line + 2..]);
            Ok(rest.ends_with(b"0\r\n\r\n").then_some(Answer { status, body }))
        }
        _ if status == 204 => Ok(Some(Answer { status, body: b"" })),
        _ => bail!("an answer without a length: {head:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_known_when_it_is_whole() {
        let whole = b"HTTP/1.1 200 OK\r\nContent-Length: 14\r\n\r\n{\"accepted\":3}";
        for until in 0..whole.len() {
            assert_eq!(read(&whole[..until]).unwrap(), None);
        }
        let answer = read(whole).unwrap().unwrap();
        assert!(answer.accepts(Some(3)) && answer.accepts(None) && !answer.accepts(Some(30)) && !answer.accepts(Some(4)));
        let chunked = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\ne\r\n{\"accepted\":3}\r\n0\r\n\r\n";
        assert!(read(chunked).unwrap().unwrap().accepts(Some(3)));
        assert_eq!(read(&chunked[..chunked.len() - 1]).unwrap(), None);
        let refused = b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n";
        assert!(!read(refused).unwrap().unwrap().accepts(None));
        assert!(read(&[b'x'; HEAD_BYTES_MAX + 4]).is_err() && read(b"HTTP/1.1 200 OK\r\n\r\n").is_err());
    }
}
