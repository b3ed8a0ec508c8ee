//! Simulated runs, each in a process of its own.
#![expect(clippy::unwrap_used, reason = "clippy knows test functions, not what they share")]
#![expect(clippy::print_stdout, reason = "what a run counted is its result")]

#[cfg(feature = "faults")]
mod broken_rules;
mod runs;
mod simulate;
