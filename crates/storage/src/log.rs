//! The logs of all groups of a process in one RocksDB.

mod group;
mod stats;

use std::fmt;
use std::io;
use std::path::Path;
use std::sync::Arc;

use renkei_ids::{GroupId, ReplicaId};

use crate::{DirOwner, MemoryBudget, StorageError};

pub use group::{GroupLog, LogBounds};
pub use stats::LogStats;

/// Called once, on the writer thread, with the first write error. Production aborts the process: after a failed fsync
/// nobody knows what is on the disk.
pub type FatalHook = Arc<dyn Fn(&StorageError) + Send + Sync>;

/// Called on the writer thread when an operation is durable, or has failed. It must neither block nor call the log.
pub type Durable = Box<dyn FnOnce(io::Result<()>) + Send>;

/// How to open a [`LogDb`].
#[derive(Clone, Debug)]
pub struct LogOptions {
    /// Whose directory it is; `replica` is `None`.
    pub owner: DirOwner,
    /// Gives write buffers, tail and cache.
    pub budget: MemoryBudget,
    /// Bytes that may wait for the writer thread; a caller that finds no room blocks until there is.
    pub queue_bytes: usize,
    /// Bytes after which a batch is written even though more is waiting.
    pub batch_bytes: usize,
}

impl LogOptions {
    /// A queue of 32 MiB and batches of 4 MiB.
    pub fn new(owner: DirOwner, budget: MemoryBudget) -> Self {
        Self { owner, budget, queue_bytes: 32 << 20, batch_bytes: 4 << 20 }
    }
}

/// The log database of a process. Clones share it.
#[derive(Clone)]
pub struct LogDb {}

impl LogDb {
    /// Opens or creates the database in `path` and starts its writer thread.
    pub fn open(path: &Path, options: &LogOptions, fatal: FatalHook) -> Result<Self, StorageError> {
        let _ = (path, options, fatal);
        todo!()
    }

    /// The log of one replica; bounds, vote and markers are loaded on the first call, later calls share them.
    pub fn group(&self, group: GroupId, replica: ReplicaId) -> Result<GroupLog, StorageError> {
        let _ = (group, replica);
        todo!()
    }

    /// Deletes everything of that replica; durable on return. Handles to it refuse from now on.
    pub fn drop_group(&self, group: GroupId, replica: ReplicaId) -> Result<(), StorageError> {
        let _ = (group, replica);
        todo!()
    }

    /// What the writer thread has done since the database was opened.
    pub fn stats(&self) -> LogStats {
        todo!()
    }

    /// Writes what is queued, syncs, and ends the writer thread. Later operations are refused.
    pub fn shutdown(&self) {
        todo!()
    }
}

impl fmt::Debug for LogDb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LogDb").finish_non_exhaustive()
    }
}
