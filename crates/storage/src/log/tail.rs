use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;

/// What an entry occupies in the tail besides its bytes.
const ENTRY_OVERHEAD: usize = 48;

/// The last entries of one log, in memory. Its bytes also count in a total shared by all logs.
pub(super) struct Tail {
    /// Index of the front entry, and of the next one when empty.
    first: u64,
    entries: VecDeque<TailEntry>,
    bytes: usize,
    total: Arc<AtomicUsize>,
}

struct TailEntry {
    entry: Bytes,
    /// The operation that writes it.
    sequence: u64,
}

impl Tail {
    pub(super) fn new(next: u64, total: Arc<AtomicUsize>) -> Self {
        Self { first: next, entries: VecDeque::new(), bytes: 0, total }
    }

    pub(super) fn first(&self) -> u64 {
        self.first
    }

    pub(super) fn push(&mut self, entries: Vec<Bytes>, sequence: u64) {
        for entry in entries {
            self.grow(entry.len() + ENTRY_OVERHEAD);
            self.entries.push_back(TailEntry { entry, sequence });
        }
    }

    /// Entries from `index` on, below `end`.
    pub(super) fn range(&self, index: u64, end: u64) -> impl Iterator<Item = &Bytes> {
        let at = |index: u64| {
            let at = usize::try_from(index.saturating_sub(self.first)).unwrap_or(usize::MAX);
            at.min(self.entries.len())
        };
        self.entries.range(at(index)..at(end).max(at(index))).map(|kept| &kept.entry)
    }

    /// Drops entries from `next` on; `next` is the index of the next append.
    pub(super) fn truncate(&mut self, next: u64) {
        while !self.entries.is_empty() && self.first + self.entries.len() as u64 > next {
            let removed = self.entries.pop_back();
            self.shrink(removed);
        }
        if self.entries.is_empty() {
            self.first = next;
        }
    }

    /// Drops entries below `first`.
    pub(super) fn purge(&mut self, first: u64) {
        while self.first < first && !self.entries.is_empty() {
            self.pop_front();
        }
        self.first = self.first.max(first);
    }

    /// Drops entries from the front until at most `share` bytes are left, but only such that are in the database.
    pub(super) fn evict(&mut self, share: usize, durable_sequence: u64) {
        while self.bytes > share && self.entries.front().is_some_and(|kept| kept.sequence <= durable_sequence) {
            self.pop_front();
        }
    }

    fn pop_front(&mut self) {
        let removed = self.entries.pop_front();
        self.first += 1;
        self.shrink(removed);
    }

    fn grow(&mut self, bytes: usize) {
        self.bytes += bytes;
        self.total.fetch_add(bytes, Ordering::Relaxed);
    }

    fn shrink(&mut self, removed: Option<TailEntry>) {
        if let Some(removed) = removed {
            let bytes = removed.entry.len() + ENTRY_OVERHEAD;
            self.bytes -= bytes;
            self.total.fetch_sub(bytes, Ordering::Relaxed);
        }
    }
}

impl Drop for Tail {
    fn drop(&mut self) {
        self.total.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}
