//! A store in memory.

use std::collections::BTreeMap;
use std::convert::Infallible;

use bytes::Bytes;
use renkei_shard::{Direction, Family, Store, View, Visit};

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Memory(pub(crate) BTreeMap<(Family, Vec<u8>), Bytes>);

impl Memory {
    pub(crate) fn family(&self, family: Family) -> impl Iterator<Item = (&(Family, Vec<u8>), &Bytes)> {
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
