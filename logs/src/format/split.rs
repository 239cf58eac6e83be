//! A line into fields: by a delimiter, or by spaces where "…" and […] hold together. Fields are places in the line.

use memchr::{memchr, memchr_iter, memchr2};
use std::ops::Range;

pub(super) type Span = Range<u32>;

/// Fields between delimiters. The first `wanted` are found, the others only counted, which is much faster.
/// Returns how many there are.
pub(super) fn delimited(line: &[u8], delimiter: u8, wanted: usize, spans: &mut Vec<Span>) -> usize {
    spans.clear();
    let mut start = 0;
    let mut ends = memchr_iter(delimiter, line);
    for end in ends.by_ref().take(wanted) {
        spans.push(start..end as u32);
        start = end as u32 + 1;
    }
    if spans.len() < wanted {
        spans.push(start..line.len() as u32);
        return spans.len();
    }
    spans.len() + ends.count() + 1
}

/// Fields between spaces. Quotes and brackets are no part of the field; an open one is an error, told by its place.
pub(super) fn spaced(line: &[u8], max: usize, spans: &mut Vec<Span>) -> Result<(), usize> {
    spans.clear();
    let mut at = 0;
    while at < line.len() && spans.len() <= max {
        let (span, next) = match line[at] {
            b' ' => {
                at += 1;
                continue;
            }
            b'"' => {
                let end = closing_quote(line, at + 1).ok_or(at)?;
                (at + 1..end, end + 1)
            }
            b'[' => {
                let end = at + memchr(b']', &line[at..]).ok_or(at)?;
                (at + 1..end, end + 1)
            }
            _ => {
                let end = memchr(b' ', &line[at..]).map_or(line.len(), |length| at + length);
                (at..end, end)
            }
        };
        spans.push(span.start as u32..span.end as u32);
        at = next;
    }
    Ok(())
}

/// A quote behind a backslash does not close.
fn closing_quote(line: &[u8], from: usize) -> Option<usize> {
    let mut at = from;
    loop {
        at += memchr2(b'"', b'\\', line.get(at..)?)?;
        if line[at] == b'"' {
            return Some(at);
        }
        at += 2;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts<'a>(line: &'a str, spans: &[Span]) -> Vec<&'a str> {
        spans.iter().map(|span| &line[span.start as usize..span.end as usize]).collect()
    }

    #[test]
    fn fields_are_found() {
        let mut spans = Vec::new();
        assert_eq!(delimited(b"a\t\tb\t", b'\t', 9, &mut spans), 4);
        assert_eq!(texts("a\t\tb\t", &spans), ["a", "", "b", ""]);
        for (wanted, found) in [(1, vec!["a"]), (3, vec!["a", "b", "c"]), (4, vec!["a", "b", "c", "d"])] {
            assert_eq!(delimited(b"a,b,c,d", b',', wanted, &mut spans), 4);
            assert_eq!(texts("a,b,c,d", &spans), found);
        }
        let line = r#"1.2.3.4 - [9/Jun/2015:01:58:09 +0800] "GET /a \"b\" HTTP/1.1"  200"#;
        spaced(line.as_bytes(), 9, &mut spans).unwrap();
        assert_eq!(texts(line, &spans), ["1.2.3.4", "-", "9/Jun/2015:01:58:09 +0800", r#"GET /a \"b\" HTTP/1.1"#, "200"]);
        assert_eq!(spaced(b"a \"b", 9, &mut spans), Err(2));
        assert_eq!(spaced(b"a \"b\\", 9, &mut spans), Err(2));
        assert_eq!(spaced(b"[a", 9, &mut spans), Err(0));
    }
}
