use std::fmt;
use std::ops::Range;

use bytes::Bytes;

use super::Durable;
use crate::StorageError;

/// Which entries a log holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LogBounds {
    /// Index of the first entry; `None` when the log is empty.
    pub first: Option<u64>,
    /// Index of the last entry; `None` when the log is empty.
    pub last: Option<u64>,
    /// Entries up to this index were purged.
    pub purged_through: Option<u64>,
}

/// The log of one replica. Clones share it.
#[derive(Clone)]
pub struct GroupLog {}

impl GroupLog {
    /// Which entries there are, those not yet durable included.
    pub fn bounds(&self) -> LogBounds {
        todo!()
    }

    /// Appends `entries` from `first_index` on. They are readable when this returns and durable when `durable` is
    /// called. Blocks while the queue is full.
    ///
    /// The first entry ever may have any index; every later one follows the last entry, or the purge mark when the log
    /// is empty, else [`StorageError::NotContiguous`]. After an error `durable` is never called.
    pub fn append(&self, first_index: u64, entries: Vec<Bytes>, durable: Durable) -> Result<(), StorageError> {
        let _ = (first_index, entries, durable);
        todo!()
    }

    /// Deletes the entries after `last_kept`, all of them for `None`. Past the end it changes nothing.
    pub fn truncate_after(&self, last_kept: Option<u64>, durable: Durable) {
        let _ = (last_kept, durable);
        todo!()
    }

    /// Deletes the entries up to `through`, which may lie past the end, and stores `marker` in the same write. Rides
    /// along with the next synced write. A purge below the mark of an earlier one changes nothing.
    pub fn purge(&self, through: u64, marker: Bytes) {
        let _ = (through, marker);
        todo!()
    }

    /// The marker of the last purge.
    pub fn purge_marker(&self) -> Option<Bytes> {
        todo!()
    }

    /// Stores the vote; durable when `durable` is called. Keeps its order among appends and truncations.
    pub fn save_vote(&self, vote: Bytes, durable: Durable) {
        let _ = (vote, durable);
        todo!()
    }

    /// The vote saved last.
    pub fn vote(&self) -> Option<Bytes> {
        todo!()
    }

    /// Stores what is known to be committed; rides along with the next synced write, so a crash may lose it.
    pub fn save_committed(&self, committed: Bytes) {
        let _ = committed;
        todo!()
    }

    /// The committed marker saved last.
    pub fn committed(&self) -> Option<Bytes> {
        todo!()
    }

    /// Entries from `range.start` on, without a gap: at least one when `range.start` is present, and no more once
    /// `max_bytes` are reached. Empty when `range.start` is not present. Reads RocksDB when the entries have left the
    /// tail, and then blocks.
    pub fn read(&self, range: Range<u64>, max_bytes: usize) -> Result<Vec<Bytes>, StorageError> {
        let _ = (range, max_bytes);
        todo!()
    }

    /// Approximate bytes of the entries after `index`, for snapshot and purge triggers.
    pub fn bytes_after(&self, index: u64) -> u64 {
        let _ = index;
        todo!()
    }
}

impl fmt::Debug for GroupLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GroupLog").finish_non_exhaustive()
    }
}
