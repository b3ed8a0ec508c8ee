use std::fmt;
use std::ops::ControlFlow;
use std::sync::Arc;

use bytes::Bytes;
use rocksdb::{ReadOptions, Snapshot};
use self_cell::self_cell;

use super::cursor::{Cursor, read_options, scan_failed};
use super::digest::StateDigest;
use super::engine::{APPLIED_KEY, Engine};
use super::memory::Tables;
use super::{Direction, Family, Inner, KeyRange, Read, Tier, Visit};
use crate::StorageError;

self_cell!(
    /// A snapshot together with the database that it borrows.
    struct Snapped {
        owner: Arc<Inner>,
        #[not_covariant]
        dependent: Snapshot,
    }
);

/// A view's moment.
enum Held {
    Rocks(Snapped),
    Memory { inner: Arc<Inner>, tables: Arc<Tables> },
}

impl Held {
    fn inner(&self) -> &Inner {
        match self {
            Self::Rocks(snapped) => snapped.borrow_owner(),
            Self::Memory { inner, .. } => inner,
        }
    }
}

/// What was committed at one moment, in all families. `'static`, `Send` and `Sync`; clones share the snapshot, and it
/// holds disk space back from compaction until the last of them is dropped.
#[derive(Clone)]
pub struct View {
    held: Arc<Held>,
    tier: Tier,
    /// Whether what is scanned is kept in memory.
    fill_cache: bool,
}

impl View {
    pub(super) fn new(inner: Arc<Inner>) -> Self {
        let tables = match &inner.db {
            Engine::Rocks(_) => None,
            Engine::Memory(db) => Some(db.tables()),
        };
        let held = match tables {
            None => Held::Rocks(Snapped::new(inner, |inner| inner.db.rocks().snapshot())),
            Some(tables) => Held::Memory { inner, tables },
        };
        Self { held: Arc::new(held), tier: Tier::Disk, fill_cache: true }
    }

    /// The same view, reading this far.
    pub fn with_tier(self, tier: Tier) -> Self {
        Self { tier, ..self }
    }

    /// The same view, for a pass over much: what it scans pushes nothing out of memory that requests need.
    pub fn passing_cache(self) -> Self {
        Self { fill_cache: false, ..self }
    }

    /// The applied marker of this view.
    pub fn applied(&self) -> Result<Option<Bytes>, StorageError> {
        let snapped = match &*self.held {
            Held::Rocks(snapped) => snapped,
            Held::Memory { tables, .. } => return Ok(tables.system_value(APPLIED_KEY)),
        };
        snapped.with_dependent(|inner, snapshot| {
            let read = snapshot.get_cf_opt(inner.system_family(), APPLIED_KEY, read_options(self.tier));
            Ok(read.map_err(|source| inner.failed("read a marker from", source))?.map(Bytes::from))
        })
    }

    /// SHA-256 over every family that is not local: its name, then every key and value in order, each behind its
    /// length. Equal content gives equal digests whatever the files look like. Reads everything.
    pub fn digest(&self) -> Result<[u8; 32], StorageError> {
        let mut digest = StateDigest::new();
        for (family, spec) in self.held.inner().families() {
            if !spec.local {
                digest.begin_family(spec.name);
                let mut options = read_options(self.tier);
                // One pass over everything would push out what requests need.
                options.fill_cache(false);
                self.scan_with(options, family, &KeyRange::all(), Direction::Forward, &mut |key, value| {
                    digest.pair(key, value);
                    ControlFlow::Continue(())
                })?;
                digest.end_family();
            }
        }
        Ok(digest.finish())
    }

    fn scan_with(
        &self,
        mut options: ReadOptions,
        family: Family,
        range: &KeyRange,
        direction: Direction,
        visit: Visit<'_>,
    ) -> Result<(), StorageError> {
        if range.is_empty() {
            return Ok(());
        }
        let snapped = match &*self.held {
            Held::Rocks(snapped) => snapped,
            Held::Memory { tables, .. } => {
                for (key, value) in tables.pairs(family, range, direction)? {
                    if visit(&key, &value).is_break() {
                        break;
                    }
                }
                return Ok(());
            }
        };
        snapped.with_dependent(|inner, snapshot| {
            let (spec, handle) = inner.family(family)?;
            options.set_snapshot(snapshot);
            let mut cursor = Cursor::over(inner.db.rocks(), options, handle, spec, range, direction);
            while let Some((key, value)) = cursor.pair().map_err(|source| scan_failed(&inner.path, source))? {
                if visit(key, value).is_break() {
                    break;
                }
                cursor.advance();
            }
            Ok(())
        })
    }
}

impl Read for View {
    fn get(&self, family: Family, key: &[u8]) -> Result<Option<Bytes>, StorageError> {
        let snapped = match &*self.held {
            Held::Rocks(snapped) => snapped,
            Held::Memory { tables, .. } => return tables.get(family, key),
        };
        snapped.with_dependent(|inner, snapshot| {
            let (_, handle) = inner.family(family)?;
            let read = snapshot.get_cf_opt(handle, key, read_options(self.tier));
            Ok(read.map_err(|source| inner.failed("read from", source))?.map(Bytes::from))
        })
    }

    fn scan(
        &self,
        family: Family,
        range: &KeyRange,
        direction: Direction,
        visit: Visit<'_>,
    ) -> Result<(), StorageError> {
        let mut options = read_options(self.tier);
        options.fill_cache(self.fill_cache);
        self.scan_with(options, family, range, direction, visit)
    }
}

impl fmt::Debug for View {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("View").field("tier", &self.tier).finish_non_exhaustive()
    }
}
