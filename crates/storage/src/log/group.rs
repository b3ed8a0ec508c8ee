use std::fmt;
use std::io;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard};

use bytes::Bytes;
use renkei_faults::{Point, reached};
use rocksdb::ReadOptions;

use super::keys::{LogPrefix, PurgeRecord};
use super::marks::ByteMarks;
use super::queue::{Operation, Refused};
use super::tail::Tail;
use super::{Disk, Durable, LogDb, Shared};
use crate::StorageError;

/// Which entries a log holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LogBounds {
    /// Index of the first entry; `None` when the log is empty.
    pub first: Option<u64>,
    /// Index of the last entry; `None` when the log is empty.
    pub last: Option<u64>,
    /// Entries up to this index were purged.
    pub purged_through: Option<u64>,
}

/// The log of one replica. Clones share it.
#[derive(Clone)]
pub struct GroupLog {
    /// Keeps the writer thread alive.
    db: LogDb,
    log: Arc<Log>,
}

/// One replica's log: what is in memory of it.
pub(super) struct Log {
    prefix: LogPrefix,
    state: Mutex<LogState>,
}

pub(super) struct LogState {
    /// Index of the first entry; meaningless when `next` is not above it.
    pub(super) first: u64,
    /// Index of the next append.
    pub(super) next: u64,
    /// Whether `next` is prescribed; a log that never held anything takes any first index.
    pub(super) begun: bool,
    pub(super) purge: Option<PurgeRecord>,
    pub(super) vote: Option<Bytes>,
    pub(super) committed: Option<Bytes>,
    pub(super) tail: Tail,
    pub(super) marks: ByteMarks,
    /// Counts truncations and purges: a read of the database that overlaps one is repeated.
    pub(super) removals: u64,
    pub(super) dropped: bool,
}

impl LogState {
    fn bounds(&self) -> LogBounds {
        let present = self.first < self.next;
        LogBounds {
            first: present.then_some(self.first),
            last: present.then(|| self.next - 1),
            purged_through: self.purge.as_ref().map(|purge| purge.through),
        }
    }
}

impl Log {
    pub(super) fn new(prefix: LogPrefix, state: LogState) -> Self {
        Self { prefix, state: Mutex::new(state) }
    }

    pub(super) fn evict(&self, share: usize, durable_sequence: u64) {
        self.lock().tail.evict(share, durable_sequence);
    }

    /// Refuses everything from now on and forgets the entries. `false` when that was done before.
    pub(super) fn mark_dropped(&self) -> bool {
        let mut state = self.lock();
        state.tail.purge(u64::MAX);
        (state.first, state.next) = (0, 0);
        !std::mem::replace(&mut state.dropped, true)
    }

    pub(super) fn dropped_error(&self) -> StorageError {
        StorageError::LogDropped { group: self.prefix.group, replica: self.prefix.replica }
    }

    pub(super) fn is_dropped(&self) -> bool {
        self.lock().dropped
    }

    fn lock(&self) -> MutexGuard<'_, LogState> {
        self.state.lock().expect("no code panics while holding a log")
    }
}

/// What a read found in memory, and what it must still fetch.
struct Plan {
    stored: Range<u64>,
    tail: Vec<Bytes>,
    removals: u64,
}

impl GroupLog {
    pub(super) fn new(db: LogDb, log: Arc<Log>) -> Self {
        Self { db, log }
    }

    /// Which entries there are, those not yet durable included.
    pub fn bounds(&self) -> LogBounds {
        self.log.lock().bounds()
    }

