use std::fmt;
use std::marker::PhantomData;
use std::ops::ControlFlow;

use bytes::Bytes;

use super::{Direction, Family, KeyRange, Read, StateDb};
use crate::StorageError;

/// Writes waiting to be committed, over what is committed: reads see them.
pub struct Staged<'a> {
    db: PhantomData<&'a StateDb>,
}

impl Staged<'_> {
    /// Sets `key` to `value`.
    pub fn put(&mut self, family: Family, key: &[u8], value: impl Into<Bytes>) {
        let _ = (family, key, value.into());
        todo!()
    }

    /// Removes `key`; without effect when it is not there.
    pub fn delete(&mut self, family: Family, key: &[u8]) {
        let _ = (family, key);
        todo!()
    }

    /// Bytes of keys and values staged, for bounding a batch.
    pub fn staged_bytes(&self) -> usize {
        todo!()
    }
}

impl Read for Staged<'_> {
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

impl fmt::Debug for Staged<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Staged").finish_non_exhaustive()
    }
}
