use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use renkei_faults::{Mutation, Point, mutated, reached};
use rocksdb::{WriteBatch, WriteOptions};

use super::keys::MetaKind;
use super::queue::{Operation, Queued};
use super::{FatalHook, Shared};
use crate::StorageError;

/// The one thread that writes the log database.
///
/// Whatever all groups have queued while the last batch was being synced goes into the next batch, so the number of
/// syncs is set by the disk and not by the number of groups or clients.
pub(super) struct Writer {
    pub(super) shared: Arc<Shared>,
    pub(super) batch_bytes: usize,
    pub(super) fatal: FatalHook,
}

impl Writer {
    /// Runs until the queue is closed and empty, or a write fails.
    pub(super) fn run(self) {
        if catch_unwind(AssertUnwindSafe(|| self.write_until_closed())).is_err() {
            self.stop(StorageError::WriterPanicked, Vec::new());
        }
    }

    fn write_until_closed(&self) {
        while let Some(batch) = self.shared.queue.take(self.batch_bytes) {
            if let Err(error) = self.write(&batch) {
                return self.stop(error, batch);
            }
            pass_points(&batch);
            if let Some(last) = batch.last() {
                self.shared.durable_sequence.store(last.sequence, Ordering::Release);
            }
            for queued in batch {
                if let Some(durable) = queued.durable {
                    durable(Ok(()));
                }
            }
            reached(Point::LogTold);
            self.shared.trim_tails();
        }
    }

    fn write(&self, queued: &[Queued]) -> Result<(), StorageError> {
        let mut batch = WriteBatch::default();
        let mut bytes = 0;
        let mut sync = false;
        for Queued { operation, .. } in queued {
            self.add(&mut batch, operation);
            bytes += operation.cost();
            sync |= operation.needs_sync();
        }
        let took = if batch.is_empty() { None } else { self.write_batch(batch, sync)? };
        let mut recorder = self.shared.recorder.lock().expect("no code panics while holding the recorder");
        recorder.batch(queued.len(), bytes, took);
        Ok(())
    }

    fn write_batch(&self, batch: WriteBatch, sync: bool) -> Result<Option<Duration>, StorageError> {
        let mut options = WriteOptions::default();
        options.set_sync(sync && !mutated(Mutation::SyncSkipped));
        reached(Point::LogWrite);
        let started = Instant::now();
        let written = self.shared.rocks().write_opt(batch, &options);
        written.map_err(|source| self.shared.failed("write to", source))?;
        let took = started.elapsed();
        if sync {
            // Nobody else writes, so this is the number of the write above.
            self.shared.synced()?;
        }
        Ok(sync.then_some(took))
    }

    fn add(&self, batch: &mut WriteBatch, operation: &Operation) {
        let logs = self.shared.log_family();
        let meta = self.shared.meta_family();
        match operation {
            Operation::Append { log, first, entries } => {
                for (index, entry) in (*first..).zip(entries) {
                    batch.put_cf(logs, log.entry(index), entry);
                }
            }
            Operation::Truncate { log, from, to } => {
                batch.delete_range_cf(logs, log.entry(*from), log.entry(*to));
            }
            Operation::Purge { log, from, record } => {
                let end = record.through.saturating_add(1);
                if *from < end {
                    batch.delete_range_cf(logs, log.entry(*from), log.entry(end));
                }
                batch.put_cf(meta, log.meta(MetaKind::Purge), record.encode());
            }
            Operation::Vote { log, vote } => batch.put_cf(meta, log.meta(MetaKind::Vote), vote),
            Operation::Committed { log, committed } => {
                batch.put_cf(meta, log.meta(MetaKind::Committed), committed);
            }
            Operation::Drop { log } => {
                batch.delete_range_cf(logs, log.entry(0), log.entry(u64::MAX));
                for kind in MetaKind::ALL {
                    batch.delete_cf(meta, log.meta(kind));
                }
            }
            Operation::Pass => {}
        }
    }

    /// After a failed write nobody knows what is on the disk, so nothing more is written. The hook comes first: in
    /// production it aborts, and no callback has told anybody anything by then.
    fn stop(&self, error: StorageError, batch: Vec<Queued>) {
        let abandoned = self.shared.queue.fail();
        (self.fatal)(&error);
        let error = Arc::new(error);
        for queued in batch.into_iter().chain(abandoned) {
            if let Some(durable) = queued.durable {
                durable(Err(io::Error::other(Arc::clone(&error))));
            }
        }
    }
}

/// Where a process may die behind a write whose callbacks have not been called.
fn pass_points(batch: &[Queued]) {
    for Queued { operation, .. } in batch {
        match operation {
            Operation::Append { .. } => reached(Point::LogSynced),
            Operation::Vote { .. } => reached(Point::VoteSynced),
            Operation::Purge { .. } => reached(Point::LogPurged),
            Operation::Truncate { .. } | Operation::Committed { .. } | Operation::Drop { .. } | Operation::Pass => {}
        }
    }
}
