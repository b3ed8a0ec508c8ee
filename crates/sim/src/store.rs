//! What the shard reads and writes, over a state of ours: as the node has it.

use std::path::PathBuf;

use bytes::Bytes;
use renkei_shard::{Direction, Family, ShardError, Store, View as ShardView, Visit};
use renkei_storage::StorageError;
use renkei_storage::state::{self, KeyRange, Read, Staged};

/// A view, for reads.
pub(crate) struct ShardState<'a>(pub(crate) &'a state::View);

/// A batch, for commands.
pub(crate) struct StagedShard<'a, 'b>(pub(crate) &'a mut Staged<'b>);

/// A row that does not read is damage like any other.
pub(crate) fn storage_error(error: ShardError<StorageError>) -> StorageError {
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
