use std::io;
use std::path::{Path, PathBuf};

use renkei_ids::{GroupId, ReplicaId};

/// Why a storage call failed. Says what was attempted and where; never holds a key or a value (RocksDB leaves keys out
/// of its messages too, `allow_data_in_errors` being off).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StorageError {
    /// A file or directory operation failed.
    #[error("cannot {attempt} {}", path.display())]
    Io {
        /// What was tried, as a verb phrase.
        attempt: &'static str,
        /// Where.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// RocksDB refused or failed.
    #[error("cannot {attempt} {}", path.display())]
    Engine {
        /// What was tried, as a verb phrase.
        attempt: &'static str,
        /// Directory of the database.
        path: PathBuf,
        /// What RocksDB said.
        #[source]
        source: rocksdb::Error,
    },
    /// The answer is not in memory and the view was asked not to touch the disk: ask again on a blocking thread.
    #[error("the answer is not in memory")]
    WouldBlock,
    /// An append that does not begin right after the last entry.
    #[error("group {group} replica {replica}: entry {found} cannot follow; {expected} is next")]
    NotContiguous {
        /// The group of the log.
        group: GroupId,
        /// The replica of the log.
        replica: ReplicaId,
        /// Index that would have been taken.
        expected: u64,
        /// Index that was offered.
        found: u64,
    },
    /// An entry inside the bounds of the log is not on disk.
    #[error("group {group} replica {replica}: entry {index} is missing from the log database")]
    EntryMissing {
        /// The group of the log.
        group: GroupId,
        /// The replica of the log.
        replica: ReplicaId,
        /// Index of the first entry that is missing.
        index: u64,
    },
    /// The log database ends before a write that was synced: it was cut short or damaged, or a file of it is gone.
    #[error("the log in {} ends at write {found}, and write {synced} was synced: it was cut or damaged", path.display())]
    LogCut {
        /// Directory of the log.
        path: PathBuf,
        /// Number of the last write that is there.
        found: u64,
        /// Number of the last write that was synced, at least.
        synced: u64,
    },
    /// The log of this replica has been dropped.
    #[error("group {group} replica {replica}: its log was dropped")]
    LogDropped {
        /// The group of the log.
        group: GroupId,
        /// The replica of the log.
        replica: ReplicaId,
    },
    /// An earlier write of the log database failed; nothing is written any more.
    #[error("the log database stopped after a failed write")]
    LogFailed,
    /// The log database has been shut down.
    #[error("the log database is shut down")]
    LogClosed,
    /// A completion callback panicked on the writer thread.
    #[error("a completion callback of the log database panicked")]
    WriterPanicked,
    /// A stored record of our own does not decode.
    #[error("{record} in {} does not decode", path.display())]
    Malformed {
        /// Which record.
        record: &'static str,
        /// File or database directory.
        path: PathBuf,
    },
    /// A directory or database written in a format that this version does not know.
    #[error("{} has format {found}, known are 1 to {newest}", path.display())]
    UnknownFormat {
        /// File or database directory.
        path: PathBuf,
        /// Version found.
        found: u32,
        /// Newest version that can be read.
        newest: u32,
    },
    /// A directory that belongs to another cloud, node, group or replica.
    #[error("{} belongs to {found}, not to {expected}", path.display())]
    ForeignDirectory {
        /// The directory.
        path: PathBuf,
        /// What its marker says.
        found: Box<crate::DirOwner>,
        /// Who tried to open it.
        expected: Box<crate::DirOwner>,
    },
    /// A directory with content but without an owner marker: not one of ours, or damaged.
    #[error("{} holds files but no owner marker", path.display())]
    UnmarkedDirectory {
        /// The directory.
        path: PathBuf,
    },
    /// A family number past the families that the database was opened with.
    #[error("family {0} is not one of this database")]
    UnknownFamily(u8),
    /// The state database was replaced by an installed snapshot; take the new handle.
    #[error("{} was replaced by a snapshot", path.display())]
    Replaced {
        /// Directory of the replaced generation.
        path: PathBuf,
    },
    /// A snapshot is already being received for this replica.
    #[error("a snapshot is already being received")]
    ReceiveBusy,
    /// The list of files of a snapshot, or a piece of it, is not acceptable.
    #[error("the snapshot is refused: {0}")]
    SnapshotRefused(#[from] crate::state::InvalidSnapshot),
    /// Too little of the disk is free.
    #[error("{free_percent} % of the disk is free, at least {stop_percent} % is needed")]
    DiskFull {
        /// What is free.
        free_percent: u8,
        /// What is needed.
        stop_percent: u8,
    },
}

impl StorageError {
    /// Whether stored bytes are damaged: retrying cannot help, the replica must be rebuilt from its peers.
    pub fn is_corruption(&self) -> bool {
        match self {
            Self::Engine { source, .. } => source.kind() == rocksdb::ErrorKind::Corruption,
            Self::EntryMissing { .. } | Self::Malformed { .. } | Self::LogCut { .. } => true,
            _ => false,
        }
    }

    pub(crate) fn io(attempt: &'static str, path: &Path, source: io::Error) -> Self {
        Self::Io { attempt, path: path.to_path_buf(), source }
    }

    /// Turns RocksDB's "not without I/O" into [`StorageError::WouldBlock`].
    pub(crate) fn engine(attempt: &'static str, path: &Path, source: rocksdb::Error) -> Self {
        match source.kind() {
            rocksdb::ErrorKind::Incomplete => Self::WouldBlock,
            _ => Self::Engine { attempt, path: path.to_path_buf(), source },
        }
    }
}
