//! What tests of clouds share: histories of what clients saw, and whether they are linearizable.
//!
//! Invariant: a dev-dependency only, and pure: no clock, no network, no disk. Whoever records a history brings its times.

mod history;
mod linearizable;
mod order;
mod patient;

pub use history::Operation;
pub use linearizable::{Model, Verdict, Violation, check};
pub use patient::{Listed, PatientAnswer, PatientModel, PatientOperation, PatientState, Stored};
