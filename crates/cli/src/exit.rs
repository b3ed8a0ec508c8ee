//! How a command ended, and the exit code that says so.

use std::process::ExitCode;

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// It did what was asked. Code 0.
    Done,
    /// A service answered and refused. Code 1.
    Refused,
    /// The command line, or a local file that it names, is not usable; nothing was sent. Code 2.
    Usage,
    /// A service did not answer, or a process did not start. Code 3.
    Unreachable,
    /// An answer is not what it must be: bytes differ, an acknowledged write is lost, plaintext was found. Code 4.
    Integrity,
    /// Ctrl-C came before the end. Code 130, as shells have it.
    Interrupted,
}

/// The same, as the help shows it.
pub(crate) const TABLE: &str = "\
Exit codes:
  0  done
  1  a service answered and refused; standard error has the code, docs/ERRORS.md what to do
  2  the command line or a local file is not usable; nothing was sent
  3  a service did not answer, or a process did not start
  4  an answer is not what it must be: bytes differ, a write is lost, plaintext was found
  130  interrupted before the end";

impl Exit {
    /// Every way to end.
    pub const ALL: [Self; 6] =
        [Self::Done, Self::Refused, Self::Usage, Self::Unreachable, Self::Integrity, Self::Interrupted];

    /// The process exit code.
    pub const fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Refused => 1,
            Self::Usage => 2,
            Self::Unreachable => 3,
            Self::Integrity => 4,
            Self::Interrupted => 130,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_help_names_every_code_once() {
        let named: Vec<&str> = TABLE.lines().skip(1).filter_map(|line| line.split_whitespace().next()).collect();
        let codes: Vec<String> = Exit::ALL.iter().map(|exit| exit.code().to_string()).collect();
        assert_eq!(named, codes);
    }
}
