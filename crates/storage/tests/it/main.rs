//! The storage crate from outside: what survives, what is seen, and in what order.

#![expect(clippy::unwrap_used, reason = "a step of a test that fails ends the test")]

mod fixture;
mod formats;
mod log;
mod log_model;
mod scan;
mod simulated;
mod snapshot;
mod state;
mod state_model;
