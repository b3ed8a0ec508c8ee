//! A shard over a replica's state: the one place where the shard's view and store are those of `storage`.
//!
//! Invariant: decides nothing. A row that does not read is damage of the state, like any other.

use std::path::PathBuf;

use bytes::Bytes;
use renkei_shard::{Direction, FAMILIES, Family, ShardError, Store, View as ShardView, Visit};
use renkei_storage::StorageError;
use renkei_storage::state::{self, FamilySpec, KeyRange, Read, Staged};

/// The families of a shard, by their numbers.
pub const SHARD_FAMILIES: [FamilySpec; FAMILIES.len()] = {
    let mut specs = [FamilySpec { name: "", prefix_len: 0, blob_min_bytes: None, local: false }; FAMILIES.len()];
    let mut at = 0;
    while at < FAMILIES.len() {
        let (name, prefix_len, blob_min_bytes) = FAMILIES[at];
        specs[at] = FamilySpec { name, prefix_len, blob_min_bytes, local: false };
        at += 1;
    }
    specs
};

/// A view of a group's state, as the shard reads it.
#[derive(Debug)]
pub struct ShardState<'a>(pub &'a state::View);

/// A batch of a group's state under way, as the shard changes it.
#[derive(Debug)]
pub struct StagedShard<'a, 'b>(pub &'a mut Staged<'b>);

/// What a shard error is to the storage: a row that does not read is damage like any other.
pub fn storage_error(error: ShardError<StorageError>) -> StorageError {
    match error {
        ShardError::Store(source) => source,
        ShardError::Corrupt { row } => StorageError::Malformed { record: row, path: PathBuf::new() },
    }
}

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
