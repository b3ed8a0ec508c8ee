//! What tests of clouds share: histories of what clients saw, and whether they are linearizable.
//!
//! Invariant: a dev-dependency only, and pure: no clock, no network, no disk. Whoever records a history brings its times.

mod dice;
mod history;
mod linearizable;
mod order;
mod patient;
mod rows;
mod window;

pub use dice::Dice;
pub use history::Operation;
pub use linearizable::{Checked, Model, Verdict, Violation, check, check_counting};
pub use patient::{Listed, PatientAnswer, PatientModel, PatientOperation, PatientState, Stored};
pub use rows::{ListedRow, RowsViolation, check_rows};
pub use window::window;
