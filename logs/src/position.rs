//! Where in a TOML text a refused field stands: its line, counted from 1. What is wrong there, the reader of the text says.

/// Line and field of what TOML itself refuses: the key it names, else `file`.
pub(crate) fn of_error(text: &str, error: &toml::de::Error) -> (Option<u64>, String) {
    let is_key = |word: &&str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
    let named = error.message().split('`').nth(1).filter(is_key);
    // The tables that `missing field` is said of begin where its span does; of the file itself that is line 1.
    let line = error.span().map(|span| line_at(text, span.start));
    (line, named.unwrap_or("file").to_owned())
}

/// The line on which a field is set, or its table begins; none where the text does not have it. `fields.time` is `time`
/// of `[fields]`.
pub(crate) fn of_field(text: &str, field: &str) -> Option<u64> {
    let (table, key) = field.rsplit_once('.').unwrap_or(("", field));
    let (mut inside, mut number) = ("", 0);
    for line in text.lines().map(str::trim) {
        number += 1;
        if let Some(head) = line.strip_prefix('[').and_then(|rest| rest.split(']').next()) {
            inside = head.trim();
            if inside == field {
                return Some(number);
            }
        }
        let sets = line.split_once('=').is_some_and(|(name, _)| name.trim().trim_matches('"') == key);
        if sets && inside == table {
            return Some(number);
        }
    }
    None
}

fn line_at(text: &str, at: usize) -> u64 {
    1 + text.bytes().take(at).filter(|byte| *byte == b'\n').count() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_found_in_its_table() {
        let text = "name = \"a\"\n\n\n[fields]\n  time = 2\nbytes = 3\n[time]\nformat = \"unix\"\n";
        let cases = [
            ("name", Some(1)),
            ("fields.time", Some(5)),
            ("fields.bytes", Some(6)),
            ("fields", Some(4)),
            ("time", Some(7)),
            ("bytes", None),
        ];
        for (field, line) in cases {
            assert_eq!(of_field(text, field), line, "{field}");
        }
    }

    #[test]
    fn what_toml_refuses_has_a_line_and_a_key() {
        let wrong = |text: &str| of_error(text, &toml::from_str::<std::collections::BTreeMap<String, u32>>(text).expect_err("refused"));
        assert_eq!(wrong("a = 1\nb = \"x\"\n").0, Some(2));
        assert_eq!(wrong("a = 1\n\nb =\n"), (Some(3), "file".to_owned()));
    }
}
