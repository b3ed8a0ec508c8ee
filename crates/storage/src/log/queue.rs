use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard};

use bytes::Bytes;

use super::Durable;
use super::keys::{LogPrefix, PurgeRecord};
use crate::StorageError;

/// What an operation occupies besides its payload: keys, framing, the queue's own slot.
const OPERATION_OVERHEAD: usize = 64;

/// One write to one replica's log. Ranges are (from, to) with `to` excluded.
#[derive(Debug)]
pub(super) enum Operation {
    Append {
        log: LogPrefix,
        first: u64,
        entries: Vec<Bytes>,
    },
    Truncate {
        log: LogPrefix,
        from: u64,
        to: u64,
    },
    Purge {
        log: LogPrefix,
        from: u64,
        record: PurgeRecord,
    },
    Vote {
        log: LogPrefix,
        vote: Bytes,
    },
    Committed {
        log: LogPrefix,
        committed: Bytes,
    },
    Drop {
        log: LogPrefix,
    },
    /// Writes nothing; its callback keeps its place in the order.
    Pass,
}

impl Operation {
    /// Bytes that count against the bounds of queue and batch.
    pub(super) fn cost(&self) -> usize {
        let payload = match self {
            Self::Append { entries, .. } => entries.iter().map(|entry| entry.len() + OPERATION_OVERHEAD).sum(),
            Self::Purge { record, .. } => record.marker.len(),
            Self::Vote { vote: bytes, .. } | Self::Committed { committed: bytes, .. } => bytes.len(),
            Self::Truncate { .. } | Self::Drop { .. } | Self::Pass => 0,
        };
        payload + OPERATION_OVERHEAD
    }

    /// Whether somebody relies on it after a crash. Purge and commit markers may come back older.
    pub(super) fn needs_sync(&self) -> bool {
        match self {
            Self::Append { .. } | Self::Truncate { .. } | Self::Vote { .. } | Self::Drop { .. } => true,
            Self::Purge { .. } | Self::Committed { .. } | Self::Pass => false,
        }
    }
}

pub(super) struct Queued {
    pub(super) operation: Operation,
    pub(super) sequence: u64,
    pub(super) durable: Option<Durable>,
    cost: usize,
}

/// Why nothing is taken any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Closed,
    Failed,
}

impl End {
    fn error(self) -> StorageError {
        match self {
            Self::Closed => StorageError::LogClosed,
            Self::Failed => StorageError::LogFailed,
        }
    }
}

/// What waits for the writer thread: in order, bounded by bytes.
pub(super) struct Queue {
    state: Mutex<State>,
    work: Condvar,
    room: Condvar,
    limit: usize,
    /// Sees each operation as it gets its place, under the queue's lock.
    observer: Option<Observer>,
}

pub(super) type Observer = Box<dyn Fn(&Operation) + Send + Sync>;

struct State {
    waiting: VecDeque<Queued>,
    /// Cost of what waits and of what has reserved its place.
    reserved: usize,
    last_sequence: u64,
    end: Option<End>,
}

impl State {
    fn take(&mut self, batch_bytes: usize) -> Vec<Queued> {
        let mut batch = Vec::new();
        let mut bytes = 0;
        while let Some(next) = self.waiting.front() {
            if !batch.is_empty() && bytes + next.cost > batch_bytes {
                break;
            }
            bytes += next.cost;
            batch.extend(self.waiting.pop_front());
        }
        self.reserved -= bytes;
        batch
    }
}

/// An operation that was not taken, with the callback that nobody will call.
pub(super) struct Refused {
    pub(super) error: StorageError,
    pub(super) durable: Option<Durable>,
}

/// A reserved place in the queue; dropped unused, it is free again.
///
/// Reserving may block and is done without locks; submitting never blocks and is done under the lock of the log, which
/// the writer thread takes too when it trims tails.
pub(super) struct Place<'a> {
    queue: &'a Queue,
    cost: usize,
}

impl Queue {
    pub(super) fn new(limit: usize) -> Self {
        let state = State { waiting: VecDeque::new(), reserved: 0, last_sequence: 0, end: None };
        Self { state: Mutex::new(state), work: Condvar::new(), room: Condvar::new(), limit, observer: None }
    }

    pub(super) fn observed_by(self, observer: Option<Observer>) -> Self {
        Self { observer, ..self }
    }

