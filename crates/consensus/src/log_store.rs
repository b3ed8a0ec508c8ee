//! openraft's log over a [`GroupLog`].

use std::fmt::Debug;
use std::io;
use std::ops::{Bound, Range, RangeBounds};

use bytes::Bytes;
use futures::{Stream, StreamExt, stream};
use openraft::storage::{IOFlushed, LogState, RaftLogStorage};
use openraft::{OptionalSend, RaftLogReader};
use renkei_faults::{Point, reached};
use renkei_storage::log::{Durable, GroupLog};
use tokio::sync::oneshot;

use crate::blocking::Blocking;
use crate::raft::{Entry, LogId, TypeConfig, Vote};
use crate::stored::{decode_entry, decode_log_id, decode_vote, encode_entry, encode_log_id, encode_vote};

/// Bytes of entries that one read gives, one entry at least: what one append carries, and what the applier holds.
const READ_BYTES: usize = 1 << 20;

/// An entry further than this from the end may have left the memory, so it is read on a blocking thread.
const FAR_FROM_END_BYTES: u64 = 4 << 20;

/// The log of one replica. Clones share it.
#[derive(Clone)]
pub(crate) struct LogStore {
    log: GroupLog,
    blocking: Blocking,
}

impl LogStore {
    pub(crate) fn new(log: GroupLog, blocking: Blocking) -> Self {
        Self { log, blocking }
    }

    /// Entries from the start of `range` on, up to `max_bytes` of them.
    async fn read(&self, range: Range<u64>, max_bytes: usize) -> Result<Vec<Entry>, io::Error> {
        let log = self.log.clone();
        let start = range.start;
        let stored = if log.bytes_after(start) > FAR_FROM_END_BYTES {
            self.blocking.run(move || log.read(range, max_bytes)).await?
        } else {
            log.read(range, max_bytes)
        };
        decode_all(start, stored.map_err(io::Error::other)?)
    }

    /// Clips to what is there: entries purged or not yet appended are nobody's fault.
    fn present<RB: RangeBounds<u64>>(&self, range: &RB) -> Range<u64> {
        let start = match range.start_bound() {
            Bound::Included(&start) => start,
            Bound::Excluded(&start) => start.saturating_add(1),
            Bound::Unbounded => 0,
        };
        let end = match range.end_bound() {
            Bound::Included(&end) => end.saturating_add(1),
            Bound::Excluded(&end) => end,
            Bound::Unbounded => u64::MAX,
        };
        let bounds = self.log.bounds();
        match (bounds.first, bounds.last) {
            (Some(first), Some(last)) => start.max(first)..end.min(last.saturating_add(1)),
            _ => 0..0,
        }
    }

    fn purged(&self) -> Result<Option<LogId>, io::Error> {
        self.log.purge_marker().map(decode_log_id).transpose().map_err(io::Error::other)
    }

    async fn durable(&self, write: impl FnOnce(&GroupLog, Durable)) -> Result<(), io::Error> {
        let (done, outcome) = oneshot::channel();
        let callback: Durable = Box::new(move |result| {
            // Nobody waits when the replica has stopped meanwhile; the write stands.
            let _ = done.send(result);
        });
        write(&self.log, callback);
        outcome.await.map_err(io::Error::other)?
    }
}

fn decode_all(first: u64, stored: Vec<Bytes>) -> Result<Vec<Entry>, io::Error> {
    let mut entries = Vec::with_capacity(stored.len());
    for (bytes, index) in stored.into_iter().zip(first..) {
        let entry = decode_entry(bytes).map_err(io::Error::other)?;
        if entry.log_id.index != index {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "an entry lies under another index than its own"));
        }
        entries.push(entry);
    }
    Ok(entries)
}

impl RaftLogReader<TypeConfig> for LogStore {
    async fn try_get_log_entries<RB>(&mut self, range: RB) -> Result<Vec<Entry>, io::Error>
    where
        RB: RangeBounds<u64> + Clone + Debug + OptionalSend,
    {
        let present = self.present(&range);
        if present.is_empty() { Ok(Vec::new()) } else { self.read(present, usize::MAX).await }
    }

    async fn limited_get_log_entries(&mut self, start: u64, end: u64) -> Result<Vec<Entry>, io::Error> {
        self.read(start..end, READ_BYTES).await
    }

    async fn entries_stream<RB>(&mut self, range: RB) -> impl Stream<Item = Result<Entry, io::Error>> + OptionalSend
    where
        RB: RangeBounds<u64> + Clone + Debug + OptionalSend,
    {
        let present = self.present(&range);
        let chunks = stream::try_unfold((self.clone(), present), |(log, range)| async move {
            if range.is_empty() {
                return Ok(None);
            }
            let entries = log.read(range.clone(), READ_BYTES).await?;
            if entries.is_empty() {
                return Err(io::Error::new(io::ErrorKind::NotFound, "a committed entry has left the log"));
            }
            let rest = range.start + entries.len() as u64..range.end;
            Ok(Some((stream::iter(entries.into_iter().map(Ok)), (log, rest))))
        });
        Box::pin(futures::TryStreamExt::try_flatten(chunks)).boxed()
    }

    async fn read_vote(&mut self) -> Result<Option<Vote>, io::Error> {
        self.log.vote().map(decode_vote).transpose().map_err(io::Error::other)
    }
}

impl RaftLogStorage<TypeConfig> for LogStore {
    type LogReader = Self;

    async fn get_log_state(&mut self) -> Result<LogState<TypeConfig>, io::Error> {
        let last_purged_log_id = self.purged()?;
        let last = match self.log.bounds().last {
            Some(last) => self.read(last..last + 1, READ_BYTES).await?.pop().map(|entry| entry.log_id),
            None => None,
        };
        Ok(LogState { last_purged_log_id, last_log_id: last.or(last_purged_log_id) })
    }

    async fn get_log_reader(&mut self) -> Self {
        self.clone()
    }

    async fn save_vote(&mut self, vote: &Vote) -> Result<(), io::Error> {
        self.durable(|log, durable| log.save_vote(encode_vote(vote), durable)).await
    }

    async fn save_committed(&mut self, committed: Option<LogId>) -> Result<(), io::Error> {
        if let Some(committed) = committed {
            self.log.save_committed(encode_log_id(&committed));
        }
        reached(Point::CommittedSaved);
        Ok(())
    }

    async fn read_committed(&mut self) -> Result<Option<LogId>, io::Error> {
        self.log.committed().map(decode_log_id).transpose().map_err(io::Error::other)
    }

    async fn append<I>(&mut self, entries: I, callback: IOFlushed<TypeConfig>) -> Result<(), io::Error>
    where
        I: IntoIterator<Item = Entry> + OptionalSend,
        I::IntoIter: OptionalSend,
    {
        let mut entries = entries.into_iter().peekable();
        let Some(first) = entries.peek().map(|entry| entry.log_id.index) else {
            callback.io_completed(Ok(()));
            return Ok(());
        };
        let stored = entries.map(|entry| encode_entry(&entry)).collect();
        self.log.append(first, stored, Box::new(|result| callback.io_completed(result))).map_err(io::Error::other)
    }

    async fn truncate_after(&mut self, last_kept: Option<LogId>) -> Result<(), io::Error> {
        let last_kept = last_kept.map(|id| id.index);
        self.durable(|log, durable| log.truncate_after(last_kept, durable)).await
    }

    async fn purge(&mut self, through: LogId) -> Result<(), io::Error> {
        self.log.purge(through.index, encode_log_id(&through));
        Ok(())
    }
}

#[cfg(test)]
mod tests;
