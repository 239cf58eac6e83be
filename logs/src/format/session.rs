//! The session's id, out of a URL's query or a field of its own. CTA-5004 sends it as `CMCD=…sid%3D%22…%22…`, or in the
//! header `CMCD-Session: sid="…"`; a plain query parameter `sid` is understood too, where there is no CMCD.

use memchr::memmem::Finder;
use memchr::{memchr, memchr_iter, memchr2};

/// Looks for session ids; holds the room that decoding takes.
#[derive(Debug)]
pub(super) struct Sessions {
    sid: Finder<'static>,
    quoted_sid: Finder<'static>,
    encoded_sid: Finder<'static>,
    decoded: Vec<u8>,
    id: Vec<u8>,
}

impl Sessions {
    pub(super) fn new() -> Sessions {
        Sessions {
            sid: Finder::new(b"sid"),
            quoted_sid: Finder::new(b"sid=\""),
            encoded_sid: Finder::new(b"sid%3D%22"),
            decoded: Vec::new(),
            id: Vec::new(),
        }
    }

    /// Out of a whole URL, a path with a query, a request line `GET /… HTTP/1.1`, or a bare query.
    pub(super) fn in_url<'a>(&'a mut self, url: &'a [u8]) -> Option<&'a [u8]> {
        let query = query(url)?;
        let parameter = |name: &[u8]| {
            let starts = std::iter::once(0).chain(memchr_iter(b'&', query).map(|at| at + 1));
            let rest = starts.into_iter().find_map(|start| query[start..].strip_prefix(name))?;
            Some(&rest[..memchr(b'&', rest).unwrap_or(rest.len())])
        };
        if let Some(cmcd) = parameter(b"CMCD=") {
            if let Some(id) = plain_id(&self.encoded_sid, cmcd) {
                return Some(id);
            }
            if self.decode_cmcd(cmcd) {
                return Some(&self.id);
            }
        }
        let plain = parameter(b"sid=")?;
        self.id.clear();
        percent_decode(plain, &mut self.id);
        (!self.id.is_empty()).then_some(&self.id)
    }

    /// Out of a field that holds CMCD, encoded or not, or the id itself.
    pub(super) fn in_field(&mut self, text: &[u8]) -> Option<&[u8]> {
        if self.sid.find(text).is_some() && self.decode_cmcd(text) {
            return Some(&self.id);
        }
        let bare = !text.is_empty() && !text.iter().any(|byte| matches!(byte, b'=' | b',' | b'"'));
        if !bare {
            return None;
        }
        self.id.clear();
        self.id.extend_from_slice(text);
        Some(&self.id)
    }

    /// Some vendors encode what was encoded already: so it is decoded twice, if need be.
    fn decode_cmcd(&mut self, text: &[u8]) -> bool {
        self.decoded.clear();
        percent_decode(text, &mut self.decoded);
        self.take_id() || {
            let once = std::mem::take(&mut self.decoded);
            percent_decode(&once, &mut self.decoded);
            self.take_id()
        }
    }

    /// The string of key `sid`; a key begins the text or follows a comma (or Akamai's prefix).
    fn take_id(&mut self) -> bool {
        self.id.clear();
        let starts = self.quoted_sid.find_iter(&self.decoded);
        let key = |at: &usize| at.checked_sub(1).is_none_or(|before| matches!(self.decoded[before], b',' | b'/' | b' '));
        let Some(start) = starts.into_iter().find(key) else { return false };
        let mut rest = self.decoded[start + 5..].iter();
        while let Some(byte) = rest.next() {
            match byte {
                b'"' => return !self.id.is_empty(),
                b'\\' => self.id.extend(rest.next()),
                _ => self.id.push(*byte),
            }
        }
        false
    }
}

/// The common case, taken as it stands: encoded once, and nothing in the id that would have to be decoded.
fn plain_id<'a>(encoded_sid: &Finder, cmcd: &'a [u8]) -> Option<&'a [u8]> {
    let at = encoded_sid.find(cmcd)?;
    let is_key = at == 0 || cmcd[..at].ends_with(b"%2C");
    let id = &cmcd[at + 9..];
    let id = &id[..memchr2(b'%', b'\\', id)?];
    (is_key && !id.is_empty() && cmcd[at + 9 + id.len()..].starts_with(b"%22")).then_some(id)
}

/// What follows the question mark. Text that is no path and no URL is a query as it stands.
fn query(url: &[u8]) -> Option<&[u8]> {
    let query = match memchr(b'?', url) {
        Some(at) => &url[at + 1..],
        None if url.first() == Some(&b'/') || memchr2(b' ', b':', url).is_some() => return None,
        None => url,
    };
    Some(&query[..memchr2(b' ', b'#', query).unwrap_or(query.len())])
}

fn percent_decode(text: &[u8], into: &mut Vec<u8>) {
    let mut at = 0;
    while let Some(byte) = text.get(at) {
        let pair = || Some(hex(*text.get(at + 1)?)? << 4 | hex(*text.get(at + 2)?)?);
        match (*byte == b'%').then(pair).flatten() {
            Some(decoded) => {
                into.push(decoded);
                at += 3;
            }
            None => {
                into.push(*byte);
                at += 1;
            }
        }
    }
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).map(|value| value as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn in_url(url: &str) -> Option<String> {
        Sessions::new().in_url(url.as_bytes()).map(|id| String::from_utf8_lossy(id).into_owned())
    }

    fn in_field(text: &str) -> Option<String> {
        Sessions::new().in_field(text.as_bytes()).map(|id| String::from_utf8_lossy(id).into_owned())
    }

    #[test]
    fn a_session_is_found_wherever_vendors_put_it() {
        let id = Some("6e2fb550-c457".to_owned());
        assert_eq!(in_url("/a.m4s?CMCD=br%3D3200%2Csid%3D%226e2fb550-c457%22"), id);
        assert_eq!(in_url("a=1&CMCD=sid%3D%226e2fb550-c457%22%2Csf%3Dh"), id);
        assert_eq!(in_url("CMCD=br%253D3200%252Csid%253D%25226e2fb550-c457%2522"), id, "encoded twice");
        assert_eq!(in_url("GET http://a.example/b?x=1&CMCD=sid%3D%226e2fb550-c457%22 HTTP/1.1"), id);
        assert_eq!(in_url("/a?sid=6e2fb550%2Dc457&b=1#c"), id);
        assert_eq!(in_url("/a?sid=other&CMCD=sid%3D%226e2fb550-c457%22"), id, "CMCD comes first");
        assert_eq!(in_field("//1.0@V/bl=21600,br=1426,sid=%226e2fb550-c457%22,sf=h"), id);
        assert_eq!(in_field("v=1,sid=\"6e2fb550-c457\""), id);
        assert_eq!(in_field("6e2fb550-c457"), id);
        assert_eq!(in_url("/a?CMCD=sid%3D%22a%5C%22b%22"), Some("a\"b".to_owned()), "a quote inside");
    }

    #[test]
    fn what_is_none_is_not_taken_for_one() {
        let urls = [
            "/sid=1/a.ts",
            "/a?resid=1",
            "/a?x=sid",
            "/a?CMCD=nosid%3D%22a%22",
            "/a?CMCD=sid%3D%22a",
            "/a?sid=",
            "-",
            "",
            "/a?CMCD=cid%3D%22x%22",
        ];
        for url in urls {
            assert_eq!(in_url(url), None, "{url}");
        }
        assert_eq!(in_field("bl=21600,br=1426"), None);
    }
}
