use std::collections::BTreeMap;
use std::fmt;
use std::fs::{self, File};
use std::io::Read as _;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use aws_lc_rs::digest::{Context, SHA256};
use bytes::Bytes;
use renkei_faults::{Point, reached};
use rocksdb::checkpoint::Checkpoint as Linker;

use super::digest::sha256;
use super::engine::Engine;
use super::file_list::{self, SnapshotFile};
use super::memory::Tables;
use super::{InvalidSnapshot, SystemKey, engine, layout};
use crate::{StorageError, durable};

const FILES: &str = "FILES";
const DATABASE: &str = "db";

/// A state database as files that no longer change. Clones share them.
///
/// The markers are read from the checkpoint itself and never from the live database, which may be ahead: then a replica
/// that installs it would skip the entries in between.
#[derive(Clone)]
pub struct Checkpoint {
    held: Arc<Held>,
}

struct Held {
    dir: PathBuf,
    files: Vec<SnapshotFile>,
    applied: Option<Bytes>,
    system: BTreeMap<String, Bytes>,
    obsolete: AtomicBool,
}

impl Checkpoint {
    /// The files.
    pub fn files(&self) -> &[SnapshotFile] {
        &self.held.files
    }

    /// Length of all files, bytes.
    pub fn total_bytes(&self) -> u64 {
        self.held.files.iter().map(|file| file.len).sum()
    }

    /// The applied marker, as the checkpoint itself holds it.
    pub fn applied(&self) -> Option<Bytes> {
        self.held.applied.clone()
    }

    /// A system blob, as the checkpoint itself holds it.
    pub fn system(&self, key: SystemKey) -> Option<Bytes> {
        self.held.system.get(key.name()).cloned()
    }

    /// Up to `len` bytes of a file from `offset` on; shorter only at its end.
    pub fn read_piece(&self, name: &str, offset: u64, len: usize) -> Result<Bytes, StorageError> {
        let file = self.held.files.iter().find(|file| file.name == name).ok_or(InvalidSnapshot::UnknownFile)?;
        let path = self.held.dir.join(DATABASE).join(&file.name);
        let rest = usize::try_from(file.len.saturating_sub(offset)).unwrap_or(usize::MAX);
        let mut piece = vec![0; len.min(rest)];
        let read = File::open(&path).and_then(|file| file.read_exact_at(&mut piece, offset));
        read.map_err(|source| StorageError::io("read a piece of", &path, source))?;
        Ok(piece.into())
    }

    /// Makes checkpoint `number` of the replica in `dir`. Hashes of files that it shares with `previous` are taken over.
    pub(super) fn make(db: &Engine, dir: &Path, number: u64, previous: Option<&Self>) -> Result<Self, StorageError> {
        let staged = layout::staged_checkpoint_dir(dir, number);
        let finished = layout::checkpoint_dir(dir, number);
        let made = Self::link(db, &staged)
            .and_then(|()| hash_files(&staged.join(DATABASE), previous))
            .and_then(|files| Self::finish(&staged, &finished, files, db));
        if made.is_err() {
            // The first error tells more than one of cleaning up; a leftover is deleted at the next open.
            let _ = durable::remove(&staged);
        }
        made
    }

    /// Opens a checkpoint that was finished before a restart.
    pub(super) fn load(dir: PathBuf, db: &Engine) -> Result<Self, StorageError> {
        let list = dir.join(FILES);
        let malformed = || StorageError::Malformed { record: "the list of files", path: list.clone() };
        let bytes = durable::read_if_present(&list)?.ok_or_else(malformed)?;
        let files = file_list::decode(&bytes).ok_or_else(malformed)?;
        let (applied, system) = read_markers(&dir.join(DATABASE), db)?;
        Ok(Self { held: Arc::new(Held { dir, files, applied, system, obsolete: AtomicBool::new(false) }) })
    }

    /// Its files are deleted when the last handle is dropped.
    pub(super) fn make_obsolete(&self) {
        self.held.obsolete.store(true, Ordering::Release);
    }

