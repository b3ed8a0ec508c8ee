//! What a replica's state machine has applied.

mod checkpoint;
mod cursor;
mod digest;
mod engine;
mod family;
mod file_list;
mod incoming;
mod layout;
mod memory;
mod read;
mod staged;
mod view;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Instant;

use bytes::Bytes;
use renkei_faults::{Point, reached};
use rocksdb::{ColumnFamily, FlushOptions, WriteBatch, WriteOptions, properties};

use crate::{DirOwner, MemoryBudget, StorageError, durable};
use engine::Engine;
use memory::Tables;

pub use checkpoint::Checkpoint;
pub use family::{Family, FamilySpec, SystemKey};
pub use file_list::SnapshotFile;
pub use incoming::{IncomingSnapshot, InvalidSnapshot, VerifiedSnapshot};
pub use read::{Direction, KeyRange, Read, Tier, Visit};
pub use staged::Staged;
pub use view::View;

/// The text of a list of files that reads, as it is written.
pub(crate) fn rewrite_file_list(bytes: &[u8]) -> Option<String> {
    file_list::decode(bytes).map(|files| file_list::encode(&files))
}

/// Data that a crash would lose, and replay from the log would bring back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unflushed {
    /// Bytes of the memtables; 0 when nothing is unflushed.
    pub bytes: u64,
    /// When the oldest of it was committed, or earlier; `None` when nothing is unflushed.
    pub since: Option<Instant>,
}

/// The state database of one replica. Clones share it.
///
/// There is no write-ahead log: what was not flushed is lost in a crash together with the applied marker of it, and
/// comes back by replay.
#[derive(Clone)]
pub struct StateDb {
    inner: Arc<Inner>,
}

/// One generation of a state database, open. The fields are dropped in this order: the files go last.
struct Inner {
    db: Engine,
    path: PathBuf,
    families: &'static [FamilySpec],
    generation: Generation,
    dir: PathBuf,
    budget: MemoryBudget,
    unflushed_since: Mutex<Option<Instant>>,
    checkpoint: Mutex<Option<Checkpoint>>,
    /// Held while a checkpoint is made.
    making: Mutex<()>,
    last_checkpoint: AtomicU64,
    receiving: Arc<AtomicBool>,
}

/// The files of one generation; deleted with it once another one counts.
struct Generation {
    path: PathBuf,
    number: u64,
    replaced: AtomicBool,
}

impl StateDb {
    /// Opens or creates the database in `dir`; finishes or undoes a snapshot install that a crash interrupted, and
    /// deletes all checkpoints but the newest and half-received snapshots. A family that is not on disk is created; one
    /// on disk that is not in `families` is an error.
    ///
    /// At most one `StateDb` may be open for a directory, apart from those that [`install`](Self::install) replaced.
    pub fn open(
        dir: &Path,
        owner: &DirOwner,
        families: &'static [FamilySpec],
        budget: &MemoryBudget,
    ) -> Result<Self, StorageError> {
        owner.claim(dir)?;
        let number = match layout::recover(dir)? {
            Some(number) => number,
            None => {
                layout::point_at(dir, layout::FIRST_GENERATION)?;
                layout::FIRST_GENERATION
            }
        };
        let generation = Generation::new(dir, number);
        let create = number == layout::FIRST_GENERATION;
        if create {
            // RocksDB would make it, and not its name durable: a power cut could take all that was flushed.
            durable::create_dir(&generation.path)?;
        }
        let inner = Inner::open(dir, generation, families, budget, create)?;
        inner.load_checkpoint()?;
        Ok(Self { inner: Arc::new(inner) })
    }

    /// A consistent view of what is committed now. It outlives this handle.
    pub fn view(&self) -> View {
        View::new(Arc::clone(&self.inner))
    }