    /// Appends `entries` from `first_index` on. They are readable when this returns and durable when `durable` is
    /// called. Blocks while the queue is full.
    ///
    /// The first entry ever may have any index; every later one follows the last entry, or the purge mark when the log
    /// is empty, else [`StorageError::NotContiguous`]. After an error `durable` is never called.
    ///
    /// An entry that is a slice of a larger buffer keeps all of that buffer in memory while it is in the tail.
    pub fn append(&self, first_index: u64, entries: Vec<Bytes>, durable: Durable) -> Result<(), StorageError> {
        let LogPrefix { group, replica } = self.log.prefix;
        let count = entries.len() as u64;
        let operation = match count {
            0 => Operation::Pass,
            _ => Operation::Append { log: self.log.prefix, first: first_index, entries: entries.clone() },
        };
        let place = self.shared().queue.reserve(operation.cost())?;
        let mut state = self.log.lock();
        if state.dropped {
            return Err(self.log.dropped_error());
        }
        let expected = if state.begun { state.next } else { first_index };
        if first_index != expected || first_index.checked_add(count).is_none() {
            return Err(StorageError::NotContiguous { group, replica, expected, found: first_index });
        }
        let sequence = place.submit(operation, Some(durable)).map_err(|refused| refused.error)?;
        if count == 0 {
            return Ok(());
        }
        if !state.begun {
            let total = Arc::clone(&self.shared().tail_bytes);
            state.begun = true;
            (state.first, state.next) = (first_index, first_index);
            state.tail = Tail::new(first_index, total);
            state.marks = ByteMarks::new(first_index, first_index, 0);
        }
        state.next += count;
        for entry in &entries {
            state.marks.append(entry.len());
        }
        state.tail.push(entries, sequence);
        drop(state);
        reached(Point::LogQueued);
        Ok(())
    }

    /// Deletes the entries after `last_kept`, all of them for `None`. Past the end it changes nothing.
    pub fn truncate_after(&self, last_kept: Option<u64>, durable: Durable) {
        let boundary = last_kept.map_or(0, |last| last.saturating_add(1));
        self.submit(Some(durable), |prefix, state| {
            let from = boundary.max(state.first);
            if from >= state.next {
                return Operation::Pass;
            }
            let to = std::mem::replace(&mut state.next, from);
            state.tail.truncate(from);
            state.marks.truncate(from);
            state.removals += 1;
            // A log emptied before anything was purged begins anew.
            state.begun = from > state.first || state.purge.is_some();
            Operation::Truncate { log: prefix, from, to }
        });
    }

    /// Deletes the entries up to `through`, which may lie past the end, and stores `marker` in the same write. Rides
    /// along with the next synced write. A purge at or below an earlier one changes nothing.
    pub fn purge(&self, through: u64, marker: Bytes) {
        let record = PurgeRecord { through, marker };
        self.submit(None, |prefix, state| {
            if state.purge.as_ref().is_some_and(|earlier| earlier.through >= through) {
                return Operation::Pass;
            }
            let boundary = through.saturating_add(1);
            let from = if state.begun { state.first.min(boundary) } else { boundary };
            state.tail.purge(boundary);
            state.marks.purge(boundary);
            state.first = if state.begun { state.first.max(boundary) } else { boundary };
            state.next = if state.begun { state.next.max(boundary) } else { boundary };
            state.begun = true;
            state.removals += 1;
            state.purge = Some(record.clone());
            Operation::Purge { log: prefix, from, record }
        });
    }

    /// The marker of the last purge.
    pub fn purge_marker(&self) -> Option<Bytes> {
        self.log.lock().purge.as_ref().map(|purge| purge.marker.clone())
    }

    /// Stores the vote; durable when `durable` is called. Keeps its order among appends and truncations.
    pub fn save_vote(&self, vote: Bytes, durable: Durable) {
        self.submit(Some(durable), |log, state| {
            state.vote = Some(vote.clone());
            Operation::Vote { log, vote }
        });
    }

    /// The vote saved last.
    pub fn vote(&self) -> Option<Bytes> {
        self.log.lock().vote.clone()
    }

    /// Stores what is known to be committed; rides along with the next synced write, so a crash may lose it.
    pub fn save_committed(&self, committed: Bytes) {
        self.submit(None, |log, state| {
            state.committed = Some(committed.clone());
            Operation::Committed { log, committed }
        });
    }

    /// The committed marker saved last.
    pub fn committed(&self) -> Option<Bytes> {
        self.log.lock().committed.clone()
    }

