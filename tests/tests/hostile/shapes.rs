//! Requests whose end two readers may see in different places, each with a second request hidden behind what one of
//! them takes for the end. Only their bytes are here, and what this service must make of them.

use Expect::{Once, Refused, Taken};

/// What a shape must come to. In none of them may the hidden request be carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expect {
    /// One refusal, and the connection is closed: nothing behind it is read as a request.
    Refused,
    /// One answer at most, whatever it is.
    Once,
    /// One answer, 200.
    Taken,
}

pub struct Shape {
    pub what: String,
    pub bytes: Vec<u8>,
    pub expect: Expect,
}

/// What the shapes are made of.
pub struct Parts<'a> {
    pub path: &'a str,
    /// A good batch.
    pub body: &'a str,
    /// A whole good request, which nobody must find.
    pub hidden: &'a str,
}

pub fn all(parts: &Parts) -> Vec<Shape> {
    [lengths(parts), encodings(parts), chunks(parts), heads(parts), refused_early(parts)].into_iter().flatten().collect()
}

fn shape(what: impl Into<String>, expect: Expect, bytes: impl Into<Vec<u8>>) -> Shape {
    Shape { what: what.into(), bytes: bytes.into(), expect }
}

/// A POST with these lines in its head, and this behind it.
fn post(parts: &Parts, lines: &str, rest: &str) -> String {
    format!("POST {} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n{lines}\r\n\r\n{rest}", parts.path)
}

/// Content-Length: twice, not a number, beyond all numbers.
fn lengths(parts: &Parts) -> Vec<Shape> {
    let (n, behind) = (parts.body.len(), format!("{}{}", parts.body, parts.hidden));
    let all = behind.len();
    let mut shapes = vec![
        shape("two lengths, the smaller first", Refused, post(parts, &format!("content-length: {n}\r\ncontent-length: {all}"), &behind)),
        shape("two lengths, the larger first", Refused, post(parts, &format!("content-length: {all}\r\ncontent-length: {n}"), &behind)),
        shape("the same length twice", Taken, post(parts, &format!("content-length: {n}\r\ncontent-length: {n}"), parts.body)),
        shape("two names that differ in case", Refused, post(parts, &format!("Content-Length: {n}\r\ncONTENT-lENGTH: {all}"), &behind)),
    ];
    for length in [
        format!("{n}, {n}"),
        format!("{n},{all}"),
        format!("+{n}"),
        format!("-{n}"),
        format!("0x{n:x}"),
        format!("{n} {n}"),
        format!("{n};"),
        format!("{n}.0"),
        format!("\"{n}\""),
        String::new(),
        "18446744073709551617".into(),
        "99999999999999999999999".into(),
        format!("{n}\u{b}"),
    ] {
        shapes.push(shape(format!("length {length:?}"), Refused, post(parts, &format!("content-length: {length}"), &behind)));
    }
    shapes
}

