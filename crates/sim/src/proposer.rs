//! Gathers what a node has decided into few entries, as the node's own proposer does: items of one leadership together,
//! two entries under way.

use std::collections::VecDeque;

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use prost::Message;
use renkei_consensus::{ProposeError, Replica};
use renkei_ids::LeaderTerm;
use tokio::sync::{mpsc, oneshot};

use crate::frames::{Item, Reply};
use crate::machine::{Batch, Verdicts};

const ENTRIES_IN_FLIGHT: usize = 2;
const ENTRY_MAX_ITEMS: usize = 16;

/// The verdict on an item, and term and index of its entry.
pub(crate) type Recorded = Result<(Reply, u64, u64), ProposeError>;

struct Waiting {
    under: LeaderTerm,
    item: Item,
    tell: oneshot::Sender<Recorded>,
}

/// The way into the log of one replica's group.
#[derive(Clone)]
pub(crate) struct Proposer(mpsc::UnboundedSender<Waiting>);

impl Proposer {
    /// And the task that does its work.
    pub(crate) fn new(replica: Replica) -> (Self, impl Future<Output = ()> + Send) {
        let (queue, waiting) = mpsc::unbounded_channel();
        (Self(queue), work(replica, waiting))
    }

    pub(crate) async fn record(&self, under: LeaderTerm, item: Item) -> Recorded {
        let (tell, told) = oneshot::channel();
        if self.0.send(Waiting { under, item, tell }).is_err() {
            return Err(ProposeError::Stopped);
        }
        told.await.unwrap_or(Err(ProposeError::OutcomeUnknown))
    }
}

async fn work(replica: Replica, mut waiting: mpsc::UnboundedReceiver<Waiting>) {
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
            entries.push(propose(replica.clone(), behind.drain(..together).collect()));
        }
    }
}

async fn propose(replica: Replica, entry: Vec<Waiting>) {
    let under = entry[0].under;
    let items = entry.iter().map(|waiting| waiting.item).collect();
    let outcome = replica.propose(under, Batch { items }.encode_to_vec().into()).await;
    let verdicts = outcome.map(|reply| Verdicts::decode(reply).unwrap_or_default());
    for (position, waiting) in entry.into_iter().enumerate() {
        let told = match &verdicts {
            Ok(Verdicts { term, index, replies }) => match replies.get(position) {
                Some(reply) => Ok((reply.clone(), *term, *index)),
                None => Err(ProposeError::OutcomeUnknown),
            },
            Err(error) => Err(*error),
        };
        // A client that has gone has no receiver; its item is recorded all the same.
        let _ = waiting.tell.send(told);
    }
}
