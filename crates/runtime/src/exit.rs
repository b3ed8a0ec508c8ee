//! How a process ended, and the exit code that says so.

use std::process::ExitCode;

/// How a process ended. The first fatal event decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Everything was asked to stop and did. Code 0.
    Clean,
    /// A task, or the service itself, failed. Code 1.
    Failed,
    /// The configuration or the start of the shell was refused; nothing had run. Code 2.
    Refused,
    /// A task that stops the process, or the service itself, panicked. Code 3.
    Panicked,
    /// Something was still running when the grace period ended. Code 4.
    GraceExpired,
}

impl Exit {
    /// The process exit code.
    pub const fn code(self) -> u8 {
        match self {
            Self::Clean => 0,
            Self::Failed => 1,
            Self::Refused => 2,
            Self::Panicked => 3,
            Self::GraceExpired => 4,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}
