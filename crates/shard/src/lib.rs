//! The shard state machine: what a command does to a group's records, rules and audit rows.
//!
//! Invariant: deterministic. The same commands over the same state give the same writes and the same verdicts on every
//! replica: no clock, no randomness, no disk, no async; time and salts come inside the command. [`apply`] is total: bad
//! input gets a coded verdict and leaves no trace, and only the store underneath can fail.
//!
//! Reading order: [`Command`] and [`Verdict`] say what goes in and out, [`apply`] what happens between, [`read`] what a
//! leader may answer from a view, [`transfer`] how slots move to another group, [`Family`] and the key builders where it all lies.

pub mod audit;
pub mod read;
pub mod transfer;

mod apply;
mod command;
mod format;
mod keys;
mod memory;
mod noting;
mod rows;
mod slots;
mod store;
mod verdict;

pub use apply::apply;
pub use command::{
    Access, BODY_MAX_BYTES, Command, DeleteRecord, InvalidCommand, Item, ItemKind, Note, Operation, Outcome, PutRecord,
    SUMMARY_MAX_BYTES, SetRules, SlotChange,
};
pub use keys::{FAMILIES, Family};
pub use memory::Memory;
pub use rows::GroupHead;
pub use slots::{FREEZE_MILLIS, Fence, SlotHold, SlotState};
pub use store::{Direction, ShardError, Store, View, Visit};
pub use verdict::{InvalidVerdicts, Recorded, Verdict, Verdicts};
