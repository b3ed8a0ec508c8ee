//! The two state machines of a cloud, put onto the replication engine: shards, and the placement of the meta group.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use renkei_consensus::{EntryAt, StateMachine};
use renkei_placement::Placement;
use renkei_shard::{Direction, FAMILIES, Family, ShardError, Store, View as ShardView, Visit};
use renkei_storage::StorageError;
use renkei_storage::state::{self, FamilySpec, KeyRange, Read, Staged};
use tokio::sync::Notify;

const fn shard_families() -> [FamilySpec; FAMILIES.len()] {
    let mut specs = [FamilySpec { name: "", prefix_len: 0, blob_min_bytes: None, local: false }; FAMILIES.len()];
    let mut at = 0;
    while at < FAMILIES.len() {
        let (name, prefix_len, blob_min_bytes) = FAMILIES[at];
        specs[at] = FamilySpec { name, prefix_len, blob_min_bytes, local: false };
        at += 1;
    }
    specs
}

static SHARD_FAMILIES: [FamilySpec; FAMILIES.len()] = shard_families();

/// The records of a group.
#[derive(Debug, Default)]
pub(crate) struct ShardMachine;

impl StateMachine for ShardMachine {
    fn families(&self) -> &'static [FamilySpec] {
        &SHARD_FAMILIES
    }

    fn apply(&self, staged: &mut Staged<'_>, _: EntryAt, command: &Bytes) -> Result<Bytes, StorageError> {
        renkei_shard::apply(&mut StagedShard(staged), command).map_err(storage_error)
    }
}

/// What a shard error is to the storage: a row that does not read is damage like any other.
pub(crate) fn storage_error(error: ShardError<StorageError>) -> StorageError {
    match error {
        ShardError::Store(source) => source,
        ShardError::Corrupt { row } => StorageError::Malformed { record: row, path: PathBuf::new() },
    }
}

/// A view of a group's state, as the shard reads it.
pub(crate) struct ShardState<'a>(pub(crate) &'a state::View);

impl ShardView for ShardState<'_> {
    type Error = StorageError;

    fn get(&self, family: Family, key: &[u8]) -> Result<Option<Bytes>, StorageError> {
        self.0.get(place(family), key)
    }

    fn scan(
        &self,
        family: Family,
        first: &[u8],
        end: &[u8],
        direction: Direction,
        visit: &mut Visit<'_>,
    ) -> Result<(), StorageError> {
        scan(self.0, family, first, end, direction, visit)
    }
}

struct StagedShard<'a, 'b>(&'a mut Staged<'b>);

impl ShardView for StagedShard<'_, '_> {
    type Error = StorageError;

    fn get(&self, family: Family, key: &[u8]) -> Result<Option<Bytes>, StorageError> {
        self.0.get(place(family), key)
    }

    fn scan(
        &self,
        family: Family,
        first: &[u8],
        end: &[u8],
        direction: Direction,
        visit: &mut Visit<'_>,
    ) -> Result<(), StorageError> {
        scan(self.0, family, first, end, direction, visit)
    }
}

impl Store for StagedShard<'_, '_> {
    fn put(&mut self, family: Family, key: &[u8], value: Bytes) {
        self.0.put(place(family), key, value);
    }

    fn delete(&mut self, family: Family, key: &[u8]) {
        self.0.delete(place(family), key);
    }
}

fn place(family: Family) -> state::Family {
    state::Family::new(family as u8)
}

fn scan(
    read: &impl Read,
    family: Family,
    first: &[u8],
    end: &[u8],
    direction: Direction,
    visit: &mut Visit<'_>,
) -> Result<(), StorageError> {
    let direction = match direction {
        Direction::Forward => state::Direction::Forward,
        Direction::Backward => state::Direction::Reverse,
    };
    read.scan(place(family), &KeyRange::between(first, end), direction, visit)
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