/// Transfer-Encoding: beside a length, and in spellings that one reader takes for it and another does not.
fn encodings(parts: &Parts) -> Vec<Shape> {
    let (n, chunked) = (parts.body.len(), format!("{:x}\r\n{}\r\n0\r\n\r\n", parts.body.len(), parts.body));
    let (then, empty) = (format!("{chunked}{}", parts.hidden), format!("0\r\n\r\n{}", parts.hidden));
    let mut shapes = vec![
        shape("chunked, then a length", Taken, post(parts, &format!("transfer-encoding: chunked\r\ncontent-length: {n}"), &then)),
        shape("a length, then chunked", Taken, post(parts, &format!("content-length: {n}\r\ntransfer-encoding: chunked"), &then)),
        shape(
            "chunked, then a length over all",
            Once,
            post(parts, &format!("transfer-encoding: chunked\r\ncontent-length: {}", empty.len()), &empty),
        ),
        shape(
            "a length over all, then chunked",
            Once,
            post(parts, &format!("content-length: {}\r\ntransfer-encoding: chunked", empty.len()), &empty),
        ),
    ];
    for lines in [
        "transfer-encoding: xchunked",
        "transfer-encoding: chunked, identity",
        "transfer-encoding: identity",
        "transfer-encoding: gzip",
        "transfer-encoding: chunked\r\ntransfer-encoding: identity",
        "transfer-encoding: \"chunked\"",
        "transfer-encoding: chunked;q=1",
        "transfer-encoding: chunk ed",
        "transfer-encoding: chunked\u{b}",
        "transfer-encoding: \u{b}chunked",
        "transfer-encoding : chunked",
        "transfer-encoding\t: chunked",
        " transfer-encoding: chunked",
        "x: a\r\n transfer-encoding: chunked",
        "transfer-encoding:\r\n chunked",
        "transfer encoding: chunked",
        ": chunked",
        "transfer-encoding",
        "transfer-encoding: chunked\0",
        "x: a\rtransfer-encoding: chunked",
        "x: a\0\r\ntransfer-encoding: chunked",
    ] {
        let with_length = format!("content-length: {}\r\n{lines}", empty.len());
        shapes.push(shape(format!("{lines:?}"), Refused, post(parts, &with_length, &empty)));
    }
    // Names that are none: the length counts, and what it covers is no JSON.
    for lines in ["transfer_encoding: chunked", "te: chunked", "x-transfer-encoding: chunked", "transfer-encodingx: chunked"] {
        shapes.push(shape(format!("{lines:?}"), Once, post(parts, &format!("content-length: {}\r\n{lines}", empty.len()), &empty)));
    }
    let old = post(parts, "connection: keep-alive\r\ntransfer-encoding: chunked", &then)
        .replace("HTTP/1.1\r\nhost: x\r\ncontent-type", "HTTP/1.0\r\nhost: x\r\ncontent-type");
    shapes.push(shape("chunked in HTTP/1.0", Refused, old));
    shapes
}

/// Chunks whose size or end is not what it seems.
fn chunks(parts: &Parts) -> Vec<Shape> {
    let (n, body, hidden) = (parts.body.len(), parts.body, parts.hidden);
    let chunked = |text: String| post(parts, "transfer-encoding: chunked", &text);
    let mut shapes = Vec::new();
    for size in [
        format!("0x{n:x}"),
        format!("-{n:x}"),
        format!("+{n:x}"),
        format!("{n:x}g"),
        format!("{n:x} {n:x}"),
        String::new(),
        " ".into(),
        "ffffffffffffffff0".into(),
        format!("{n:x},"),
        format!("\u{b}{n:x}"),
    ] {
        shapes.push(shape(format!("a chunk of size {size:?}"), Once, chunked(format!("{size}\r\n{body}\r\n0\r\n\r\n{hidden}"))));
    }
    let ends = [
        ("a size that ends in LF", format!("{n:x}\n{body}\r\n0\r\n\r\n")),
        ("a size that ends in CR", format!("{n:x}\r{body}\r\n0\r\n\r\n")),
        ("an extension with LF", format!("{n:x};a=\nb\r\n{body}\r\n0\r\n\r\n")),
        ("a chunk longer than its size", format!("1\r\n{body}\r\n0\r\n\r\n")),
        ("a chunk without its end", format!("{n:x}\r\n{body}0\r\n\r\n")),
        ("a chunk that ends in LF", format!("{n:x}\r\n{body}\n0\r\n\r\n")),
        ("a chunk that ends in two other bytes", format!("{n:x}\r\n{body}XX0\r\n\r\n")),
        ("a last chunk that ends in LF", format!("{n:x}\r\n{body}\r\n0\n\n")),
        ("a last chunk of many zeros", format!("{n:x}\r\n{body}\r\n{}\r\n\r\n", "0".repeat(200))),
        ("a length among the trailers", format!("{n:x}\r\n{body}\r\n0\r\ncontent-length: 9\r\n\r\n")),
        ("chunked among the trailers", format!("{n:x}\r\n{body}\r\n0\r\ntransfer-encoding: chunked\r\n\r\n")),
        ("an extension of 1 MB", format!("{n:x};{}\r\n{body}\r\n0\r\n\r\n", "a".repeat(1_000_000))),
        ("trailers of 1 MB", format!("{n:x}\r\n{body}\r\n0\r\n{}\r\n", "x: a\r\n".repeat(170_000))),
    ];
    // Behind a body that is whole for every reader, a second request is no smuggling; here it is never whole for all.
    shapes.extend(ends.into_iter().map(|(what, text)| {
        shape(what, Once, chunked(format!("{text}{}", if what.contains("trailers") || what.contains("zeros") { "" } else { hidden })))
    }));
    shapes
}

