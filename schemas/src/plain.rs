//! Pieces of JSON as our own writers write them, taken apart without a parser. None says nothing but "look closely":
//! what a text is that looks any other way is for serde to say.

/// Ten to this power fits into an integer of 64 bits whatever its digits: longer ones are for serde.
const DIGITS_MAX: usize = 18;

/// A text with nothing escaped in it, behind its first quote, and what follows it.
pub fn text(text: &str) -> Option<(&str, &str)> {
    let end = memchr::memchr(b'"', text.as_bytes())?;
    let (text, rest) = (text.get(..end)?, text.get(end + 1..)?);
    // Every byte is looked at, without a way out in between: the compiler makes a few wide steps of it.
    let escaped = text.bytes().fold(false, |found, b| found | (b < b' ') | (b == b'\\'));
    (!escaped).then_some((text, rest))
}

/// An integer as JSON writes it, and what follows it.
pub fn integer(text: &str) -> Option<(i64, &str)> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let negative = digits.len() < text.len();
    let (mut n, mut length) = (0, 0);
    for digit in digits.bytes().map(|b| b.wrapping_sub(b'0')).take_while(|digit| *digit < 10) {
        if length == DIGITS_MAX {
            return None;
        }
        n = n * 10 + i64::from(digit);
        length += 1;
    }
    // JSON knows no leading zero, and an integer no negative one.
    let plain = match digits.as_bytes().first()? {
        b'0' => length == 1 && !negative,
        _ => length > 0,
    };
    plain.then_some((if negative { -n } else { n }, digits.get(length..)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn texts() {
        assert_eq!(text("a é\",1"), Some(("a é", ",1")));
        assert_eq!(text("\"x"), Some(("", "x")));
        for left_to_serde in ["a", "", "a\\\"\"", "a\tb\"", "\u{1f}\""] {
            assert_eq!(text(left_to_serde), None, "{left_to_serde:?}");
        }
    }

    #[test]
    fn integers() {
        assert_eq!(integer("0,"), Some((0, ",")));
        assert_eq!(integer("-120"), Some((-120, "")));
        assert_eq!(integer("999999999999999999}"), Some((999_999_999_999_999_999, "}")));
        for left_to_serde in ["", "-", "-0", "00", "01", "x", "1000000000000000000", "-é"] {
            assert_eq!(integer(left_to_serde), None, "{left_to_serde:?}");
        }
    }

    proptest! {
        /// What is read here is what serde reads.
        #[test]
        fn an_integer_is_read_in_one_way(written in "-?[0-9]{0,20}[.e,} ]?[0-9]{0,2}") {
            if let Some((n, rest)) = integer(&written) {
                let own = &written[..written.len() - rest.len()];
                prop_assert_eq!(serde_json::from_str::<i64>(own).ok(), Some(n), "{}", written);
            }
        }
    }
}
