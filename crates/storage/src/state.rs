//! What a replica's state machine has applied.

mod checkpoint;
mod family;
mod incoming;
mod read;
mod staged;
mod view;

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Instant;

use bytes::Bytes;

use crate::{DirOwner, MemoryBudget, StorageError};

pub use checkpoint::{Checkpoint, SnapshotFile};
pub use family::{Family, FamilySpec, SystemKey};
pub use incoming::{IncomingSnapshot, InvalidSnapshot, VerifiedSnapshot};
pub use read::{Direction, KeyRange, Read, Tier};
pub use staged::Staged;
pub use view::View;

/// Data that a crash would lose, and replay from the log would bring back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unflushed {
    /// Bytes of the memtables.
    pub bytes: u64,
    /// When the oldest of it was committed, at the latest.
    pub since: Option<Instant>,
}

/// The state database of one replica. Clones share it.
///
/// There is no write-ahead log: what was not flushed is lost in a crash together with the applied marker of it, and
/// comes back by replay.
#[derive(Clone)]
pub struct StateDb {}

impl StateDb {
    /// Opens or creates the database in `dir`; finishes or undoes a snapshot install that a crash interrupted, and
    /// deletes stale checkpoints and half-received snapshots. A family that is not on disk is created.
    pub fn open(
        dir: &Path,
        owner: &DirOwner,
        families: &'static [FamilySpec],
        budget: &MemoryBudget,
    ) -> Result<Self, StorageError> {
        let _ = (dir, owner, families, budget);
        todo!()
    }

    /// A consistent view of what is committed now. It outlives this handle.
    pub fn view(&self) -> View {
        todo!()
    }

    /// An empty batch of writes over what is committed. One at a time: only the applier writes.
    pub fn staged(&self) -> Staged<'_> {
        todo!()
    }

    /// Commits a batch together with the marker of what it applied and named system blobs: all or nothing.
    pub fn commit(
        &self,
        staged: Staged<'_>,
        applied: Bytes,
        system: &[(SystemKey, Bytes)],
    ) -> Result<(), StorageError> {
        let _ = (staged, applied, system);
        todo!()
    }

    /// The marker of the last commit.
    pub fn applied(&self) -> Result<Option<Bytes>, StorageError> {
        todo!()
    }

    /// A named system blob.
    pub fn system(&self, key: SystemKey) -> Result<Option<Bytes>, StorageError> {
        let _ = key;
        todo!()
    }

    /// Stores a named system blob outside any batch; lost in a crash unless flushed.
    pub fn put_system(&self, key: SystemKey, value: &[u8]) -> Result<(), StorageError> {
        let _ = (key, value);
        todo!()
    }

    /// Makes everything committed so far durable, all families at one point. Blocks.
    pub fn flush(&self) -> Result<(), StorageError> {
        todo!()
    }

    /// How much is not flushed, and since when: what flushing by age looks at.
    pub fn unflushed(&self) -> Result<Unflushed, StorageError> {
        todo!()
    }

    /// Flushes, and links the files into a new checkpoint directory of this replica. The checkpoint before it is deleted
    /// when its last handle is dropped. Blocks; commits may go on beside it.
    pub fn checkpoint(&self) -> Result<Checkpoint, StorageError> {
        todo!()
    }

    /// The newest checkpoint, also one made before a restart.
    pub fn latest_checkpoint(&self) -> Option<Checkpoint> {
        todo!()
    }

    /// Begins to receive a snapshot of these files; one at a time.
    pub fn receive(&self, files: Vec<SnapshotFile>) -> Result<IncomingSnapshot, StorageError> {
        let _ = files;
        todo!()
    }

    /// Replaces the content by a received snapshot and gives the new handle. This handle refuses writes from now on;
    /// its views stay valid, and its files are deleted when the last of them is dropped. After an error this handle
    /// stays the valid one.
    pub fn install(&self, snapshot: VerifiedSnapshot) -> Result<Self, StorageError> {
        let _ = snapshot;
        todo!()
    }

    /// Directory of the replica.
    pub fn dir(&self) -> &Path {
        todo!()
    }

    /// Deletes a replica's directory; no handle to it may be open.
    pub fn destroy(dir: &Path, owner: &DirOwner) -> Result<(), StorageError> {
        let _ = (dir, owner);
        todo!()
    }

    /// Makes `dir` consistent after a crash; called by [`open`](Self::open). Gives the directory of the current
    /// generation, `None` when there is none yet.
    pub fn recover_dir(dir: &Path) -> Result<Option<PathBuf>, StorageError> {
        let _ = dir;
        todo!()
    }
}

impl fmt::Debug for StateDb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StateDb").finish_non_exhaustive()
    }
}
