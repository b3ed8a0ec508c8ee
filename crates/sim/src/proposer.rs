//! Gathers what a node has decided into few entries, as the node's own proposer does: items of one leadership together,
//! two entries under way.

use std::collections::VecDeque;

use bytes::Bytes;
use futures::StreamExt;
use futures::stream::FuturesUnordered;
use renkei_consensus::{ProposeError, Replica};
use renkei_ids::{LeaderTerm, NodeId, UnixMillis};
use renkei_shard::{Command, Verdict};
use tokio::sync::{mpsc, oneshot};

use crate::machine;
use crate::world::SharedWorld;

const ENTRIES_IN_FLIGHT: usize = 2;
const ENTRY_MAX_ITEMS: usize = 16;

/// The verdict on an item, and term and index of its entry.
pub(crate) type Recorded = Result<(Verdict, u64, u64), ProposeError>;

struct Waiting {
    under: LeaderTerm,
    item: Bytes,
    tell: oneshot::Sender<Recorded>,
}

/// The way into the log of one replica's group.
#[derive(Clone)]
pub(crate) struct Proposer(mpsc::UnboundedSender<Waiting>);

/// A node's clock.
#[derive(Clone)]
pub(crate) struct NodeClock {
    pub(crate) node: NodeId,
    pub(crate) world: SharedWorld,
}

impl NodeClock {
    pub(crate) fn now(&self) -> UnixMillis {
        let since = turmoil::since_epoch().unwrap_or_default();
        let millis = u64::try_from(since.as_millis()).unwrap_or(u64::MAX);
        UnixMillis(millis.saturating_add_signed(self.world.lock().skew(self.node)))
    }
}

impl Proposer {
    /// And the task that does its work.
    pub(crate) fn new(replica: Replica, clock: NodeClock) -> (Self, impl Future<Output = ()> + Send) {
        let (queue, waiting) = mpsc::unbounded_channel();
        (Self(queue), work(replica, clock, waiting))
    }

    pub(crate) async fn record(&self, under: LeaderTerm, item: Bytes) -> Recorded {
        let (tell, told) = oneshot::channel();
        if self.0.send(Waiting { under, item, tell }).is_err() {
            return Err(ProposeError::Stopped);
        }
        told.await.unwrap_or(Err(ProposeError::OutcomeUnknown))
    }
}

async fn work(replica: Replica, clock: NodeClock, mut waiting: mpsc::UnboundedReceiver<Waiting>) {
    let mut entries = FuturesUnordered::new();
    let mut behind: VecDeque<Waiting> = VecDeque::new();
    loop {
        if entries.len() >= ENTRIES_IN_FLIGHT || (behind.is_empty() && waiting.is_empty()) {
            tokio::select! {
                biased;
                Some(()) = entries.next(), if !entries.is_empty() => continue,
                first = waiting.recv(), if entries.len() < ENTRIES_IN_FLIGHT => match first {
                    Some(first) => behind.push_back(first),
                    None => return,
                },
            }
        }
        while let Ok(next) = waiting.try_recv() {
            behind.push_back(next);
        }
        let together = behind.iter().take(ENTRY_MAX_ITEMS).take_while(|next| next.under == behind[0].under).count();
        if together > 0 {
            entries.push(propose(replica.clone(), clock.now(), behind.drain(..together).collect()));
        }
    }
}

async fn propose(replica: Replica, time: UnixMillis, entry: Vec<Waiting>) {
    let under = entry[0].under;
    let items = entry.iter().map(|waiting| waiting.item.clone()).collect();
    let outcome = replica.propose(under, Command { time, items }.encode()).await;
    let verdicts = outcome.and_then(|reply| machine::verdicts(&reply).ok_or(ProposeError::OutcomeUnknown));
    for (position, waiting) in entry.into_iter().enumerate() {
        let told = match &verdicts {
            Ok((term, index, all)) => match all.verdicts.get(position) {
                Some(verdict) => Ok((*verdict, *term, *index)),
                None => Err(ProposeError::OutcomeUnknown),
            },
            Err(error) => Err(*error),
        };
        // A client that has gone has no receiver; its item is recorded all the same.
        let _ = waiting.tell.send(told);
    }
}
