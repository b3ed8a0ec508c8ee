//! Reading everything that a database holds, whoever wrote it and whatever its families are.

use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use rocksdb::{DB, DBRecoveryMode, IteratorMode, LogLevel, Options, ReadOptions};

use crate::StorageError;

/// The file that every RocksDB directory holds, and no other of ours.
const MARKER: &str = "CURRENT";

/// Files that a scan keeps open.
const OPEN_FILES: i32 = 256;

/// One key and its value.
#[derive(Clone, Copy)]
pub struct Pair<'a> {
    /// Name of the family that it lies in.
    pub family: &'a str,
    /// The key.
    pub key: &'a [u8],
    /// The value; read from its blob file where it lies in one.
    pub value: &'a [u8],
}

/// Keys and values may be a patient's, so only the lengths are shown.
impl std::fmt::Debug for Pair<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pair")
            .field("family", &self.family)
            .field("key_len", &self.key.len())
            .field("value_len", &self.value.len())
            .finish()
    }
}

/// Directories of databases at and below `dir`: logs, states, checkpoints, and snapshots being received. Links are not
/// followed. Sorted.
pub fn databases_below(dir: &Path) -> Result<Vec<PathBuf>, StorageError> {
    let mut found = Vec::new();
    let mut open = vec![dir.to_path_buf()];
    while let Some(dir) = open.pop() {
        let failed = |source| StorageError::io("list", &dir, source);
        for entry in fs::read_dir(&dir).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            if entry.file_type().map_err(failed)?.is_dir() {
                open.push(entry.path());
            } else if entry.file_name() == MARKER {
                found.push(dir.clone());
            }
        }
    }
    found.sort_unstable();
    Ok(found)
}

/// Calls `visit` with every pair of every family of the database in `path`, until it breaks. What a crash left in the
/// write-ahead log is replayed into memory first; nothing of the content is changed (RocksDB may begin a message file).
///
/// It sees what a reader would: not values that were overwritten or deleted and still lie in files. No process may have
/// the database open: files would vanish below the scan.
pub fn scan_database(path: &Path, visit: &mut dyn FnMut(Pair<'_>) -> ControlFlow<()>) -> Result<(), StorageError> {
    let mut options = Options::default();
    options.set_paranoid_checks(true);
    options.set_max_open_files(OPEN_FILES);
    options.set_log_level(LogLevel::Warn);
    // A killed process leaves a torn last record, as the log database expects.
    options.set_wal_recovery_mode(DBRecoveryMode::PointInTime);
    let open_failed = |source| StorageError::engine("open for scanning", path, source);
    let families = DB::list_cf(&options, path).map_err(open_failed)?;
    let db = DB::open_cf_for_read_only(&options, path, &families, false).map_err(open_failed)?;
    for family in &families {
        let handle = db.cf_handle(family).expect("opened with every family that it lists");
        let mut reading = ReadOptions::default();
        reading.set_total_order_seek(true);
        reading.set_verify_checksums(true);
        // Everything is read once.
        reading.fill_cache(false);
        for pair in db.iterator_cf_opt(handle, reading, IteratorMode::Start) {
            let (key, value) = pair.map_err(|source| StorageError::engine("scan", path, source))?;
            if visit(Pair { family, key: &key, value: &value }).is_break() {
                return Ok(());
            }
        }
    }
    Ok(())
}
