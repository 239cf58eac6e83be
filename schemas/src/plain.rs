//! Pieces of JSON as our own writers write them, taken apart without a parser. None says nothing but "look closely":
//! what a text is that looks any other way is for serde to say.

/// A text with nothing escaped in it, behind its first quote, and what follows it.
pub fn text(text: &str) -> Option<(&str, &str)> {
    let (text, rest) = text.split_once('"')?;
    (!text.bytes().any(|b| b < b' ' || b == b'\\')).then_some((text, rest))
}

/// An integer as JSON writes it, and what follows it.
pub fn integer(text: &str) -> Option<(i64, &str)> {
    let end = text.bytes().position(|b| !b.is_ascii_digit() && b != b'-').unwrap_or(text.len());
    let (digits, rest) = text.split_at_checked(end)?;
    let bare = digits.strip_prefix('-').unwrap_or(digits);
    // JSON knows no leading zero, and an integer no negative one.
    let plain = digits == "0" || !(bare.starts_with('0') || bare.is_empty());
    plain.then(|| digits.parse().ok()).flatten().map(|n| (n, rest))
}
