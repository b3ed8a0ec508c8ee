//! A replica grants one vote in a term, never goes back to an older one, and a crash does not make it forget (Ongaro, 3.4
//! and 3.8).

use std::collections::BTreeMap;

use renkei_consensus::inspect::StoredVote;
use renkei_ids::ReplicaId;

use super::Invariant;
use crate::book::Book;
use crate::event::{Change, Event};

#[derive(Default)]
pub(crate) struct OneVote {
    granted: BTreeMap<(ReplicaId, u64), ReplicaId>,
    last: BTreeMap<ReplicaId, StoredVote>,
    durable: BTreeMap<ReplicaId, StoredVote>,
}

impl Invariant for OneVote {
    fn name(&self) -> &'static str {
        "one vote a term"
    }

    fn after(&mut self, event: &Event, _: &Book) -> Result<(), String> {
        match event {
            Event::Accepted { replica, change: Change::Voted(vote), .. } => self.voted(*replica, *vote),
            Event::Durable { replica, change: Change::Voted(vote), .. } => {
                self.durable.insert(*replica, *vote);
                // From here on it may have been told, and a crash must keep it.
                if vote.leads {
                    return Ok(());
                }
                let first = *self.granted.entry((*replica, vote.term)).or_insert(vote.voted_for);
                if first == vote.voted_for {
                    return Ok(());
                }
                Err(format!("{replica} granted {first} and {} its vote in term {}", vote.voted_for, vote.term))
            }
            Event::Started { logs, .. } => {
                for (replica, log) in logs {
                    let durable = self.durable.get(replica).copied();
                    if log.vote != durable {
                        return Err(format!("{replica} had {durable:?} on its disk and starts with {:?}", log.vote));
                    }
                    self.last.remove(replica);
                    self.last.extend(durable.map(|vote| (*replica, vote)));
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

impl OneVote {
    fn voted(&mut self, replica: ReplicaId, vote: StoredVote) -> Result<(), String> {
        match self.last.insert(replica, vote) {
            Some(before) if (before.term, before.leads) > (vote.term, vote.leads) => {
                Err(format!("{replica} goes back from {before:?} to {vote:?}"))
            }
            _ => Ok(()),
        }
    }
}
