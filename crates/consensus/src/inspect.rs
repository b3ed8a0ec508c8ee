//! What lies in a replica's log and beside its state, for whoever looks at it from outside: tests and tools.

use std::collections::BTreeSet;

use bytes::Bytes;
use renkei_ids::ReplicaId;

use crate::codec::CodecError;
use crate::raft::{Command, Members, Payload, Vote};
use crate::stored::{self, Marker};

/// One entry of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogEntry {
    /// Raft term of the leader that proposed it.
    pub term: u64,
    /// Where it stands.
    pub index: u64,
    /// What it holds.
    pub content: EntryContent,
}

/// What an entry holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EntryContent {
    /// Nothing: the first entry of a leadership.
    Blank,
    /// A command of the state machine.
    Command(Bytes),
    /// The engine's own command to compute a digest.
    Digest,
    /// Who belongs to the group from here on.
    Members(Configuration),
}

/// Who votes, and who does not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Configuration {
    /// One set of voters, or two during a change: then a majority of each decides.
    pub voters: Vec<BTreeSet<ReplicaId>>,
    /// Replicas that receive the log and do not vote.
    pub learners: BTreeSet<ReplicaId>,
}

/// Whom a replica has voted for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct StoredVote {
    /// In which term.
    pub term: u64,
    /// For whom.
    pub voted_for: ReplicaId,
    /// That replica is known to have won: it leads in this term.
    pub leads: bool,
}

/// How far a state is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Applied {
    /// Term and index of the last entry in it.
    pub last: Option<(u64, u64)>,
    /// The last configuration in it.
    pub members: Configuration,
}

/// Reads an entry as it lies in the log.
///
/// # Errors
/// [`CodecError`].
pub fn entry(bytes: Bytes) -> Result<LogEntry, CodecError> {
    let entry = stored::decode_entry(bytes)?;
    let content = match entry.payload {
        Payload::Blank => EntryContent::Blank,
        Payload::Normal(Command::Machine(command)) => EntryContent::Command(command),
        Payload::Normal(Command::Digest) => EntryContent::Digest,
        Payload::Membership(members) => EntryContent::Members(configuration(&members)),
    };
    Ok(LogEntry { term: entry.log_id.leader_id.term, index: entry.log_id.index, content })
}

/// Reads a vote as it lies in the log.
///
/// # Errors
/// [`CodecError`].
pub fn vote(bytes: Bytes) -> Result<StoredVote, CodecError> {
    let Vote { leader_id, committed } = stored::decode_vote(bytes)?;
    Ok(StoredVote { term: leader_id.term, voted_for: ReplicaId(leader_id.voted_for), leads: committed })
}

/// Reads the term and index that a log has for what is committed or purged.
///
/// # Errors
/// [`CodecError`].
pub fn position(bytes: Bytes) -> Result<(u64, u64), CodecError> {
    let id = stored::decode_log_id(bytes)?;
    Ok((id.leader_id.term, id.index))
}

/// Reads the marker that lies beside a state; nothing stands for a state that nothing was applied to.
///
/// # Errors
/// [`CodecError`].
pub fn applied(marker: Option<Bytes>) -> Result<Applied, CodecError> {
    let Marker { applied, members } = marker.map(Marker::decode).transpose()?.unwrap_or_default();
    let members = configuration(members.membership());
    Ok(Applied { last: applied.map(|id| (id.leader_id.term, id.index)), members })
}

fn configuration(members: &Members) -> Configuration {
    let ids = |ids: &BTreeSet<u64>| ids.iter().copied().map(ReplicaId).collect();
    Configuration {
        voters: members.get_joint_config().iter().map(ids).collect(),
        learners: members.learner_ids().map(ReplicaId).collect(),
    }
}
