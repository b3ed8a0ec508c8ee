use std::fmt;
use std::ops::ControlFlow;

use bytes::Bytes;

use super::{Direction, Family, KeyRange, Read, Tier};
use crate::StorageError;

/// What was committed at one moment, in all families. `'static`, `Send` and `Sync`; clones share the snapshot, and it
/// holds disk space back from compaction until the last of them is dropped.
#[derive(Clone)]
pub struct View {
    tier: Tier,
}

impl View {
    /// The same view, reading this far.
    pub fn with_tier(self, tier: Tier) -> Self {
        Self { tier }
    }

    /// The applied marker of this view.
    pub fn applied(&self) -> Result<Option<Bytes>, StorageError> {
        todo!()
    }

    /// SHA-256 over every family that is not local: its name, then every key and value in order, each behind its
    /// length. Equal content gives equal digests whatever the files look like. Reads everything.
    pub fn digest(&self) -> Result<[u8; 32], StorageError> {
        todo!()
    }
}

impl Read for View {
    fn get(&self, family: Family, key: &[u8]) -> Result<Option<Bytes>, StorageError> {
        let _ = (family, key);
        todo!()
    }

    fn scan(
        &self,
        family: Family,
        range: &KeyRange,
        direction: Direction,
        visit: &mut dyn FnMut(&[u8], &[u8]) -> ControlFlow<()>,
    ) -> Result<(), StorageError> {
        let _ = (family, range, direction, visit);
        todo!()
    }
}

impl fmt::Debug for View {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("View").field("tier", &self.tier).finish_non_exhaustive()
    }
}