/// Heads that end where only some would end them.
fn heads(parts: &Parts) -> Vec<Shape> {
    let (n, body, hidden, path) = (parts.body.len(), parts.body, parts.hidden, parts.path);
    let rest = format!("{body}{hidden}");
    let with = |line: &str| post(parts, &format!("{line}\r\ncontent-length: {n}"), &rest);
    let mut shapes: Vec<Shape> = ["x: a\r\n b", "x: a\r\n\tb", "x: a\rb", "x: a\0b", "x y: a", "x\0: a", "(x): a", "x", ": a", "x\r: a"]
        .into_iter()
        .map(|line| shape(format!("a line {line:?}"), Refused, with(line)))
        .collect();
    shapes.extend([
        shape("a space before the first line", Refused, post(parts, &format!("content-length: {n}"), &rest).replacen("host", " host", 1)),
        shape(
            "a target with a space",
            Refused,
            post(parts, &format!("content-length: {n}"), &rest).replacen(path, &format!("{path} x"), 1),
        ),
        shape("HTTP/1.2", Refused, post(parts, &format!("content-length: {n}"), &rest).replacen("HTTP/1.1", "HTTP/1.2", 1)),
        shape("HTTP/0.9", Refused, format!("GET {path}\r\n\r\n{hidden}")),
        shape("HTTP/2's preface", Refused, format!("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n{hidden}")),
        shape(
            "an upgrade to h2c",
            Once,
            post(
                parts,
                &format!(
                    "connection: upgrade, http2-settings\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABk\r\ncontent-length: {}",
                    rest.len()
                ),
                &rest,
            ),
        ),
        shape("CONNECT", Refused, format!("CONNECT x:443 HTTP/1.1\r\nhost: x\r\n\r\n{hidden}")),
        shape("a TLS hello", Refused, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".repeat(40)),
        shape(
            "lines that end in LF alone",
            Taken,
            format!("POST {path} HTTP/1.1\nhost: x\ncontent-type: application/json\ncontent-length: {n}\n\n{body}"),
        ),
        shape("two hosts", Once, post(parts, &format!("host: y\r\ncontent-length: {}", rest.len()), &rest)),
        shape(
            "a connection line that names the length",
            Once,
            post(parts, &format!("connection: content-length\r\ncontent-length: {}", rest.len()), &rest),
        ),
    ]);
    shapes
}

/// Requests that are refused before their body has been read, with the hidden one as that body.
fn refused_early(parts: &Parts) -> Vec<Shape> {
    let (n, hidden) = (parts.hidden.len(), parts.hidden);
    let plain = |method: &str, path: &str, lines: &str| {
        format!("{method} {path} HTTP/1.1\r\nhost: x\r\n{lines}content-length: {n}\r\n\r\n{hidden}")
    };
    let json = "content-type: application/json\r\n";
    vec![
        shape("a body behind a wrong key", Once, plain("POST", "/v1/events?key=lmw_00000000_0", json)),
        shape("a body behind no key", Once, plain("POST", "/v1/events", json)),
        shape("a body of another kind", Once, plain("POST", parts.path, "content-type: text/html\r\n")),
        shape("a body packed unknown", Once, plain("POST", parts.path, "content-type: application/json\r\ncontent-encoding: br\r\n")),
        shape("a body where nothing is", Once, plain("POST", "/nowhere", json)),
        shape("a body of a GET", Once, plain("GET", "/healthz", "")),
        shape("a body of an OPTIONS", Once, plain("OPTIONS", "/v1/events", "origin: https://x.example\r\n")),
        shape("a body of a DELETE", Once, plain("DELETE", parts.path, json)),
        shape(
            "a body that did not wait for 100",
            Once,
            plain("POST", "/v1/events?key=x", "content-type: application/json\r\nexpect: 100-continue\r\n"),
        ),
        shape(
            "an expectation nobody knows",
            Once,
            plain("POST", parts.path, "content-type: application/json\r\nexpect: the-unexpected\r\n"),
        ),
        shape(
            "a chunked body of a GET",
            Once,
            format!("GET /healthz HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n{n:x}\r\n{hidden}\r\n0\r\n\r\n"),
        ),
    ]
}
