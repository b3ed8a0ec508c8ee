//! The state machine over a store in memory: against a model, at its limits, and in its stored formats.

#![allow(clippy::unwrap_used, reason = "a test may stop where it cannot go on")]

#[cfg(feature = "faults")]
mod broken_rules;
mod formats;
mod model;
mod moves;
mod reads;
mod scenario;
mod writes;
