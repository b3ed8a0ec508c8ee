//! What a command prints: text, or one JSON value.

use std::fmt;
use std::io::{self, Write as _};

use serde::Serialize;

use crate::failure::Failure;

/// How results are printed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Output {
    json: bool,
}

impl Output {
    pub(crate) const fn new(json: bool) -> Self {
        Self { json }
    }

    /// Prints a result: its text, or its fields.
    pub(crate) fn print<T: Serialize + fmt::Display>(self, result: &T) -> Result<(), Failure> {
        let failed = |source| Failure::Output { source };
        let mut out = io::stdout().lock();
        if self.json {
            serde_json::to_writer(&mut out, result).map_err(|error| failed(error.into()))?;
            writeln!(out).map_err(failed)
        } else {
            write!(out, "{result}").map_err(failed)
        }
    }
}

/// Text from outside as a terminal may show it: what would steer the terminal, or turn the order of letters, is replaced.
pub(crate) fn printable(text: &str) -> String {
    let steers = |c: char| {
        c.is_control() || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.chars().map(|c| if steers(c) { char::REPLACEMENT_CHARACTER } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_stay_and_what_steers_a_terminal_goes() {
        assert_eq!(printable("処方 é👍"), "処方 é👍");
        for odd in ['\n', '\r', '\t', '\u{1b}', '\u{7f}', '\u{9b}', '\u{202e}', '\u{2066}'] {
            assert_eq!(printable(&odd.to_string()), "\u{fffd}", "{odd:?}");
        }
    }
}