    /// Flushes all families at one point and links the files. A size of 0 makes RocksDB flush always; with any other,
    /// what was written without a write-ahead log could be missing.
    fn link(db: &Engine, staged: &Path) -> Result<(), StorageError> {
        durable::remove(staged)?;
        durable::create_dir(staged)?;
        let target = staged.join(DATABASE);
        let db = match db {
            Engine::Rocks(db) => db,
            Engine::Memory(db) => return db.copy_to(&target),
        };
        reached(Point::StateFlush);
        Linker::new(db)
            .and_then(|linker| linker.create_checkpoint_with_log_size(&target, 0))
            .map_err(|source| StorageError::engine("make the checkpoint", &target, source))?;
        reached(Point::CheckpointLinked);
        Ok(())
    }

    /// Writes the list of files and gives the checkpoint its name.
    fn finish(staged: &Path, finished: &Path, files: Vec<SnapshotFile>, db: &Engine) -> Result<Self, StorageError> {
        durable::replace_file(&staged.join(FILES), file_list::encode(&files).as_bytes())?;
        reached(Point::CheckpointListed);
        durable::rename(staged, finished)?;
        reached(Point::CheckpointNamed);
        Self::load(finished.to_path_buf(), db)
    }

    fn inode_of(&self, name: &str, len: u64) -> Option<(u64, [u8; 32])> {
        let file = self.held.files.iter().find(|file| file.name == name && file.len == len)?;
        let metadata = fs::metadata(self.held.dir.join(DATABASE).join(name)).ok()?;
        Some((metadata.ino(), file.sha256))
    }
}

type Markers = (Option<Bytes>, BTreeMap<String, Bytes>);

fn read_markers(path: &Path, of: &Engine) -> Result<Markers, StorageError> {
    if matches!(of, Engine::Memory(_)) {
        let tables = Tables::of_checkpoint(path)?;
        let named =
            tables.system().filter_map(|(key, value)| Some((engine::name_of_key(key)?.to_owned(), value.clone())));
        return Ok((tables.system_value(engine::APPLIED_KEY), named.collect()));
    }
    let db = engine::open_checkpoint(path)?;
    let applied = engine::system_value(&db, path, engine::APPLIED_KEY)?;
    let family = db.cf_handle(engine::SYSTEM_FAMILY).expect("opened with this family");
    let mut system = BTreeMap::new();
    for pair in db.iterator_cf(family, rocksdb::IteratorMode::Start) {
        let (key, value) = pair.map_err(|source| StorageError::engine("read the markers of", path, source))?;
        if let Some(name) = engine::name_of_key(&key) {
            system.insert(name.to_owned(), Bytes::from(value));
        }
    }
    Ok((applied, system))
}

/// Names, lengths and hashes of the database files in `dir`.
fn hash_files(dir: &Path, previous: Option<&Checkpoint>) -> Result<Vec<SnapshotFile>, StorageError> {
    let mut files = Vec::new();
    for name in durable::names_in(dir)?.into_iter().filter(|name| file_list::is_database_file(name)) {
        let path = dir.join(&name);
        let metadata = fs::metadata(&path).map_err(|source| StorageError::io("look at", &path, source))?;
        let len = metadata.len();
        // Tables and blob files never change, and a link to the same one has the same inode.
        let known = previous.filter(|_| is_immutable(&name)).and_then(|previous| previous.inode_of(&name, len));
        let sha256 = match known {
            Some((inode, sha256)) if inode == metadata.ino() => sha256,
            _ => hash_file(&path).map_err(|source| StorageError::io("hash", &path, source))?,
        };
        files.push(SnapshotFile { name, len, sha256 });
    }
    Ok(files)
}

fn is_immutable(name: &str) -> bool {
    name.ends_with(".sst") || name.ends_with(".blob")
}

fn hash_file(path: &Path) -> std::io::Result<[u8; 32]> {
    let mut file = File::open(path)?;
    let mut context = Context::new(&SHA256);
    let mut buffer = vec![0; 256 << 10];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(sha256(context)),
            len => context.update(&buffer[..len]),
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if *self.obsolete.get_mut()
            && let Err(error) = durable::remove(&self.dir)
        {
            tracing::warn!(path = %self.dir.display(), %error, "cannot delete an obsolete checkpoint");
        }
    }
}

impl fmt::Debug for Checkpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Checkpoint")
            .field("dir", &self.held.dir)
            .field("files", &self.held.files.len())
            .finish_non_exhaustive()
    }
}
