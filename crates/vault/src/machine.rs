//! The vault's state machine, put onto the replication engine.

use std::path::PathBuf;

use bytes::Bytes;
use renkei_consensus::{EntryAt, StateMachine};
use renkei_storage::StorageError;
use renkei_storage::state::{self, Family, FamilySpec, Read, Staged};

use crate::state::{StateError, Store, TABLES, Table, View};

static FAMILIES: [FamilySpec; TABLES.len()] = FamilySpec::plain(&TABLES);

/// The vault's one group.
#[derive(Debug)]
pub(crate) struct VaultMachine;

impl StateMachine for VaultMachine {
    fn families(&self) -> &'static [FamilySpec] {
        &FAMILIES
    }

    fn apply(&self, staged: &mut Staged<'_>, _: EntryAt, command: &Bytes) -> Result<Bytes, StorageError> {
        crate::state::apply(&mut StagedVault(staged), command).map_err(storage_error)
    }
}

/// What a state error is to the storage: a row that does not read is damage like any other.
pub(crate) fn storage_error(error: StateError<StorageError>) -> StorageError {
    match error {
        StateError::Store(source) => source,
        StateError::Corrupt { row } => StorageError::Malformed { record: row, path: PathBuf::new() },
    }
}

/// A view of the state.
pub(crate) struct VaultView(pub(crate) state::View);

impl View for VaultView {
    type Error = StorageError;

    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Bytes>, StorageError> {
        self.0.get(Family::new(table as u8), key)
    }
}

struct StagedVault<'a, 'b>(&'a mut Staged<'b>);

impl View for StagedVault<'_, '_> {
    type Error = StorageError;

    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Bytes>, StorageError> {
        self.0.get(Family::new(table as u8), key)
    }
}

impl Store for StagedVault<'_, '_> {
    fn put(&mut self, table: Table, key: &[u8], value: Bytes) {
        self.0.put(Family::new(table as u8), key, value);
    }

    fn delete(&mut self, table: Table, key: &[u8]) {
        self.0.delete(Family::new(table as u8), key);
    }
}