    /// Entries from `range.start` on, without a gap: as many as fit in `max_bytes`, but at least one when `range.start` is
    /// present. Empty when `range.start` is not present. Reads RocksDB when the entries have left the
    /// tail, and then blocks.
    pub fn read(&self, range: Range<u64>, max_bytes: usize) -> Result<Vec<Bytes>, StorageError> {
        loop {
            let Some(plan) = self.plan(&range, max_bytes)? else { return Ok(Vec::new()) };
            if let Some(entries) = self.carry_out(plan, max_bytes)? {
                return Ok(entries);
            }
        }
    }

    /// Approximate bytes of the entries after `index`, for snapshot and purge triggers.
    pub fn bytes_after(&self, index: u64) -> u64 {
        self.log.lock().marks.from(index.saturating_add(1))
    }

    /// Splits a read between memory and database. `None` when its first entry is not there.
    fn plan(&self, range: &Range<u64>, max_bytes: usize) -> Result<Option<Plan>, StorageError> {
        let state = self.log.lock();
        if state.dropped {
            return Err(self.log.dropped_error());
        }
        let end = range.end.min(state.next);
        if range.start < state.first || range.start >= end {
            return Ok(None);
        }
        let kept_from = state.tail.first().clamp(range.start, end);
        let mut tail = Vec::new();
        extend_to(&mut tail, 0, state.tail.range(kept_from, end), max_bytes);
        Ok(Some(Plan { stored: range.start..kept_from, tail, removals: state.removals }))
    }

    /// `None` when entries were removed since the plan was made: what the database holds may then be older or newer than
    /// what was found in memory.
    fn carry_out(&self, plan: Plan, max_bytes: usize) -> Result<Option<Vec<Bytes>>, StorageError> {
        if plan.stored.is_empty() {
            return Ok(Some(plan.tail));
        }
        let stored = plan.stored.end - plan.stored.start;
        let fetched = self.fetch(plan.stored, max_bytes);
        if self.log.lock().removals != plan.removals {
            return Ok(None);
        }
        let (mut entries, bytes) = fetched?;
        if entries.len() as u64 == stored {
            extend_to(&mut entries, bytes, plan.tail.iter(), max_bytes);
        }
        Ok(Some(entries))
    }

    /// Entries from the database, as far as they fit in `max_bytes`, and their bytes.
    fn fetch(&self, range: Range<u64>, max_bytes: usize) -> Result<(Vec<Bytes>, usize), StorageError> {
        let shared = self.shared();
        let prefix = self.log.prefix;
        if let Disk::Simulated(disk) = &shared.disk {
            return disk.read(prefix, range, max_bytes);
        }
        let mut options = ReadOptions::default();
        options.set_iterate_lower_bound(prefix.entry(range.start));
        options.set_iterate_upper_bound(prefix.entry(range.end));
        options.set_prefix_same_as_start(true);
        // Whoever reads this far back reads once and on; the cache belongs to the state.
        options.fill_cache(false);
        let mut cursor = shared.rocks().raw_iterator_cf_opt(shared.log_family(), options);
        cursor.seek(prefix.entry(range.start));
        let mut entries = Vec::new();
        let mut bytes = 0;
        for index in range {
            cursor.status().map_err(|source| shared.failed("read from", source))?;
            let found = cursor.item().filter(|(key, _)| prefix.index_of(key) == Some(index));
            let Some((_, entry)) = found else {
                return Err(StorageError::EntryMissing { group: prefix.group, replica: prefix.replica, index });
            };
            if !fits(&entries, bytes, entry, max_bytes) {
                break;
            }
            bytes += entry.len();
            entries.push(Bytes::copy_from_slice(entry));
            cursor.next();
        }
        Ok((entries, bytes))
    }

