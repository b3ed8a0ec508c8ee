//! Prints an error with its causes, once, where it ends.

use std::error::Error;
use std::fmt;

/// An error and its chain of sources on one line, whatever they print: `reading /x: permission denied`.
#[derive(Clone, Copy, Debug)]
pub struct Chain<'a>(pub &'a (dyn Error + 'static));

impl fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut next = Some(self.0);
        let mut separator = "";
        while let Some(error) = next {
            f.write_str(separator)?;
            write_line(f, &error.to_string())?;
            separator = ": ";
            next = error.source();
        }
        Ok(())
    }
}

fn write_line(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    f.write_str(lines.next().unwrap_or_default())?;
    lines.try_for_each(|line| write!(f, " {line}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("unknown field\nin `admin`\n")]
    struct Inner;

    #[derive(Debug, thiserror::Error)]
    #[error("reading")]
    struct Outer(#[source] Inner);

    #[test]
    fn the_whole_chain_is_one_line() {
        assert_eq!(Chain(&Outer(Inner)).to_string(), "reading: unknown field in `admin`");
    }
}
