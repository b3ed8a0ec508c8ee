//! What an observer who sees everything knows.

use std::collections::{BTreeMap, BTreeSet};

use renkei_consensus::inspect::Configuration;
use renkei_ids::{NodeId, ReplicaId};

use crate::event::{Change, Entry, Event, Log};

/// Everything that events have told so far.
#[derive(Debug, Default)]
pub(crate) struct Book {
    pub(crate) replicas: BTreeMap<ReplicaId, ReplicaBook>,
    /// Every entry that some replica has applied, by index, as the first one did.
    pub(crate) committed: BTreeMap<u64, Committed>,
    /// Indexes of committed entries that hold members.
    members: BTreeSet<u64>,
    /// The leader of each term in which one was elected.
    pub(crate) leaders: BTreeMap<u64, ReplicaId>,
    /// Entries that the last event says were applied, those already known among them.
    pub(crate) applied_now: Vec<Entry>,
}

/// One replica.
#[derive(Debug)]
pub(crate) struct ReplicaBook {
    pub(crate) node: NodeId,
    pub(crate) running: bool,
    /// As its readers see it.
    pub(crate) accepted: Log,
    /// What a crash leaves.
    pub(crate) durable: Log,
    /// The last entry in its state since it started.
    pub(crate) applied: Option<u64>,
}

/// A committed entry.
#[derive(Clone, Debug)]
pub(crate) struct Committed {
    pub(crate) entry: Entry,
    /// The highest term that had a leader when it was first applied.
    pub(crate) top_term: u64,
}

impl Book {
    pub(crate) fn note(&mut self, event: &Event) {
        self.applied_now.clear();
        match event {
            Event::Started { node, logs } => self.started(*node, logs),
            Event::Crashed { node } => {
                for replica in self.replicas.values_mut().filter(|replica| replica.node == *node) {
                    replica.running = false;
                }
            }
            Event::Accepted { node, replica, change } => {
                if let Change::Voted(vote) = change
                    && vote.leads
                {
                    self.leaders.entry(vote.term).or_insert(vote.voted_for);
                }
                self.replica(*node, *replica).accepted.change(change);
            }
            Event::Durable { node, replica, change } => self.replica(*node, *replica).durable.change(change),
            Event::AppliedThrough { replica, index } => self.applied_through(*replica, *index),
            Event::Replaced { replica, index } => {
                if let Some(replica) = self.replicas.get_mut(replica) {
                    replica.applied = Some(*index);
                }
            }
            _ => {}
        }
    }

    fn replica(&mut self, node: NodeId, replica: ReplicaId) -> &mut ReplicaBook {
        self.replicas.entry(replica).or_insert_with(|| ReplicaBook {
            node,
            running: true,
            accepted: Log::default(),
            durable: Log::default(),
            applied: None,
        })
    }

    fn started(&mut self, node: NodeId, logs: &BTreeMap<ReplicaId, Log>) {
        for (&id, replica) in self.replicas.iter_mut().filter(|(_, replica)| replica.node == node) {
            let log = logs.get(&id).cloned().unwrap_or_default();
            replica.running = true;
            replica.applied = None;
            replica.accepted.clone_from(&log);
            replica.durable = log;
        }
    }

    fn applied_through(&mut self, replica: ReplicaId, index: u64) {
        let top_term = self.leaders.last_key_value().map_or(0, |(term, _)| *term);
        let Some(replica) = self.replicas.get_mut(&replica) else { return };
        let from = replica.applied.map_or(0, |applied| applied + 1);
        replica.applied = Some(index.max(replica.applied.unwrap_or(0)));
        if from > index {
            return;
        }
        for entry in replica.accepted.entries.range(from..=index).map(|(_, entry)| entry) {
            self.applied_now.push(entry.clone());
            let committed = || Committed { entry: entry.clone(), top_term };
            self.committed.entry(entry.index).or_insert_with(committed);
            if entry.members().is_some() {
                self.members.insert(entry.index);
            }
        }
    }

    /// The configurations under which a majority may hold an entry: the one that it was appended under, and later ones,
    /// since a leader goes by the newest that it has.
    fn configurations(&self, index: u64) -> impl Iterator<Item = &Configuration> {
        let committed = |index: &u64| self.committed.get(index)?.entry.members();
        let last = self.members.range(..=index).next_back().into_iter().filter_map(committed);
        let later = self.members.range(index + 1..).filter_map(committed);
        let uncommitted = self.replicas.values().flat_map(move |replica| replica.accepted.configurations_after(index));
        last.chain(later).chain(uncommitted)
    }

    /// Whether the disks of a majority of voters hold an entry, under one of the configurations that count.
    pub(crate) fn on_majority(&self, term: u64, index: u64) -> bool {
        let holds =
            |replica: &ReplicaId| self.replicas.get(replica).is_some_and(|replica| replica.durable.holds(term, index));
        self.configurations(index).any(|configuration| {
            let majority = |voters: &BTreeSet<ReplicaId>| {
                voters.iter().filter(|replica| holds(replica)).count() * 2 > voters.len()
            };
            !configuration.voters.is_empty() && configuration.voters.iter().all(majority)
        })
    }
}
