//! Text into lines, without copying them. A line over the limit is told as such, with its beginning.

use super::source::Source;
use crate::error::ImportError;
use memchr::{memchr, memchr_iter};

/// So little that what was hashed is still near when it is read; the caller hears of progress four times a MiB.
const READ_BYTES: usize = 256 << 10;

/// A line without its end (`\n` or `\r\n`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RawLine<'a> {
    Whole(&'a [u8]),
    /// Longer than the limit: its beginning.
    TooLong(&'a [u8]),
}

/// Calls `each` for every line of a source, from 1; `tick` after every read.
pub(crate) fn for_each(
    source: &mut Source,
    line_bytes_max: usize,
    mut each: impl FnMut(u64, RawLine) -> Result<(), ImportError>,
    mut tick: impl FnMut(&Source, u64) -> Result<(), ImportError>,
) -> Result<u64, ImportError> {
    // `held` bytes at the beginning are of a line whose end has not come yet.
    let mut buffer = vec![0; line_bytes_max + 2 + READ_BYTES];
    let (mut held, mut number) = (0, 0);
    // Inside a line that is too long, and was told already.
    let mut skipping = false;
    loop {
        let count = source.read(&mut buffer[held..])?;
        let filled = held + count;
        let mut start = 0;
        if count == 0 {
            if held > 0 && !skipping {
                number += 1;
                each(number, judged(&buffer[..held], line_bytes_max))?;
            }
            tick(source, number)?;
            return Ok(number);
        }
        if skipping {
            match memchr(b'\n', &buffer[..filled]) {
                Some(end) => (skipping, start) = (false, end + 1),
                None => start = filled,
            }
        }
        for end in memchr_iter(b'\n', &buffer[start..filled]).map({
            let from = start;
            move |end| from + end
        }) {
            number += 1;
            each(number, judged(&buffer[start..end], line_bytes_max))?;
            start = end + 1;
        }
        held = filled - start;
        if held > line_bytes_max + 1 {
            number += 1;
            each(number, RawLine::TooLong(&buffer[start..start + line_bytes_max]))?;
            (skipping, held) = (true, 0);
        }
        buffer.copy_within(start..start + held, 0);
        tick(source, number)?;
    }
}

fn judged(line: &[u8], line_bytes_max: usize) -> RawLine<'_> {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    if line.len() > line_bytes_max { RawLine::TooLong(&line[..line_bytes_max]) } else { RawLine::Whole(line) }
}
