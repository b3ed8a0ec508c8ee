//! One for each group: gathers what its leader has decided to record into few, large entries.
//!
//! Puts and audit notes of a group travel together. An item is proposed in the very leadership that it was decided
//! under, or not at all; so an entry holds items of one leadership only.

use std::collections::VecDeque;
use std::fmt;

use bytes::Bytes;
use futures::StreamExt;
use futures::stream::FuturesUnordered;
use renkei_consensus::{ProposeError, Replica};
use renkei_ids::{LeaderTerm, LogId};
use renkei_peers::Clocks;
use renkei_shard::{Command, Verdict, Verdicts};
use tokio::sync::{mpsc, oneshot};

use crate::metrics::Metrics;

/// Entries of a group under way: one being made durable, and one being gathered behind it.
const ENTRIES_IN_FLIGHT: usize = 2;
/// Most items in an entry.
const ENTRY_MAX_ITEMS: usize = 256;
/// Bytes after which an entry is full. A larger item travels alone.
const ENTRY_MAX_BYTES: usize = 1 << 20;
/// Items that may wait for their turn; the requests that they belong to are admitted by bytes.
const QUEUE_ITEMS: usize = 16_384;

/// What became of an item.
pub(crate) type Recorded = Result<(Verdict, LogId), NotRecorded>;

/// Why there is no verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NotRecorded {
    /// The engine says why.
    Engine(ProposeError),
    /// Too many items wait already.
    Full,
    /// The group has a leader, and has not taken its slots yet.
    NotFounded,
    /// The clock is off, so nothing is stamped here.
    ClockOff,
    /// The replica is stopping.
    Gone,
}

#[derive(Debug)]
struct Waiting {
    under: LeaderTerm,
    item: Bytes,
    tell: oneshot::Sender<Recorded>,
}

/// The way into a group's log. Clones share it.
#[derive(Clone)]
pub(crate) struct Proposer {
    queue: mpsc::Sender<Waiting>,
}

impl fmt::Debug for Proposer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Proposer").finish_non_exhaustive()
    }
}

impl Proposer {
    /// The proposer of a replica's group, and the task that does its work, which ends with the last clone.
    pub(crate) fn new(replica: Replica, clocks: Clocks, metrics: Metrics) -> (Self, impl Future<Output = ()> + Send) {
        let (queue, waiting) = mpsc::channel(QUEUE_ITEMS);
        (Self { queue }, Work { replica, clocks, metrics, waiting, behind: VecDeque::new() }.run())
    }

    /// Has an encoded item decided, under the leadership it was made in.
    pub(crate) async fn record(&self, under: LeaderTerm, item: Bytes) -> Recorded {
        let (tell, told) = oneshot::channel();
        match self.queue.try_send(Waiting { under, item, tell }) {
            Err(mpsc::error::TrySendError::Full(_)) => Err(NotRecorded::Full),
            Err(mpsc::error::TrySendError::Closed(_)) => Err(NotRecorded::Gone),
            // Whoever drops the sender may have proposed the item.
            Ok(()) => told.await.unwrap_or(Err(NotRecorded::Engine(ProposeError::OutcomeUnknown))),
        }
    }
}

struct Work {
    replica: Replica,
    clocks: Clocks,
    metrics: Metrics,
    waiting: mpsc::Receiver<Waiting>,
    /// Items that did not fit into the last entry, or were decided under another leadership.
    behind: VecDeque<Waiting>,
}

impl Work {
    async fn run(mut self) {
        let mut entries = FuturesUnordered::new();
        loop {
            if entries.len() >= ENTRIES_IN_FLIGHT || (self.behind.is_empty() && self.waiting.is_empty()) {
                tokio::select! {
                    Some(()) = entries.next(), if !entries.is_empty() => continue,
                    first = self.waiting.recv(), if entries.len() < ENTRIES_IN_FLIGHT => match first {
                        Some(first) => self.behind.push_back(first),
                        None => break,
                    },
                }
            }
            let entry = self.gather();
            if entry.is_empty() {
                continue;
            }
            match self.clocks.stamp() {
                Some(time) => entries.push(propose(self.replica.clone(), time, entry, self.metrics.clone())),
                None => entry.into_iter().for_each(|waiting| {
                    let _gone = waiting.tell.send(Err(NotRecorded::ClockOff));
                }),
            }
        }
        while entries.next().await.is_some() {}
    }

    /// The items of the next entry: in order, of one leadership, up to the limits.
    fn gather(&mut self) -> Vec<Waiting> {
        let mut entry: Vec<Waiting> = Vec::new();
        let mut bytes = 0;
        while entry.len() < ENTRY_MAX_ITEMS {
            let Some(next) = self.behind.pop_front().or_else(|| self.waiting.try_recv().ok()) else { break };
            let fits = bytes + next.item.len() <= ENTRY_MAX_BYTES;
            let together = entry.first().is_none_or(|first| first.under == next.under && fits);
            if !together {
                self.behind.push_front(next);
                break;
            }
            bytes += next.item.len();
            entry.push(next);
        }
        entry
    }
}

async fn propose(replica: Replica, time: renkei_ids::UnixMillis, entry: Vec<Waiting>, metrics: Metrics) {
    let under = entry[0].under;
    let (items, tellers): (Vec<_>, Vec<_>) = entry.into_iter().map(|waiting| (waiting.item, waiting.tell)).unzip();
    metrics.entry_items.observe(items.len() as f64);
    let command = Command { time, items }.encode();
    let outcome = match replica.propose(under, command).await {
        Err(error) => Err(NotRecorded::Engine(error)),
        Ok(reply) => match Verdicts::decode(&reply) {
            Ok(Verdicts { log: Some(log), verdicts }) if verdicts.len() == tellers.len() => Ok((log, verdicts)),
            Ok(Verdicts { log: None, .. }) => Err(NotRecorded::NotFounded),
            // Applied, and nobody can read how.
            Ok(_) | Err(_) => Err(NotRecorded::Engine(ProposeError::OutcomeUnknown)),
        },
    };
    match outcome {
        // A request that is no longer waited for has no receiver; its item is recorded all the same.
        Ok((log, verdicts)) => tellers.into_iter().zip(verdicts).for_each(|(tell, verdict)| {
            let _gone = tell.send(Ok((verdict, log)));
        }),
        Err(reason) => tellers.into_iter().for_each(|tell| {
            let _gone = tell.send(Err(reason));
        }),
    }
}