    /// An empty batch of writes over what is committed. One at a time: only the applier writes.
    pub fn staged(&self) -> Staged<'_> {
        Staged::new(&self.inner)
    }

    /// Commits a batch together with the marker of what it applied and named system blobs: all or nothing.
    ///
    /// # Panics
    /// When `staged` was begun on another database.
    pub fn commit(
        &self,
        staged: Staged<'_>,
        applied: Bytes,
        system: &[(SystemKey, Bytes)],
    ) -> Result<(), StorageError> {
        assert!(staged.belongs_to(&self.inner), "a batch is committed to the database that it was begun on");
        if let Engine::Memory(db) = &self.inner.db {
            return self.inner.change(|| db.commit(Some(&staged), memory::system_pairs(Some(applied), system)));
        }
        let mut batch = WriteBatch::with_capacity_bytes(staged.staged_bytes());
        staged.add_to(&mut batch)?;
        let family = self.inner.system_family();
        batch.put_cf(family, engine::APPLIED_KEY, applied);
        for (key, value) in system {
            batch.put_cf(family, engine::name_key(*key), value);
        }
        self.inner.write(batch)
    }

    /// The marker of the last commit.
    pub fn applied(&self) -> Result<Option<Bytes>, StorageError> {
        self.inner.system_value(engine::APPLIED_KEY)
    }

    /// A named system blob.
    pub fn system(&self, key: SystemKey) -> Result<Option<Bytes>, StorageError> {
        self.inner.system_value(&engine::name_key(key))
    }

    /// Stores a named system blob outside any batch; lost in a crash unless flushed.
    pub fn put_system(&self, key: SystemKey, value: &[u8]) -> Result<(), StorageError> {
        if let Engine::Memory(db) = &self.inner.db {
            let named = [(key, Bytes::copy_from_slice(value))];
            return self.inner.change(|| db.commit(None, memory::system_pairs(None, &named)));
        }
        let mut batch = WriteBatch::default();
        batch.put_cf(self.inner.system_family(), engine::name_key(key), value);
        self.inner.write(batch)
    }

    /// Makes everything committed so far durable, all families at one point. Blocks.
    pub fn flush(&self) -> Result<(), StorageError> {
        self.inner.flush()
    }

    /// How much is not flushed, and since when: what flushing by age looks at.
    pub fn unflushed(&self) -> Result<Unflushed, StorageError> {
        self.inner.unflushed()
    }

    /// Flushes, and links the files into a new checkpoint directory of this replica. The checkpoint before it is deleted
    /// when its last handle is dropped. Blocks; commits may go on beside it.
    pub fn checkpoint(&self) -> Result<Checkpoint, StorageError> {
        self.inner.refuse_if_replaced()?;
        let _one_at_a_time = self.inner.making.lock().expect("no code panics while making a checkpoint");
        let number = self.inner.last_checkpoint.fetch_add(1, Ordering::Relaxed) + 1;
        let previous = self.latest_checkpoint();
        let made = Checkpoint::make(&self.inner.db, &self.inner.dir, number, previous.as_ref())?;
        *self.inner.latest_checkpoint() = Some(made.clone());
        if let Some(previous) = previous {
            previous.make_obsolete();
        }
        Ok(made)
    }

    /// The newest checkpoint, also one made before a restart. Never waits for one being made.
    pub fn latest_checkpoint(&self) -> Option<Checkpoint> {
        self.inner.latest_checkpoint().clone()
    }

    /// Begins to receive a snapshot of these files; one at a time, else [`StorageError::ReceiveBusy`].
    pub fn receive(&self, files: Vec<SnapshotFile>) -> Result<IncomingSnapshot, StorageError> {
        self.inner.refuse_if_replaced()?;
        let is_rocks = matches!(self.inner.db, Engine::Rocks(_));
        IncomingSnapshot::begin(&self.inner.dir, &self.inner.receiving, is_rocks, files)
    }

    /// Replaces the content by a received snapshot and gives the new handle. This handle refuses writes from now on;
    /// its views stay valid, and its files are deleted when the last of them is dropped. No commit may run meanwhile.
    ///
    /// After an error this handle stays the valid one, except when the last step, making the new generation the one that
    /// counts, failed: which one counts is then unknown until the directory is opened again.
    pub fn install(&self, snapshot: VerifiedSnapshot) -> Result<Self, StorageError> {
        self.inner.refuse_if_replaced()?;
        let dir = &self.inner.dir;
        let number = self.inner.generation.number + 1;
        snapshot.adopt(&layout::generation_dir(dir, number))?;
        reached(Point::GenerationAdopted);
        let generation = Generation::new(dir, number);
        // Opened before it counts: a snapshot that does not open must not replace one that does.
        let next = Inner::open(dir, generation, self.inner.families, &self.inner.budget, false)
            .inspect_err(|_| discard(&layout::generation_dir(dir, number)))?;
        reached(Point::GenerationOpened);
        layout::point_at(dir, number)?;
        reached(Point::GenerationCounts);
        self.inner.generation.replaced.store(true, Ordering::Release);
        next.last_checkpoint.store(self.inner.last_checkpoint.load(Ordering::Relaxed), Ordering::Relaxed);
        if let Some(older) = self.inner.latest_checkpoint().take() {
            older.make_obsolete();
        }
        Ok(Self { inner: Arc::new(next) })
    }

    /// Refuses writes, flushes, checkpoints and snapshots from now on; views stay valid. To be called before
    /// [`destroy`](Self::destroy), while somebody may still hold a handle. One that is at work is not waited for.
    pub fn retire(&self) {
        self.inner.generation.replaced.store(true, Ordering::Release);
    }

    /// Directory of the replica.
    pub fn dir(&self) -> &Path {
        &self.inner.dir
    }

    /// Deletes a replica's directory; no handle to it may be open. May be repeated after a failure.
    pub fn destroy(dir: &Path, owner: &DirOwner) -> Result<(), StorageError> {
        layout::destroy(dir, owner)
    }
}

