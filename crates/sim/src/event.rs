use bytes::Bytes;
use renkei_consensus::inspect::{self, Configuration, EntryContent, LogEntry, StoredVote};
use renkei_consensus::{ReplicaStatus, Role};
use renkei_ids::{NodeId, ReplicaId};
use renkei_storage::log::{LogChange, StoredLog};
use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};

/// What happened. The trace of a run is these, in order.
#[derive(Clone, Debug)]
#[expect(dead_code, reason = "the trace is the printed form of events, and some fields are for it alone")]
pub(crate) enum Event {
    /// A fault begins or ends.
    Fault(String),
    /// A node's process began, with this on its disk.
    Started { node: NodeId, logs: BTreeMap<ReplicaId, Log> },
    /// A node's process and power ended.
    Crashed { node: NodeId },
    /// A log changed as its readers see it.
    Accepted { node: NodeId, replica: ReplicaId, change: Change },
    /// A change of a log is durable.
    Durable { node: NodeId, replica: ReplicaId, change: Change },
    /// A state machine applied a command; `chain` stands for all commands so far.
    Applied { replica: ReplicaId, term: u64, index: u64, chain: u64 },
    /// All entries up to an index are in the state.
    AppliedThrough { replica: ReplicaId, index: u64 },
    /// A snapshot took the place of the state.
    Replaced { replica: ReplicaId, index: u64 },
    /// A replica says where it stands.
    Status { replica: ReplicaId, status: Standing },
    /// What a state holds, by its own marker.
    Seen { replica: ReplicaId, applied: Option<(u64, u64)>, chain: u64, content: u64 },
    /// A request travels between nodes.
    Sent { from: NodeId, to: NodeId, lane: u32, bytes: usize },
    /// A node lets an answer go that it read, or a change that it made, under a leadership.
    Answered { node: NodeId, under: u64, term: u64, index: u64 },
    /// A client asked.
    Called { client: u32, operation: u64 },
    /// A client was answered, or gave up.
    Returned { client: u32, operation: u64, known: bool },
}

/// Where a replica stands, as far as invariants go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Standing {
    pub(crate) role: Role,
    pub(crate) term: u64,
    pub(crate) last_log: Option<u64>,
    pub(crate) committed: Option<u64>,
    pub(crate) applied: Option<u64>,
    pub(crate) snapshot: Option<u64>,
    pub(crate) purged: Option<u64>,
}

impl Standing {
    pub(crate) fn of(status: &ReplicaStatus) -> Self {
        let &ReplicaStatus { role, term, last_log, committed, applied, snapshot, purged, .. } = status;
        Self { role, term, last_log, committed, applied, snapshot, purged }
    }
}

/// An entry, its command by a hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) term: u64,
    pub(crate) index: u64,
    pub(crate) content: EntryContent,
    pub(crate) hash: u64,
}

/// A change of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    Appended(Vec<Entry>),
    Truncated { from: u64 },
    Purged { term: u64, index: u64 },
    Voted(StoredVote),
    Committed { term: u64, index: u64 },
    Dropped,
}

/// A log as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Log {
    pub(crate) entries: BTreeMap<u64, Entry>,
    /// Term and index of the last entry purged.
    pub(crate) purged: Option<(u64, u64)>,
    pub(crate) vote: Option<StoredVote>,
    /// Indexes of entries that hold members.
    pub(crate) members: BTreeSet<u64>,
}

pub(crate) fn hash_of(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

impl Entry {
    fn read(bytes: &Bytes) -> Self {
        let LogEntry { term, index, content } = inspect::entry(bytes.clone()).expect("our own code wrote it");
        Self { term, index, content, hash: hash_of(&bytes.as_ref()) }
    }

    /// The configuration that it holds.
    pub(crate) fn members(&self) -> Option<&Configuration> {
        match &self.content {
            EntryContent::Members(configuration) => Some(configuration),
            _ => None,
        }
    }
}

impl Change {
    pub(crate) fn read(change: LogChange<'_>) -> Self {
        let position = |bytes: &Bytes| inspect::position(bytes.clone()).expect("our own code wrote it");
        match change {
            LogChange::Appended { first: _, entries } => Self::Appended(entries.iter().map(Entry::read).collect()),
            LogChange::Truncated { from } => Self::Truncated { from },
            LogChange::Purged { through: _, marker } => {
                let (term, index) = position(marker);
                Self::Purged { term, index }
            }
            LogChange::Voted(vote) => Self::Voted(inspect::vote(vote.clone()).expect("our own code wrote it")),
            LogChange::Committed(marker) => {
                let (term, index) = position(marker);
                Self::Committed { term, index }
            }
            LogChange::Dropped => Self::Dropped,
        }
    }
}

impl Log {
    pub(crate) fn read(stored: StoredLog) -> Self {
        let entries: BTreeMap<_, _> =
            stored.entries.values().map(Entry::read).map(|entry| (entry.index, entry)).collect();
        let purged = stored.purged.map(|marker| inspect::position(marker).expect("our own code wrote it"));
        let vote = stored.vote.map(|vote| inspect::vote(vote).expect("our own code wrote it"));
        let mut log = Self { entries, purged, vote, members: BTreeSet::new() };
        log.members = log.entries.values().filter(|entry| entry.members().is_some()).map(|entry| entry.index).collect();
        log
    }

    pub(crate) fn change(&mut self, change: &Change) {
        match change {
            Change::Appended(entries) => {
                self.entries.extend(entries.iter().map(|entry| (entry.index, entry.clone())));
                let members = entries.iter().filter(|entry| entry.members().is_some());
                self.members.extend(members.map(|entry| entry.index));
            }
            Change::Truncated { from } => {
                self.entries.split_off(from);
                self.members.split_off(from);
            }
            Change::Purged { term, index } => {
                self.entries = self.entries.split_off(&(index + 1));
                self.members = self.members.split_off(&(index + 1));
                self.purged = Some((*term, *index));
            }
            Change::Voted(vote) => self.vote = Some(*vote),
            Change::Committed { .. } => {}
            Change::Dropped => *self = Self::default(),
        }
    }

    /// Whether the log, or the state behind what was purged of it, holds this entry.
    pub(crate) fn holds(&self, term: u64, index: u64) -> bool {
        self.purged.is_some_and(|(_, purged)| index <= purged)
            || self.entries.get(&index).is_some_and(|entry| entry.term == term)
    }

    /// Configurations that stand behind an index.
    pub(crate) fn configurations_after(&self, index: u64) -> impl Iterator<Item = &Configuration> {
        self.members.range(index + 1..).filter_map(|index| self.entries.get(index)?.members())
    }

    /// The term of an entry, as far as it is known here.
    pub(crate) fn term_of(&self, index: u64) -> Option<u64> {
        match self.purged {
            Some((term, purged)) if purged == index => Some(term),
            _ => self.entries.get(&index).map(|entry| entry.term),
        }
    }
}
