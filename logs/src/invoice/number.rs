//! Numbers as people write them on invoices → exact decimals. What could be read in two ways is refused.

use rust_decimal::Decimal;

/// Which sign parts the whole from the fraction; the other may part thousands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    Point,
    Comma,
    /// A program's: a point, no thousands, exponents allowed.
    Plain,
}

/// `1,234.50`, `-0.5`, `(12.00)`, `¥ 7`. The error is a reason.
pub(super) fn decimal(text: &str, style: Style) -> Result<Decimal, String> {
    let wrong = |reason: &str| format!("`{text}` {reason}");
    if style == Style::Plain {
        let read = if text.contains(['e', 'E']) { Decimal::from_scientific(text) } else { Decimal::from_str_exact(text) };
        return read.map_err(|error| wrong(&format!("is no decimal: {error}")));
    }
    let (mut rest, mut is_negative) = (text.trim(), false);
    if let Some(inner) = rest.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')) {
        (rest, is_negative) = (inner.trim(), true);
    }
    let currency = |sign: char| matches!(sign, '¥' | '￥' | '$' | '€' | '£') || sign.is_whitespace();
    rest = rest.trim_matches(currency);
    if let Some(positive) = rest.strip_prefix(['-', '−']) {
        (rest, is_negative) = (positive.trim_start_matches(currency), !is_negative);
    }
    let (point, thousands) = if style == Style::Comma { (',', '.') } else { ('.', ',') };
    let (whole, fraction) = rest.split_once(point).map_or((rest, None), |(whole, fraction)| (whole, Some(fraction)));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let groups: Vec<&str> = whole.split([thousands, ' ', '\u{a0}', '\u{202f}', '\'', '’']).collect();
    let grouped = groups.len() == 1 || groups[0].len() <= 3 && groups[1..].iter().all(|group| group.len() == 3);
    if !groups.iter().all(|group| digits(group)) || !fraction.is_none_or(digits) {
        let hint = if rest.contains(['e', 'E']) { "has an exponent: digits may have been lost on the way" } else { "is no number" };
        return Err(wrong(hint));
    }
    if !grouped {
        return Err(wrong("has a sign that parts no thousands: is `decimal_comma` right?"));
    }
    let plain = format!("{}{}.{}", if is_negative { "-" } else { "" }, groups.concat(), fraction.unwrap_or("0"));
    // Scale as written: 12.50 stays 12.50, 7 stays 7.
    let plain = if fraction.is_none() { plain.trim_end_matches(".0") } else { &plain };
    Decimal::from_str_exact(plain).map_err(|error| wrong(&format!("is no decimal of 28 digits: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn point(text: &str) -> Result<String, String> {
        decimal(text, Style::Point).map(|number| number.to_string())
    }

    fn comma(text: &str) -> Result<String, String> {
        decimal(text, Style::Comma).map(|number| number.to_string())
    }

    #[test]
    fn numbers_are_read_as_they_are_written() {
        assert_eq!(point("1,234,567.50").as_deref(), Ok("1234567.50"));
        assert_eq!(comma("1.234.567,50").as_deref(), Ok("1234567.50"));
        assert_eq!(point("¥ 7").as_deref(), Ok("7"));
        assert_eq!(point("(12.00)").as_deref(), Ok("-12.00"));
        assert_eq!(point("-$0.10").as_deref(), Ok("-0.10"));
        assert_eq!(comma("1 234,5").as_deref(), Ok("1234.5"));
        assert_eq!(point("0.1234567890123456789012345678").as_deref(), Ok("0.1234567890123456789012345678"));
        assert_eq!(decimal("1.5E-7", Style::Plain).map(|n| n.to_string()).as_deref(), Ok("0.00000015"));
    }

    #[test]
    fn what_could_be_two_numbers_is_none() {
        for text in ["1,23", "1.2.3", "1,2345", "12,34,567", "1.2E+07", "", "-", "12 GB", "1234,567,8", "NaN", "٣"] {
            assert!(point(text).is_err(), "{text}");
        }
        assert!(comma("1.23").unwrap_err().contains("decimal_comma"));
    }

    proptest! {
        #[test]
        fn any_decimal_comes_back(mantissa in any::<i64>(), scale in 0u32..12) {
            let number = Decimal::new(mantissa, scale);
            prop_assert_eq!(decimal(&number.to_string(), Style::Point).unwrap().to_string(), number.to_string());
            prop_assert_eq!(decimal(&number.to_string().replace('.', ","), Style::Comma).unwrap(), number);
            prop_assert_eq!(decimal(&number.to_string(), Style::Plain).unwrap(), number);
        }
    }
}
