//! How a run ends, and the exit code that says so.

use std::process::ExitCode;

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Every objective was met. Code 0.
    Pass,
    /// The figures are good, and an objective was not met. Code 1.
    ObjectiveFailed,
    /// The command line was refused. Code 2.
    Usage,
    /// The figures are not to be used: the load or the environment was not what the table says. Code 3.
    NotValid,
    /// A server did not start or did not answer. Code 4.
    Unreachable,
    /// An answer was wrong, or an acknowledged write was lost. Code 5.
    IntegrityViolated,
}

impl Exit {
    /// The process exit code.
    pub(crate) const fn code(self) -> u8 {
        match self {
            Self::Pass => 0,
            Self::ObjectiveFailed => 1,
            Self::Usage => 2,
            Self::NotValid => 3,
            Self::Unreachable => 4,
            Self::IntegrityViolated => 5,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

/// What was wrong with an answer. Nothing here says whose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Violation {
    /// Other bytes, or another record, than were put.
    #[error("an answer differs from what was put")]
    WrongContent,
    /// Fewer or more entries than there are, or in another order.
    #[error("a timeline of {expected} entries was answered with {actual} entries, or out of order")]
    WrongEntries { expected: usize, actual: usize },
    /// A kind of answer that does not belong to the request.
    #[error("an answer is not of the kind that was asked for")]
    WrongKind,
    /// A record that must be there was answered as not there.
    #[error("an acknowledged write is lost")]
    Lost,
    /// A key that was used once was said to be used before.
    #[error("a distinct write was answered as a repetition of another")]
    NotDistinct,
}

/// Why a run gave no table.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error("the result is not valid")]
    NotValid {
        #[source]
        source: anyhow::Error,
    },
    #[error("a server did not start or did not answer")]
    Unreachable {
        #[source]
        source: anyhow::Error,
    },
    #[error("integrity violated by {system}")]
    Integrity {
        system: &'static str,
        #[source]
        source: Violation,
    },
    #[error("interrupted; everything that was started has been stopped")]
    Interrupted,
}

impl Failure {
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::NotValid { .. } | Self::Interrupted => Exit::NotValid,
            Self::Unreachable { .. } => Exit::Unreachable,
            Self::Integrity { .. } => Exit::IntegrityViolated,
        }
    }

    pub(crate) fn unreachable(source: impl Into<anyhow::Error>) -> Self {
        Self::Unreachable { source: source.into() }
    }

    pub(crate) fn not_valid(source: impl Into<anyhow::Error>) -> Self {
        Self::NotValid { source: source.into() }
    }
}
