//! A store in memory: what the state machine needs, and nothing that a disk would do besides. For models and tests.

use std::collections::BTreeMap;
use std::convert::Infallible;

use crate::keys::Family;
use crate::store::{Direction, Store, View, Visit};
use bytes::Bytes;

/// Values by family and key.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Memory(pub BTreeMap<(Family, Vec<u8>), Bytes>);

/// Keys and values are patients', so only their number is shown.
impl core::fmt::Debug for Memory {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_tuple("Memory").field(&self.0.len()).finish()
    }
}

impl Memory {
    /// What is stored in one family, in order of the keys.
    pub fn family(&self, family: Family) -> impl Iterator<Item = (&(Family, Vec<u8>), &Bytes)> {
        self.0.iter().filter(move |((of, _), _)| *of == family)
    }
}

impl View for Memory {
    type Error = Infallible;

    fn get(&self, family: Family, key: &[u8]) -> Result<Option<Bytes>, Infallible> {
        Ok(self.0.get(&(family, key.to_vec())).cloned())
    }

    fn scan(
        &self,
        family: Family,
        first: &[u8],
        end: &[u8],
        direction: Direction,
        visit: &mut Visit<'_>,
    ) -> Result<(), Infallible> {
        if first >= end {
            return Ok(());
        }
        let range = self.0.range((family, first.to_vec())..(family, end.to_vec()));
        let mut go = |((_, key), value): (&(Family, Vec<u8>), &Bytes)| visit(key, value);
        let _ = match direction {
            Direction::Forward => range.into_iter().try_for_each(&mut go),
            Direction::Backward => range.rev().try_for_each(&mut go),
        };
        Ok(())
    }
}

impl Store for Memory {
    fn put(&mut self, family: Family, key: &[u8], value: Bytes) {
        self.0.insert((family, key.to_vec()), value);
    }

    fn delete(&mut self, family: Family, key: &[u8]) {
        self.0.remove(&(family, key.to_vec()));
    }
}
