//! The storage crate from outside: what survives, what is seen, and in what order.

#![expect(clippy::unwrap_used, reason = "a step of a test that fails ends the test")]
#![allow(clippy::print_stdout, reason = "a test says its seed, and why it is skipped")]

mod fixture;
mod formats;
mod log;
mod log_model;
mod power;
mod scan;
mod simulated;
mod snapshot;
mod state;
mod state_model;