    /// Changes the state in memory and queues the write of it, as one step. An operation that is refused reaches its
    /// callback as an error; without a callback it is dropped, since whoever closed the log knows.
    fn submit(&self, durable: Option<Durable>, change: impl FnOnce(LogPrefix, &mut LogState) -> Operation) {
        // The largest of these operations holds a vote or marker; 1 KiB is room for it.
        const COST: usize = 1 << 10;
        let refused = match self.shared().queue.reserve(COST) {
            Err(error) => Refused { error, durable },
            Ok(place) => {
                let mut state = self.log.lock();
                if state.dropped {
                    Refused { error: self.log.dropped_error(), durable }
                } else {
                    let operation = change(self.log.prefix, &mut state);
                    match place.submit(operation, durable) {
                        Ok(_) => return,
                        Err(refused) => refused,
                    }
                }
            }
        };
        if let Some(durable) = refused.durable {
            durable(Err(io::Error::other(refused.error)));
        }
    }

    fn shared(&self) -> &Arc<Shared> {
        self.db.shared()
    }
}

impl fmt::Debug for GroupLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GroupLog")
            .field("group", &self.log.prefix.group)
            .field("replica", &self.log.prefix.replica)
            .field("bounds", &self.bounds())
            .finish_non_exhaustive()
    }
}

/// Adds the entries that fit in `max_bytes`, at least one when there are none yet.
fn extend_to<'a>(entries: &mut Vec<Bytes>, mut bytes: usize, more: impl Iterator<Item = &'a Bytes>, max_bytes: usize) {
    for entry in more {
        if !fits(entries, bytes, entry, max_bytes) {
            break;
        }
        bytes += entry.len();
        entries.push(entry.clone());
    }
}

pub(super) fn fits(taken: &[Bytes], taken_bytes: usize, next: &[u8], max_bytes: usize) -> bool {
    taken.is_empty() || taken_bytes.saturating_add(next.len()) <= max_bytes
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use renkei_ids::{CloudId, GroupId, NodeId, ReplicaId};

    use super::super::LogOptions;
    use super::*;
    use crate::{DirOwner, MemoryBudget};

    fn append_durably(log: &GroupLog, first: u64, entry: &'static [u8], count: usize) {
        let (sender, receiver) = mpsc::channel();
        let durable: Durable = Box::new(move |done| sender.send(done).unwrap());
        log.append(first, vec![Bytes::from_static(entry); count], durable).unwrap();
        receiver.recv().unwrap().unwrap();
    }

    #[test]
    fn a_read_that_a_removal_overtook_is_planned_anew() {
        let dir = tempfile::tempdir().unwrap();
        let owner = DirOwner { cloud: CloudId::from_bytes([1; 16]), node: NodeId(1), replica: None };
        let options = LogOptions { tail_bytes: 0, ..LogOptions::new(owner, MemoryBudget::new(0)) };
        let fatal: super::super::FatalHook = Arc::new(|error| panic!("{error:?}"));
        let log = LogDb::open(dir.path(), &options, fatal).unwrap().group(GroupId(1), ReplicaId(1)).unwrap();
        append_durably(&log, 0, b"old", 2);
        // The writer trims after the callback, so a further operation makes sure that it has.
        append_durably(&log, 2, b"old", 1);
        let plan = || log.plan(&(0..9), usize::MAX).unwrap().unwrap();

        let undisturbed = plan();
        assert!(!undisturbed.stored.is_empty());
        append_durably(&log, 3, b"new", 1);
        let entries = log.carry_out(undisturbed, usize::MAX).unwrap().unwrap();
        assert_eq!(entries, vec![Bytes::from_static(b"old"); 3], "an append does not disturb a read");

        let truncated = plan();
        log.truncate_after(Some(0), Box::new(Result::unwrap));
        append_durably(&log, 1, b"new", 2);
        assert!(log.carry_out(truncated, usize::MAX).unwrap().is_none());

        let purged = plan();
        log.purge(0, Bytes::new());
        append_durably(&log, 3, b"new", 1);
        assert!(log.carry_out(purged, usize::MAX).unwrap().is_none());
        assert!(log.read(0..9, usize::MAX).unwrap().is_empty());
        assert_eq!(log.read(1..9, usize::MAX).unwrap(), vec![Bytes::from_static(b"new"); 3]);
    }
}
