//! Simulated runs, each in a process of its own.
#![expect(clippy::unwrap_used, reason = "clippy knows test functions, not what they share")]

mod runs;
mod simulate;
