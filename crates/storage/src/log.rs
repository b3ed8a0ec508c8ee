//! The logs of all groups of a process in one RocksDB.
//!
//! One write-ahead log holds appends, truncations and votes of all groups in the order in which they were made, so one
//! sync makes all of it durable and a crash can never keep a later write without an earlier one.

mod group;
mod keys;
mod load;
mod mark;
mod marks;
mod options;
mod queue;
mod simulated;
mod stats;
mod tail;
mod writer;

use std::collections::HashMap;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, mpsc};
use std::thread::{self, JoinHandle};

use renkei_ids::{GroupId, ReplicaId};
use rocksdb::{ColumnFamily, DB};

use crate::{DirOwner, MemoryBudget, StorageError};
use group::Log;
use keys::LogPrefix;
use mark::SyncedMark;
use queue::{Operation, Queue};
use stats::Recorder;
use writer::Writer;

pub use group::{GroupLog, LogBounds};
pub use simulated::{LogChange, LogObserver, QueuedWrites, SimulatedDisk, StoredLog};
pub use stats::LogStats;

/// Called once, on the writer thread, with the first write error. Production aborts the process: after a failed fsync
/// nobody knows what is on the disk.
pub type FatalHook = Arc<dyn Fn(&StorageError) + Send + Sync>;

/// Called on the writer thread when an operation is durable, or has failed. It must neither block nor call the log.
pub type Durable = Box<dyn FnOnce(io::Result<()>) + Send>;

/// How to open a [`LogDb`].
#[derive(Clone, Debug)]
pub struct LogOptions {
    /// Whose directory it is; `replica` is `None`.
    pub owner: DirOwner,
    /// Gives write buffers and cache.
    pub budget: MemoryBudget,
    /// Bytes that may wait for the writer thread; a caller that finds no room blocks until there is.
    pub queue_bytes: usize,
    /// Bytes after which a batch is written even though more is waiting.
    pub batch_bytes: usize,
    /// Bytes of recent entries kept in memory, all groups together; [`MemoryBudget::log_tail_bytes`] by default.
    pub tail_bytes: usize,
}

impl LogOptions {
    /// A queue of 32 MiB, batches of 4 MiB and the budget's tail.
    pub fn new(owner: DirOwner, budget: MemoryBudget) -> Self {
        let tail_bytes = budget.log_tail_bytes();
        Self { owner, budget, queue_bytes: 32 << 20, batch_bytes: 4 << 20, tail_bytes }
    }
}

/// The log database of a process. Clones share it; when the last handle is dropped, [`GroupLog`]s included, it is shut
/// down.
#[derive(Clone)]
pub struct LogDb {
    inner: Arc<Inner>,
}

struct Inner {
    shared: Arc<Shared>,
    writer: Mutex<Option<JoinHandle<()>>>,
}

/// What the writer thread and the handles share.
struct Shared {
    disk: Disk,
    path: PathBuf,
    queue: Queue,
    recorder: Mutex<Recorder>,
    logs: Mutex<HashMap<LogPrefix, Arc<Log>>>,
    /// Every operation up to this sequence number is in the database.
    durable_sequence: AtomicU64,
    tail_bytes: Arc<AtomicUsize>,
    tail_limit: usize,
}

/// What holds the logs.
enum Disk {
    Rocks { db: DB, synced: SyncedMark },
    Simulated(SimulatedDisk),
}

impl LogDb {
    /// Opens or creates the database in `path` and starts its writer thread. One that has lost what was synced is refused
    /// with [`StorageError::LogCut`]. On a [`SimulatedDisk`] there is no such thread: what is queued waits for
    /// [`queued_writes`](Self::queued_writes).
    pub fn open(path: &Path, options: &LogOptions, fatal: FatalHook) -> Result<Self, StorageError> {
        options.owner.claim(path)?;
        let db_path = path.join("db");
        let (disk, observer) = match options.budget.simulated_disk() {
            Some(disk) => (Disk::Simulated(disk.clone()), disk.observer()),
            None => {
                let db = options::open(&db_path, &options.budget)?;
                let synced = SyncedMark::open(path, db.latest_sequence_number())?;
                (Disk::Rocks { db, synced }, None)
            }
        };
        let shared = Arc::new(Shared {
            disk,
            path: db_path,
            queue: Queue::new(options.queue_bytes).observed_by(observer),
            recorder: Mutex::new(Recorder::new()),
            logs: Mutex::new(HashMap::new()),
            durable_sequence: AtomicU64::new(0),
            tail_bytes: Arc::new(AtomicUsize::new(0)),
            tail_limit: options.tail_bytes,
        });
        if matches!(shared.disk, Disk::Simulated(_)) {
            return Ok(Self { inner: Arc::new(Inner { shared, writer: Mutex::new(None) }) });
        }
        load::check_format(&shared)?;
        let writer = Writer { shared: Arc::clone(&shared), batch_bytes: options.batch_bytes, fatal };
        let writer = thread::Builder::new()
            .name("log-writer".to_owned())
            .spawn(move || writer.run())
            .map_err(|source| StorageError::io("start the writer thread of", path, source))?;
        Ok(Self { inner: Arc::new(Inner { shared, writer: Mutex::new(Some(writer)) }) })
    }