impl Inner {
    fn open(
        dir: &Path,
        generation: Generation,
        families: &'static [FamilySpec],
        budget: &MemoryBudget,
        create: bool,
    ) -> Result<Self, StorageError> {
        Ok(Self {
            db: engine::open(&generation.path, families, budget, create)?,
            path: generation.path.clone(),
            families,
            generation,
            dir: dir.to_path_buf(),
            budget: budget.clone(),
            unflushed_since: Mutex::new(None),
            checkpoint: Mutex::new(None),
            making: Mutex::new(()),
            last_checkpoint: AtomicU64::new(0),
            receiving: Arc::new(AtomicBool::new(false)),
        })
    }

    /// Takes up the newest checkpoint on disk and deletes the others, and one that cannot be read: it can be made anew.
    fn load_checkpoint(&self) -> Result<(), StorageError> {
        let numbers = layout::checkpoints(&self.dir)?;
        let newest = numbers.last().copied();
        self.last_checkpoint.store(newest.unwrap_or(0), Ordering::Relaxed);
        for number in numbers {
            let path = layout::checkpoint_dir(&self.dir, number);
            let loaded = if Some(number) == newest { Checkpoint::load(path.clone(), &self.db).ok() } else { None };
            match loaded {
                Some(checkpoint) => *self.latest_checkpoint() = Some(checkpoint),
                None => durable::remove(&path)?,
            }
        }
        Ok(())
    }

    fn write(&self, batch: WriteBatch) -> Result<(), StorageError> {
        self.refuse_if_replaced()?;
        let mut options = WriteOptions::default();
        options.disable_wal(true);
        self.unflushed_since().get_or_insert_with(Instant::now);
        self.db.rocks().write_opt(batch, &options).map_err(|source| self.failed("write to", source))
    }

    /// A change in memory, for which no batch is written.
    fn change(&self, change: impl FnOnce()) -> Result<(), StorageError> {
        self.refuse_if_replaced()?;
        self.unflushed_since().get_or_insert_with(Instant::now);
        change();
        Ok(())
    }

    fn system_value(&self, key: &[u8]) -> Result<Option<Bytes>, StorageError> {
        match &self.db {
            Engine::Rocks(db) => engine::system_value(db, &self.path, key),
            Engine::Memory(db) => Ok(db.tables().system_value(key)),
        }
    }

    /// Everything that is committed now, of a state in memory.
    fn tables(&self) -> Arc<Tables> {
        match &self.db {
            Engine::Memory(db) => db.tables(),
            Engine::Rocks(_) => unreachable!("RocksDB has none"),
        }
    }

