use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use crate::StorageError;

/// Beside the database, so that what cuts one of its files leaves this one alone.
const NAME: &str = "SYNCED";
/// The number of the last synced write, and its complement.
const LEN: usize = 16;

/// How far the log was synced. RocksDB takes a log that ends early for one that a crash ended; with this, one that was cut,
/// damaged in the middle, or lost a file, is told from it.
///
/// It is written behind each sync and not synced itself. So after a power cut it may be older, and never newer, than what
/// is on the disk.
#[derive(Debug)]
pub(super) struct SyncedMark {
    file: File,
    path: PathBuf,
}

impl SyncedMark {
    /// Opens the mark of the log in `dir`, and refuses a log whose last write is `found` when a later one was synced. A log
    /// without a mark, or with a torn one, is taken as it is.
    pub(super) fn open(dir: &Path, found: u64) -> Result<Self, StorageError> {
        let path = dir.join(NAME);
        let opened = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path);
        let mark = Self { file: opened.map_err(|source| StorageError::io("open", &path, source))?, path };
        match mark.read()? {
            Some(synced) if synced > found => Err(StorageError::LogCut { path: dir.to_path_buf(), found, synced }),
            _ => Ok(mark),
        }
    }

    fn read(&self) -> Result<Option<u64>, StorageError> {
        let mut bytes = [0; LEN];
        match self.file.read_exact_at(&mut bytes, 0) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
            read => read.map_err(|source| StorageError::io("read", &self.path, source))?,
        }
        let (number, complement) = bytes.split_at(LEN / 2);
        let number = u64::from_be_bytes(number.try_into().expect("half of 16 bytes"));
        Ok((complement == (!number).to_be_bytes()).then_some(number))
    }

    /// Every write up to this one is synced.
    pub(super) fn advance(&self, synced: u64) -> Result<(), StorageError> {
        let mut bytes = [0; LEN];
        bytes[..LEN / 2].copy_from_slice(&synced.to_be_bytes());
        bytes[LEN / 2..].copy_from_slice(&(!synced).to_be_bytes());
        self.file.write_all_at(&bytes, 0).map_err(|source| StorageError::io("write", &self.path, source))
    }
}
