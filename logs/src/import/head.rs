//! Is this the format that was said? Judged by a file's first lines; and if not, what it looks like instead.

use crate::error::ImportError;
use crate::format::Format;
use crate::format::parser::{BadField, Parser};
use crate::limits::Limits;

/// Lines kept to guess by.
const GUESS_LINES: usize = 20;

pub(crate) struct Head {
    seen: u64,
    good: u64,
    bad: u64,
    first_bad: Option<(u64, BadField)>,
    lines: Vec<Vec<u8>>,
    limits: (u64, u64, u64),
    pub(crate) is_open: bool,
}

impl Head {
    pub(crate) fn new(limits: &Limits) -> Head {
        let limits = (limits.head_lines, limits.head_bad_percent, limits.head_bad_free);
        Head { seen: 0, good: 0, bad: 0, first_bad: None, lines: Vec::new(), limits, is_open: true }
    }

    /// Takes a line and what came of it; judges once enough were seen.
    pub(crate) fn take(&mut self, format: &Format, number: u64, line: &[u8], bad: Option<&BadField>) -> Result<(), ImportError> {
        self.seen += 1;
        if self.lines.len() < GUESS_LINES {
            self.lines.push(line.to_vec());
        }
        match bad {
            None => self.good += 1,
            Some(bad) => {
                self.bad += 1;
                self.first_bad.get_or_insert_with(|| (number, bad.clone()));
                if bad.in_header {
                    return Err(self.refusal(format));
                }
            }
        }
        if self.seen >= self.limits.0 {
            self.judge(format)?;
        }
        Ok(())
    }

    /// The verdict, at the end of the head or of the file.
    pub(crate) fn judge(&mut self, format: &Format) -> Result<(), ImportError> {
        let (_, percent, free) = self.limits;
        let wrong = self.bad > 0 && (self.good == 0 || self.bad > free && self.bad * 100 > self.seen * percent);
        if self.is_open && wrong {
            return Err(self.refusal(format));
        }
        self.is_open = false;
        Ok(())
    }

    fn refusal(&self, format: &Format) -> ImportError {
        let (line, bad) = self
            .first_bad
            .clone()
            .unwrap_or_else(|| (0, BadField { field: 0, name: "line".to_owned(), reason: "none".to_owned(), in_header: false }));
        let hint = match looks_like(&self.lines).filter(|name| *name != format.name()) {
            Some(name) => format!("{} of {} lines are no {}; this looks like {name}", self.bad, self.seen, format.name()),
            None => format!("{} of {} lines are no {}", self.bad, self.seen, format.name()),
        };
        ImportError::WrongFormat { line, field: bad.field, name: bad.name, reason: bad.reason, hint }
    }
}

/// The known format that reads most of the lines, if it reads at least half.
fn looks_like(lines: &[Vec<u8>]) -> Option<&'static str> {
    let read = |name: &&'static str| {
        let format = Format::named(name).ok()?;
        let mut parser = Parser::new(format.mapping());
        let good = lines.iter().filter(|line| matches!(parser.read(line, |_| ()), Ok(Some(())))).count();
        (good > 0 && good * 2 >= lines.len()).then_some((good, *name))
    };
    let mut names = Format::NAMES.iter().filter_map(read).collect::<Vec<_>>();
    names.sort_by_key(|(good, _)| std::cmp::Reverse(*good));
    names.first().map(|(_, name)| *name)
}
