//! A disk that is a value: for simulations, where one thread does everything and time is not the machine's.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use bytes::Bytes;
use renkei_faults::{Mutation, mutated};
use renkei_ids::{GroupId, ReplicaId};

use super::group::{LogState, fits};
use super::keys::{LogPrefix, PurgeRecord};
use super::marks::ByteMarks;
use super::queue::{Observer, Operation, Queued};
use super::tail::Tail;
use super::{Disk, LogDb, Shared};
use crate::StorageError;

/// Holds what the logs of one node have made durable. Clones share it, and it outlives the [`LogDb`]s that are opened on
/// it one after the other: what was only queued is lost with each of them, as in a crash.
///
/// A [`MemoryBudget`](crate::MemoryBudget) made for it carries it to every database of the node; states keep their pairs in
/// memory then, and one file of them where RocksDB would keep its own.
#[derive(Clone, Default)]
pub struct SimulatedDisk {
    content: Arc<Mutex<Content>>,
    observer: Option<LogObserver>,
}

/// Sees each change of a log at the moment at which readers see it. It must not call the log.
pub type LogObserver = Arc<dyn Fn(GroupId, ReplicaId, LogChange<'_>) + Send + Sync>;

#[derive(Default)]
struct Content {
    logs: BTreeMap<LogPrefix, StoredLog>,
    /// Written without a sync since the last sync, in order.
    unsynced: Vec<Operation>,
}

/// What is durable of one log.
#[derive(Clone, Default)]
pub struct StoredLog {
    /// By index.
    pub entries: BTreeMap<u64, Bytes>,
    /// The vote saved last.
    pub vote: Option<Bytes>,
    /// What was known to be committed.
    pub committed: Option<Bytes>,
    /// The caller's marker of the last purge.
    pub purged: Option<Bytes>,
    purge: Option<PurgeRecord>,
}

/// One change of a log, in the order in which they were made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogChange<'a> {
    /// Entries from an index on.
    Appended {
        /// Index of the first one.
        first: u64,
        /// What was appended.
        entries: &'a [Bytes],
    },
    /// Entries from an index on were deleted.
    Truncated {
        /// Index of the first one.
        from: u64,
    },
    /// Entries up to an index were deleted.
    Purged {
        /// Index of the last one.
        through: u64,
        /// The caller's marker.
        marker: &'a Bytes,
    },
    /// A vote was saved.
    Voted(&'a Bytes),
    /// What is known to be committed was saved.
    Committed(&'a Bytes),
    /// Everything of the log was deleted.
    Dropped,
}

/// What the writer thread would take next. Dropped, it is lost, and nobody is told.
pub struct QueuedWrites {
    shared: Arc<Shared>,
    batch: Vec<Queued>,
}

impl LogDb {
    /// Takes everything that is queued, on a [`SimulatedDisk`]; `None` when there is nothing. The time until
    /// [`QueuedWrites::written`] is that of the write and its sync; one at a time.
    pub fn queued_writes(&self) -> Option<QueuedWrites> {
        let shared = Arc::clone(self.shared());
        let batch = shared.queue.take_now(usize::MAX)?;
        Some(QueuedWrites { shared, batch })
    }
}

impl QueuedWrites {
    /// What they change, in order.
    pub fn changes(&self) -> impl Iterator<Item = (GroupId, ReplicaId, LogChange<'_>)> {
        self.batch.iter().filter_map(|queued| change_of(&queued.operation))
    }

    /// Whether somebody relies on them after a crash: then they are synced, with everything written earlier.
    pub fn synced(&self) -> bool {
        self.batch.iter().any(|queued| queued.operation.needs_sync())
    }

    /// They are written, and synced where anybody relies on it; whoever waits is told.
    pub fn written(self) {
        let Self { shared, batch } = self;
        let Disk::Simulated(disk) = &shared.disk else { return };
        let needed = batch.iter().any(|queued| queued.operation.needs_sync());
        let synced = needed && !mutated(Mutation::SyncSkipped);
        let mut told = Vec::with_capacity(batch.len());
        let mut last = None;
        {
            let mut content = disk.content();
            for Queued { operation, sequence, durable, .. } in batch {
                last = Some(sequence);
                content.unsynced.push(operation);
                told.extend(durable);
            }
            if synced {
                content.sync();
            }
        }
        if let Some(last) = last {
            shared.durable_sequence.store(last, Ordering::Release);
        }
        for durable in told {
            durable(Ok(()));
        }
        shared.trim_tails();
    }
}

impl SimulatedDisk {
    /// An empty one.
    pub fn new(observer: Option<LogObserver>) -> Self {
        Self { content: Arc::default(), observer }
    }

    pub(super) fn observer(&self) -> Option<Observer> {
        let observer = Arc::clone(self.observer.as_ref()?);
        Some(Box::new(move |operation: &Operation| {
            if let Some((group, replica, change)) = change_of(operation) {
                observer(group, replica, change);
            }
        }))
    }

    /// What is durable of every log.
    pub fn stored(&self) -> Vec<(GroupId, ReplicaId, StoredLog)> {
        let content = self.content();
        content.logs.iter().map(|(prefix, log)| (prefix.group, prefix.replica, log.clone())).collect()
    }

    /// The power goes: of what was written without a sync, in order, only the first `kept` operations are still there.
    pub fn power_cut(&self, kept: usize) {
        let mut content = self.content();
        content.unsynced.truncate(kept);
        content.sync();
    }

    /// How many operations were written without a sync since the last one.
    pub fn unsynced(&self) -> usize {
        self.content().unsynced.len()
    }

    pub(super) fn load(&self, prefix: LogPrefix, total: &Arc<AtomicUsize>) -> LogState {
        let mut content = self.content();
        // Opened after a stop that was no power cut: the system has written everything.
        content.sync();
        let log = content.logs.entry(prefix).or_default();
        let floor = log.purge.as_ref().map_or(0, |purge| purge.through.saturating_add(1));
        let (first, next) = match (log.entries.first_key_value(), log.entries.last_key_value()) {
            (Some((&first, _)), Some((&last, _))) => (first, last.saturating_add(1)),
            _ => (floor, floor),
        };
        LogState {
            first,
            next,
            begun: log.purge.is_some() || first < next,
            purge: log.purge.clone(),
            vote: log.vote.clone(),
            committed: log.committed.clone(),
            tail: Tail::new(next, Arc::clone(total)),
            marks: ByteMarks::new(first, next, log.entries.values().map(|entry| entry.len() as u64).sum()),
            removals: 0,
            dropped: false,
        }
    }

    pub(super) fn read(
        &self,
        prefix: LogPrefix,
        range: Range<u64>,
        max_bytes: usize,
    ) -> Result<(Vec<Bytes>, usize), StorageError> {
        let content = self.content();
        let log = content.logs.get(&prefix);
        let mut entries = Vec::new();
        let mut bytes = 0;
        for index in range {
            let Some(entry) = log.and_then(|log| log.entries.get(&index)) else {
                return Err(StorageError::EntryMissing { group: prefix.group, replica: prefix.replica, index });
            };
            if !fits(&entries, bytes, entry, max_bytes) {
                break;
            }
            bytes += entry.len();
            entries.push(entry.clone());
        }
        Ok((entries, bytes))
    }

    fn content(&self) -> MutexGuard<'_, Content> {
        self.content.lock().expect("no code panics while holding the content")
    }
}

impl Content {
    fn sync(&mut self) {
        for operation in std::mem::take(&mut self.unsynced) {
            self.apply(operation);
        }
    }

    fn apply(&mut self, operation: Operation) {
        match operation {
            Operation::Append { log, first, entries } => {
                self.logs.entry(log).or_default().entries.extend((first..).zip(entries));
            }
            Operation::Truncate { log, from, .. } => {
                self.logs.entry(log).or_default().entries.split_off(&from);
            }
            Operation::Purge { log, record, .. } => {
                let log = self.logs.entry(log).or_default();
                log.entries = log.entries.split_off(&record.through.saturating_add(1));
                log.purged = Some(record.marker.clone());
                log.purge = Some(record);
            }
            Operation::Vote { log, vote } => self.logs.entry(log).or_default().vote = Some(vote),
            Operation::Committed { log, committed } => self.logs.entry(log).or_default().committed = Some(committed),
            Operation::Drop { log } => {
                self.logs.remove(&log);
            }
            Operation::Pass => {}
        }
    }
}

fn change_of(operation: &Operation) -> Option<(GroupId, ReplicaId, LogChange<'_>)> {
    let (log, change) = match operation {
        Operation::Append { log, first, entries } => (log, LogChange::Appended { first: *first, entries }),
        Operation::Truncate { log, from, .. } => (log, LogChange::Truncated { from: *from }),
        Operation::Purge { log, record, .. } => {
            (log, LogChange::Purged { through: record.through, marker: &record.marker })
        }
        Operation::Vote { log, vote } => (log, LogChange::Voted(vote)),
        Operation::Committed { log, committed } => (log, LogChange::Committed(committed)),
        Operation::Drop { log } => (log, LogChange::Dropped),
        Operation::Pass => return None,
    };
    Some((log.group, log.replica, change))
}

/// Entries may hold what a patient is known by, so only their number is shown.
impl fmt::Debug for StoredLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoredLog").field("entries", &self.entries.len()).finish_non_exhaustive()
    }
}

/// As above.
impl fmt::Debug for SimulatedDisk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let content = self.content();
        f.debug_struct("SimulatedDisk")
            .field("logs", &content.logs.len())
            .field("unsynced", &content.unsynced.len())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for QueuedWrites {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("QueuedWrites").field("operations", &self.batch.len()).finish_non_exhaustive()
    }
}
