use std::collections::HashMap;
use std::fmt;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use aws_lc_rs::digest::{Context, SHA256};

use super::digest::sha256;
use super::file_list::{self, SnapshotFile};
use super::{engine, layout};
use crate::{StorageError, durable};

/// Why a snapshot, or a piece of it, is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidSnapshot {
    /// More files than any state database has.
    #[error("too many files")]
    TooManyFiles,
    /// A name that is not a plain file name of a database.
    #[error("a file has an unacceptable name")]
    Name,
    /// Two files of one name.
    #[error("two files have one name")]
    DuplicateName,
    /// A piece of a file that was not announced.
    #[error("a piece belongs to no announced file")]
    UnknownFile,
    /// A piece that does not begin where the one before it ended.
    #[error("a piece does not continue its file")]
    OutOfOrder,
    /// More bytes than announced.
    #[error("a file is longer than announced")]
    TooLong,
    /// Fewer bytes than announced.
    #[error("a file is shorter than announced")]
    Incomplete,
    /// The content is not what was announced.
    #[error("a file does not have the announced hash")]
    Hash,
}

/// A snapshot being received. Dropping it deletes what was received.
pub struct IncomingSnapshot {
    files: HashMap<String, IncomingFile>,
    received: u64,
    dir: ReceivingDir,
    /// Whether the files are a database of RocksDB.
    is_rocks: bool,
}

struct IncomingFile {
    announced: SnapshotFile,
    received: u64,
    progress: Progress,
}

enum Progress {
    Waiting,
    Receiving { file: File, hash: Context },
    Durable,
}

/// A received snapshot whose every file is as announced and durable; what
/// [`StateDb::install`](super::StateDb::install) takes. Dropping it deletes it.
pub struct VerifiedSnapshot {
    dir: ReceivingDir,
}

/// The directory and the right to receive into it.
struct ReceivingDir {
    path: PathBuf,
    busy: Arc<AtomicBool>,
    keep: bool,
}

impl IncomingSnapshot {
    /// `replica` is the replica's directory, `busy` set while a snapshot of it is being received, `is_rocks` whether its
    /// states are RocksDB's.
    pub(super) fn begin(
        replica: &Path,
        busy: &Arc<AtomicBool>,
        is_rocks: bool,
        files: Vec<SnapshotFile>,
    ) -> Result<Self, StorageError> {
        file_list::validate(&files)?;
        if busy.swap(true, Ordering::AcqRel) {
            return Err(StorageError::ReceiveBusy);
        }
        let dir = ReceivingDir { path: replica.join(layout::INCOMING), busy: Arc::clone(busy), keep: false };
        durable::remove(&dir.path)?;
        durable::create_dir(&dir.path)?;
        let files = files
            .into_iter()
            .map(|announced| {
                (announced.name.clone(), IncomingFile { announced, received: 0, progress: Progress::Waiting })
            })
            .collect();
        Ok(Self { files, received: 0, dir, is_rocks })
    }

    /// Takes a piece; the pieces of one file come in order. After an error the snapshot is good for nothing.
    pub fn write_piece(&mut self, name: &str, offset: u64, piece: &[u8]) -> Result<(), StorageError> {
        let file = self.files.get_mut(name).ok_or(InvalidSnapshot::UnknownFile)?;
        file.write(&self.dir.path, offset, piece)?;
        self.received += piece.len() as u64;
        Ok(())
    }

    /// Bytes received so far.
    pub fn received_bytes(&self) -> u64 {
        self.received
    }

    /// Bytes announced.
    pub fn total_bytes(&self) -> u64 {
        self.files.values().map(|file| file.announced.len).fold(0, u64::saturating_add)
    }

    /// Checks length and hash of every file, makes files and directory durable, and reads all of the database once: the
    /// sender's own disk may have damaged what it sent, and then the hash is one of damaged bytes. Takes about as long as
    /// the transfer.
    ///
    /// # Errors
    /// [`StorageError::SnapshotRefused`], and whatever the database says of itself.
    pub fn verify(mut self) -> Result<VerifiedSnapshot, StorageError> {
        for file in self.files.values_mut() {
            file.write(&self.dir.path, file.received, &[])?;
            if !matches!(file.progress, Progress::Durable) {
                return Err(InvalidSnapshot::Incomplete.into());
            }
        }
        durable::sync_dir(&self.dir.path)?;
        if self.is_rocks {
            engine::read_through(&self.dir.path)?;
        }
        Ok(VerifiedSnapshot { dir: self.dir })
    }
}

impl IncomingFile {
    fn write(&mut self, dir: &Path, offset: u64, piece: &[u8]) -> Result<(), StorageError> {
        if offset != self.received {
            return Err(InvalidSnapshot::OutOfOrder.into());
        }
        let received = self.received.checked_add(piece.len() as u64).ok_or(InvalidSnapshot::TooLong)?;
        if received > self.announced.len {
            return Err(InvalidSnapshot::TooLong.into());
        }
        let path = dir.join(&self.announced.name);
        let failed = |source| StorageError::io("write", &path, source);
        if matches!(self.progress, Progress::Waiting) {
            let file = File::create_new(&path).map_err(failed)?;
            self.progress = Progress::Receiving { file, hash: Context::new(&SHA256) };
        }
        if let Progress::Receiving { file, hash } = &mut self.progress {
            file.write_all(piece).map_err(failed)?;
            hash.update(piece);
            self.received = received;
        }
        if received == self.announced.len { self.complete(&path) } else { Ok(()) }
    }

    fn complete(&mut self, path: &Path) -> Result<(), StorageError> {
        if let Progress::Receiving { file, hash } = std::mem::replace(&mut self.progress, Progress::Durable) {
            file.sync_all().map_err(|source| StorageError::io("sync", path, source))?;
            if sha256(hash) != self.announced.sha256 {
                self.progress = Progress::Waiting;
                return Err(InvalidSnapshot::Hash.into());
            }
        }
        Ok(())
    }
}

impl VerifiedSnapshot {
    /// The first rename of an install: the received directory becomes `generation`, which does not count yet.
    pub(super) fn adopt(mut self, generation: &Path) -> Result<(), StorageError> {
        durable::remove(generation)?;
        durable::rename(&self.dir.path, generation)?;
        self.dir.keep = true;
        Ok(())
    }
}

impl Drop for ReceivingDir {
    fn drop(&mut self) {
        if !self.keep
            && let Err(error) = durable::remove(&self.path)
        {
            tracing::warn!(path = %self.path.display(), %error, "cannot delete an abandoned snapshot");
        }
        self.busy.store(false, Ordering::Release);
    }
}

impl fmt::Debug for IncomingSnapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IncomingSnapshot")
            .field("dir", &self.dir.path)
            .field("files", &self.files.len())
            .field("received", &self.received)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for VerifiedSnapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifiedSnapshot").field("dir", &self.dir.path).finish_non_exhaustive()
    }
}
