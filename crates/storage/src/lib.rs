//! Where bytes become durable: one log database per process, one state database directory per replica.
//!
//! Invariant: the only crate that names RocksDB, and it knows neither Raft, nor protobuf, nor an async runtime. Every
//! call may block on the disk unless its documentation says otherwise; callers choose the thread.
//!
//! - [`log`]: the logs of all groups in one RocksDB with one write-ahead log. One writer thread turns whatever all
//!   groups have queued into one batch and one `fsync`.
//! - [`state`]: what a state machine has applied, without a write-ahead log, together with the marker of what was
//!   applied; snapshots of it as files.
//! - [`scan_database`]: every pair of a database that nobody has open, for whoever looks for what must not be there.
//! - [`replace_file`] and [`read_if_present`]: small files that a crash leaves whole.
//! - [`MemoryBudget`] and [`DiskWatch`]: how much memory and disk all of it may take.

mod budget;
mod disk;
mod durable;
mod error;
mod owner;
mod scan;

pub mod log;
pub mod state;

pub use budget::MemoryBudget;
pub use disk::{DiskWatch, FreeSpace, READ_STOP_PERCENT, WRITE_STOP_PERCENT};
pub use durable::{read_if_present, replace_file};
pub use error::StorageError;
pub use owner::DirOwner;
pub use scan::{Pair, databases_below, scan_database};
