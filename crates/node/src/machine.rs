//! The two state machines of a cloud, put onto the replication engine: shards, and the placement of the meta group.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use renkei_consensus::{EntryAt, StateMachine};
use renkei_placement::Placement;
use renkei_shard_state::{SHARD_FAMILIES, StagedShard, storage_error};
use renkei_storage::StorageError;
use renkei_storage::state::{self, FamilySpec, Read, Staged};
use tokio::sync::Notify;

static FAMILIES: [FamilySpec; SHARD_FAMILIES.len()] = SHARD_FAMILIES;

/// The records of a group.
#[derive(Debug, Default)]
pub(crate) struct ShardMachine;

impl StateMachine for ShardMachine {
    fn families(&self) -> &'static [FamilySpec] {
        &FAMILIES
    }

    fn apply(&self, staged: &mut Staged<'_>, _: EntryAt, command: &Bytes) -> Result<Bytes, StorageError> {
        renkei_shard::apply(&mut StagedShard(staged), command).map_err(storage_error)
    }
}

const META_FAMILY: state::Family = state::Family::new(0);
const PLACEMENT_KEY: &[u8] = b"placement";
static META_FAMILIES: [FamilySpec; 1] =
    [FamilySpec { name: "meta", prefix_len: 0, blob_min_bytes: None, local: false }];

/// The placement of the cloud. Wakes whoever waits for it to change.
pub(crate) struct MetaMachine {
    changed: Arc<Notify>,
}

impl fmt::Debug for MetaMachine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MetaMachine").finish_non_exhaustive()
    }
}

impl MetaMachine {
    pub(crate) fn new(changed: Arc<Notify>) -> Self {
        Self { changed }
    }
}

impl StateMachine for MetaMachine {
    fn families(&self) -> &'static [FamilySpec] {
        &META_FAMILIES
    }

    fn apply(&self, staged: &mut Staged<'_>, _: EntryAt, command: &Bytes) -> Result<Bytes, StorageError> {
        let mut placement = placement(staged)?;
        let reply = placement.apply(command);
        staged.put(META_FAMILY, PLACEMENT_KEY, placement.encode());
        Ok(reply)
    }

    fn applied(&self, _: u64) {
        self.changed.notify_one();
    }

    fn replaced(&self, _: u64) {
        self.changed.notify_one();
    }
}

/// The placement in a state of the meta group.
pub(crate) fn placement(read: &impl Read) -> Result<Placement, StorageError> {
    match read.get(META_FAMILY, PLACEMENT_KEY)? {
        None => Ok(Placement::default()),
        Some(bytes) => {
            Placement::decode(&bytes).map_err(|_| StorageError::Malformed { record: "placement", path: PathBuf::new() })
        }
    }
}
