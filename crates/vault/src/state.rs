//! What a vault replicates, and how it changes: deterministic, total, and pure.
//!
//! Invariant: everything that could differ between replicas is inside the command: time, random values, limits. Keys are
//! wrapped before a command is made, so that neither log nor state nor snapshot ever holds one in the clear.

mod apply;
mod budget;
mod command;
mod directory;
mod format;
mod lock;
mod log_row;
mod refusals;
mod rows;
mod store;
mod tickets;
mod verdict;

pub use apply::{StateError, apply};
pub use budget::Limits;
pub use command::{Ask, Batch, Command, Founding, InvalidCommand, Item, NewClassKey, NewPatient, TicketUse, Wanted};
pub use directory::directory;
pub use lock::LOCK_MILLIS;
pub use log_row::{InvalidLogRow, LogRow, LoggedAsk, Outcome};
pub use rows::{
    Head, IndexRow, PatientRow, class_key_name, escrow_row, head, index_row, patient_row, slot_key, wrapped_class_key,
};
pub use store::{Store, TABLES, Table, View};
pub use verdict::{InvalidVerdicts, Reason, Verdict, Verdicts};

#[cfg(test)]
mod tests;