    /// Waits until there is room. One operation larger than the whole queue is let in when the queue is empty.
    pub(super) fn reserve(&self, cost: usize) -> Result<Place<'_>, StorageError> {
        let mut state = self.lock();
        while state.end.is_none() && state.reserved > 0 && state.reserved + cost > self.limit {
            state = self.room.wait(state).expect("no code panics while holding the queue");
        }
        if let Some(end) = state.end {
            return Err(end.error());
        }
        state.reserved += cost;
        Ok(Place { queue: self, cost })
    }

    /// The next operations up to `batch_bytes`, at least one; waits for them. `None` once closed and empty.
    pub(super) fn take(&self, batch_bytes: usize) -> Option<Vec<Queued>> {
        let mut state = self.lock();
        while state.waiting.is_empty() {
            if state.end.is_some() {
                return None;
            }
            state = self.work.wait(state).expect("no code panics while holding the queue");
        }
        let batch = state.take(batch_bytes);
        drop(state);
        self.room.notify_all();
        Some(batch)
    }

    /// The same without waiting: `None` when nothing is queued.
    pub(super) fn take_now(&self, batch_bytes: usize) -> Option<Vec<Queued>> {
        let batch = self.lock().take(batch_bytes);
        self.room.notify_all();
        (!batch.is_empty()).then_some(batch)
    }

    /// Takes nothing new; what waits will still be written.
    pub(super) fn close(&self) {
        self.end(End::Closed);
    }

    /// Takes nothing new and gives back what waits, unwritten.
    pub(super) fn fail(&self) -> Vec<Queued> {
        let abandoned = {
            let mut state = self.lock();
            state.end = Some(End::Failed);
            state.waiting.drain(..).collect()
        };
        self.end(End::Failed);
        abandoned
    }

    pub(super) fn queued_bytes(&self) -> usize {
        self.lock().reserved
    }

    fn end(&self, end: End) {
        self.lock().end.get_or_insert(end);
        self.work.notify_all();
        self.room.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no code panics while holding the queue")
    }
}

impl Place<'_> {
    /// Puts the operation at the end of the queue and gives its sequence number. Its cost is at most what was reserved.
    pub(super) fn submit(self, operation: Operation, durable: Option<Durable>) -> Result<u64, Refused> {
        let mut state = self.queue.lock();
        if let Some(end) = state.end {
            drop(state);
            return Err(Refused { error: end.error(), durable });
        }
        if let Some(observer) = &self.queue.observer {
            observer(&operation);
        }
        state.last_sequence += 1;
        let sequence = state.last_sequence;
        state.waiting.push_back(Queued { operation, sequence, durable, cost: self.cost });
        drop(state);
        self.queue.work.notify_one();
        // The cost now belongs to the queued operation; `take` gives it back.
        std::mem::forget(self);
        Ok(sequence)
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.queue.lock().reserved -= self.cost;
        self.queue.room.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::thread;
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_full_queue_blocks_until_the_writer_takes_and_refuses_after_the_end() {
        let queue = Arc::new(Queue::new(100));
        queue.reserve(500).unwrap().submit(Operation::Pass, None).ok().unwrap();
        let waiter = thread::spawn({
            let queue = Arc::clone(&queue);
            move || queue.reserve(50).map(|place| place.cost).unwrap()
        });
        thread::sleep(Duration::from_millis(20));
        assert!(!waiter.is_finished(), "a second operation got in although the queue is over its limit");
        assert_eq!(queue.take(1).unwrap().len(), 1);
        assert_eq!(waiter.join().unwrap(), 50);
        assert_eq!(queue.queued_bytes(), 0, "an unused place was not given back");
        queue.close();
        assert!(matches!(queue.reserve(1).err(), Some(StorageError::LogClosed)));
        assert!(queue.take(1).is_none());
    }

    #[test]
    fn failure_wakes_who_waits_and_gives_back_what_was_not_written() {
        let queue = Arc::new(Queue::new(100));
        queue.reserve(100).unwrap().submit(Operation::Pass, None).ok().unwrap();
        let waiter = thread::spawn({
            let queue = Arc::clone(&queue);
            move || queue.reserve(50).err()
        });
        thread::sleep(Duration::from_millis(20));
        assert_eq!(queue.fail().len(), 1);
        assert!(matches!(waiter.join().unwrap(), Some(StorageError::LogFailed)));
    }
}