    /// The log of one replica; bounds, vote and markers are loaded on the first call, later calls share them.
    pub fn group(&self, group: GroupId, replica: ReplicaId) -> Result<GroupLog, StorageError> {
        let prefix = LogPrefix { group, replica };
        let shared = self.shared();
        let mut logs = shared.logs();
        let log = match logs.get(&prefix) {
            Some(log) if log.is_dropped() => return Err(log.dropped_error()),
            Some(log) => Arc::clone(log),
            None => {
                let log = Arc::new(Log::new(prefix, load::load(shared, prefix)?));
                logs.insert(prefix, Arc::clone(&log));
                log
            }
        };
        drop(logs);
        Ok(GroupLog::new(self.clone(), log))
    }

    /// Deletes everything of that replica; durable on return. Handles to it refuse from now on. Must not be called on
    /// the writer thread.
    pub fn drop_group(&self, group: GroupId, replica: ReplicaId) -> Result<(), StorageError> {
        let prefix = LogPrefix { group, replica };
        self.group(group, replica)?;
        let shared = self.shared();
        let log = shared.logs().get(&prefix).map(Arc::clone);
        let log = log.ok_or(StorageError::LogDropped { group, replica })?;
        let operation = Operation::Drop { log: prefix };
        let place = shared.queue.reserve(operation.cost())?;
        if !log.mark_dropped() {
            return Err(log.dropped_error());
        }
        let (sender, receiver) = mpsc::sync_channel(1);
        let durable: Durable = Box::new(move |done| {
            // The receiver below waits; it is gone only if its thread panicked.
            let _ = sender.send(done);
        });
        place.submit(operation, Some(durable)).map_err(|refused| refused.error)?;
        if matches!(shared.disk, Disk::Simulated(_)) {
            // The thread that would wait here is the one that writes.
            shared.logs().remove(&prefix);
            return Ok(());
        }
        let done = receiver.recv().map_err(|_| StorageError::LogFailed)?;
        done.map_err(|source| StorageError::io("drop a log from", &shared.path, source))?;
        shared.logs().remove(&prefix);
        Ok(())
    }

    /// What the writer thread has done since the database was opened.
    pub fn stats(&self) -> LogStats {
        let shared = self.shared();
        let recorder = shared.recorder.lock().expect("no code panics while holding the recorder");
        recorder.stats(shared.queue.queued_bytes(), shared.tail_bytes.load(Ordering::Relaxed))
    }

    /// Writes what is queued, syncs, and ends the writer thread. Later operations are refused.
    pub fn shutdown(&self) {
        while matches!(self.shared().disk, Disk::Simulated(_))
            && let Some(writes) = self.queued_writes()
        {
            writes.written();
        }
        self.inner.shutdown();
    }

    fn shared(&self) -> &Arc<Shared> {
        &self.inner.shared
    }
}

impl Inner {
    fn shutdown(&self) {
        self.shared.queue.close();
        let writer = self.writer.lock().expect("no code panics while holding the writer").take();
        let Some(writer) = writer else { return };
        // The last handle may have been dropped by a callback, on the writer thread itself.
        if writer.thread().id() == thread::current().id() {
            return;
        }
        if writer.join().is_err() {
            tracing::error!(path = %self.shared.path.display(), "the log's writer thread panicked");
        }
        // Purge and commit markers may not have been synced; losing them costs only replay.
        if let Err(error) = self.shared.rocks().flush_wal(true) {
            tracing::warn!(path = %self.shared.path.display(), %error, "cannot sync the log at shutdown");
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.shutdown();
    }
}

impl Shared {
    /// Keeps the tails within their part of the memory: once they exceed it together, each log keeps an equal share.
    fn trim_tails(&self) {
        if self.tail_bytes.load(Ordering::Relaxed) <= self.tail_limit {
            return;
        }
        let logs: Vec<Arc<Log>> = self.logs().values().map(Arc::clone).collect();
        let share = self.tail_limit / logs.len().max(1);
        let durable_sequence = self.durable_sequence.load(Ordering::Acquire);
        for log in logs {
            log.evict(share, durable_sequence);
        }
    }

    /// The database.
    fn rocks(&self) -> &DB {
        match &self.disk {
            Disk::Rocks { db, .. } => db,
            Disk::Simulated(_) => unreachable!("a simulated disk is asked before RocksDB is"),
        }
    }

    /// Everything that was written up to here is synced.
    fn synced(&self) -> Result<(), StorageError> {
        match &self.disk {
            Disk::Rocks { db, synced } => synced.advance(db.latest_sequence_number()),
            Disk::Simulated(_) => Ok(()),
        }
    }

    fn log_family(&self) -> &ColumnFamily {
        self.rocks().cf_handle(options::LOG_FAMILY).expect("opened with this family")
    }

    fn meta_family(&self) -> &ColumnFamily {
        self.rocks().cf_handle(options::META_FAMILY).expect("opened with this family")
    }

    fn failed(&self, attempt: &'static str, source: rocksdb::Error) -> StorageError {
        StorageError::engine(attempt, &self.path, source)
    }

    fn malformed(&self, record: &'static str) -> StorageError {
        StorageError::Malformed { record, path: self.path.clone() }
    }

    fn logs(&self) -> MutexGuard<'_, HashMap<LogPrefix, Arc<Log>>> {
        self.logs.lock().expect("no code panics while holding the logs")
    }
}

impl fmt::Debug for LogDb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LogDb").field("path", &self.shared().path).finish_non_exhaustive()
    }
}