    fn flush(&self) -> Result<(), StorageError> {
        self.refuse_if_replaced()?;
        let since = self.unflushed_since().take();
        if let Engine::Memory(db) = &self.db {
            return db.flush();
        }
        let families = self.all_families();
        let mut options = FlushOptions::default();
        options.set_wait(true);
        reached(Point::StateFlush);
        let flushed = self.db.rocks().flush_cfs_opt(&families.iter().collect::<Vec<_>>(), &options);
        flushed.map_err(|source| {
            *self.unflushed_since() = since;
            self.failed("flush", source)
        })?;
        reached(Point::StateFlushed);
        Ok(())
    }

    fn unflushed(&self) -> Result<Unflushed, StorageError> {
        if let Engine::Memory(db) = &self.db {
            let since = *self.unflushed_since();
            return Ok(if db.flushed() { Unflushed { bytes: 0, since: None } } else { Unflushed { bytes: 1, since } });
        }
        let number = |family, property| -> Result<u64, StorageError> {
            let value = self.db.rocks().property_int_value_cf(family, property);
            Ok(value.map_err(|source| self.failed("ask for the memory of", source))?.unwrap_or(0))
        };
        // Every commit writes to the system family, and families are flushed together, so RocksDB's own flushes show
        // there too.
        let mut since = self.unflushed_since();
        let system = self.system_family();
        let pending = number(system, properties::NUM_ENTRIES_ACTIVE_MEM_TABLE)?
            + number(system, properties::NUM_ENTRIES_IMM_MEM_TABLES)?;
        if pending == 0 {
            *since = None;
            return Ok(Unflushed { bytes: 0, since: None });
        }
        let mut bytes = 0;
        for family in self.all_families() {
            bytes += number(family, properties::CUR_SIZE_ALL_MEM_TABLES)?;
        }
        // A new database begins with our own format record, which no commit wrote.
        Ok(Unflushed { bytes, since: Some(*since.get_or_insert_with(Instant::now)) })
    }

    fn refuse_if_replaced(&self) -> Result<(), StorageError> {
        if self.generation.replaced.load(Ordering::Acquire) {
            return Err(StorageError::Replaced { path: self.path.clone() });
        }
        Ok(())
    }

    fn families(&self) -> impl Iterator<Item = (Family, &'static FamilySpec)> + use<> {
        (0..=u8::MAX).map(Family::new).zip(self.families)
    }

    fn family(&self, family: Family) -> Result<(&'static FamilySpec, &ColumnFamily), StorageError> {
        let spec = self.families.get(family.position()).ok_or_else(|| family.unknown())?;
        Ok((spec, self.db.rocks().cf_handle(spec.name).expect("opened with every family of the specs")))
    }

    fn all_families(&self) -> Vec<&ColumnFamily> {
        let named = self.families.iter().map(|spec| spec.name).chain([engine::SYSTEM_FAMILY]);
        named.map(|name| self.db.rocks().cf_handle(name).expect("opened with every family")).collect()
    }

    fn system_family(&self) -> &ColumnFamily {
        self.db.rocks().cf_handle(engine::SYSTEM_FAMILY).expect("opened with this family")
    }

    fn failed(&self, attempt: &'static str, source: rocksdb::Error) -> StorageError {
        StorageError::engine(attempt, &self.path, source)
    }

    fn latest_checkpoint(&self) -> MutexGuard<'_, Option<Checkpoint>> {
        self.checkpoint.lock().expect("no code panics while holding the checkpoint")
    }

    fn unflushed_since(&self) -> MutexGuard<'_, Option<Instant>> {
        self.unflushed_since.lock().expect("no code panics while holding the time")
    }
}

impl Generation {
    fn new(dir: &Path, number: u64) -> Self {
        Self { path: layout::generation_dir(dir, number), number, replaced: AtomicBool::new(false) }
    }
}

impl Drop for Generation {
    fn drop(&mut self) {
        if *self.replaced.get_mut() {
            discard(&self.path);
        }
    }
}

/// Deletes files that no longer count; what cannot be deleted now is deleted at the next open.
fn discard(path: &Path) {
    if let Err(error) = durable::remove(path) {
        tracing::warn!(path = %path.display(), %error, "cannot delete a generation that does not count");
    }
}

impl fmt::Debug for StateDb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StateDb").field("path", &self.inner.path).finish_non_exhaustive()
    }
}
