use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::collections::btree_map;
use std::fmt;
use std::ops::{Bound, ControlFlow};

use bytes::Bytes;
use rocksdb::WriteBatch;

use super::cursor::{Cursor, read_options, scan_failed};
use super::engine::Engine;
use super::{Direction, Family, Inner, KeyRange, Read, Tier, Visit};
use crate::StorageError;

/// Writes of one family: the new value, or `None` for a removal.
pub(super) type Writes = BTreeMap<Vec<u8>, Option<Bytes>>;

/// Writes waiting to be committed, over what is committed: reads see them.
pub struct Staged<'a> {
    inner: &'a Inner,
    /// By position of the family.
    writes: Vec<Writes>,
    bytes: usize,
}

impl<'a> Staged<'a> {
    pub(super) fn new(inner: &'a Inner) -> Self {
        Self { inner, writes: inner.families().map(|_| Writes::new()).collect(), bytes: 0 }
    }

    /// Sets `key` to `value`.
    ///
    /// # Panics
    /// When the database was not opened with `family`.
    pub fn put(&mut self, family: Family, key: &[u8], value: impl Into<Bytes>) {
        self.write(family, key, Some(value.into()));
    }

    /// Removes `key`; without effect when it is not there.
    ///
    /// # Panics
    /// When the database was not opened with `family`.
    pub fn delete(&mut self, family: Family, key: &[u8]) {
        self.write(family, key, None);
    }

    /// Bytes of keys and values that were staged, overwritten ones included, for bounding a batch.
    pub fn staged_bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn belongs_to(&self, inner: &Inner) -> bool {
        std::ptr::eq(self.inner, inner)
    }

    pub(super) fn add_to(&self, batch: &mut WriteBatch) -> Result<(), StorageError> {
        for ((family, _), writes) in self.inner.families().zip(&self.writes) {
            let (_, handle) = self.inner.family(family)?;
            for (key, value) in writes {
                match value {
                    Some(value) => batch.put_cf(handle, key, value),
                    None => batch.delete_cf(handle, key),
                }
            }
        }
        Ok(())
    }

    fn write(&mut self, family: Family, key: &[u8], value: Option<Bytes>) {
        self.bytes += key.len() + value.as_ref().map_or(0, Bytes::len);
        let writes = self.writes.get_mut(family.position()).expect("a family that the database was opened with");
        writes.insert(key.to_vec(), value);
    }

    /// By position of the family.
    pub(super) fn writes(&self) -> &[Writes] {
        &self.writes
    }

    fn writes_of(&self, family: Family) -> Result<&Writes, StorageError> {
        self.writes.get(family.position()).ok_or_else(|| family.unknown())
    }
}

impl Read for Staged<'_> {
    fn get(&self, family: Family, key: &[u8]) -> Result<Option<Bytes>, StorageError> {
        if let Some(staged) = self.writes_of(family)?.get(key) {
            return Ok(staged.clone());
        }
        let Engine::Rocks(db) = &self.inner.db else { return self.inner.tables().get(family, key) };
        let (_, handle) = self.inner.family(family)?;
        let read = db.get_cf_opt(handle, key, &read_options(Tier::Disk));
        Ok(read.map_err(|source| self.inner.failed("read from", source))?.map(Bytes::from))
    }

    fn scan(
        &self,
        family: Family,
        range: &KeyRange,
        direction: Direction,
        visit: Visit<'_>,
    ) -> Result<(), StorageError> {
        if range.is_empty() {
            return Ok(());
        }
        let mut staged = StagedCursor::over(self.writes_of(family)?, range, direction);
        let mut stored = match &self.inner.db {
            Engine::Rocks(db) => {
                let (spec, handle) = self.inner.family(family)?;
                Cursor::over(db, read_options(Tier::Disk), handle, spec, range, direction)
            }
            Engine::Memory(_) => Cursor::over_pairs(self.inner.tables().pairs(family, range, direction)?, direction),
        };
        loop {
            let pair = stored.pair().map_err(|source| scan_failed(&self.inner.path, source))?;
            let flow = match (pair, staged.next) {
                (None, None) => return Ok(()),
                (Some((key, value)), None) => visit(key, value),
                (Some((key, value)), Some((over, _))) if direction.compare(key, over) == Ordering::Less => {
                    visit(key, value)
                }
                (pair, Some((key, value))) => {
                    let overwrites = pair.is_some_and(|(stored, _)| stored == key);
                    let flow = value.as_ref().map_or(ControlFlow::Continue(()), |value| visit(key, value));
                    staged.advance();
                    if overwrites {
                        stored.advance();
                    }
                    if flow.is_break() {
                        return Ok(());
                    }
                    continue;
                }
            };
            if flow.is_break() {
                return Ok(());
            }
            stored.advance();
        }
    }
}

/// Walks over the staged writes in the direction of a scan.
struct StagedCursor<'a> {
    writes: btree_map::Range<'a, Vec<u8>, Option<Bytes>>,
    direction: Direction,
    next: Option<(&'a Vec<u8>, &'a Option<Bytes>)>,
}

impl<'a> StagedCursor<'a> {
    /// `range` is not empty.
    fn over(writes: &'a Writes, range: &KeyRange, direction: Direction) -> Self {
        let end = range.end.as_deref().map_or(Bound::Unbounded, Bound::Excluded);
        let writes = writes.range::<[u8], _>((Bound::Included(range.start.as_slice()), end));
        let mut cursor = Self { writes, direction, next: None };
        cursor.advance();
        cursor
    }

    fn advance(&mut self) {
        self.next = match self.direction {
            Direction::Forward => self.writes.next(),
            Direction::Reverse => self.writes.next_back(),
        };
    }
}

/// Keys and values may be a patient's, so only sizes are shown.
impl fmt::Debug for Staged<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Staged").field("bytes", &self.bytes).finish_non_exhaustive()
    }
}
