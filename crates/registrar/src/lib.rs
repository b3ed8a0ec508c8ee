//! A registrar: knows persons, whose member id is whose, and who visited where. It knows no pseudonym and no record.
//!
//! Invariant: what it knows of a person is sealed before it is replicated, and found by tags; nothing of a person is in a
//! log, an error or a label.
//!
//! Reading order: [`state`] is what is replicated and decides; [`entry`] makes of what an insurer enters a command without
//! a person in it; [`register`] is where residents are asked for, and how the five items are judged.

pub mod entry;
pub mod keys;
pub mod register;
pub mod state;
pub mod values;
