//! What a replicated state machine is to the engine.

use bytes::Bytes;
use renkei_storage::StorageError;
use renkei_storage::state::{FamilySpec, Staged};

/// Where in the log a command stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct EntryAt {
    /// Raft term of the leader that proposed it.
    pub term: u64,
    /// Index of its entry; grows by at least one from command to command.
    pub index: u64,
}

/// A deterministic state machine: the same commands in the same order give the same bytes on every replica.
///
/// It reads no clock, no randomness and nothing but `staged`.
pub trait StateMachine: Send + Sync + 'static {
    /// The column families of its state, the same for every replica of the group and for every start.
    fn families(&self) -> &'static [FamilySpec];

    /// Applies one committed command and returns the reply for its proposer.
    ///
    /// Total: a command that makes no sense gets a coded reply. `staged` sees all earlier writes of the batch.
    /// Runs on a blocking thread.
    ///
    /// # Errors
    ///
    /// Only failed storage; it stops the replica and, through the fatal hook, the process.
    fn apply(&self, staged: &mut Staged<'_>, at: EntryAt, command: &Bytes) -> Result<Bytes, StorageError>;

    /// All entries up to index `through` are in the state DB, and their replies have not left yet. Must not fail.
    fn applied(&self, through: u64) {
        let _ = through;
    }

    /// The whole state was replaced by a snapshot that ends at index `through`: drop what was cached of the old one.
    fn replaced(&self, through: u64) {
        let _ = through;
    }
}
