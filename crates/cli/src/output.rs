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
