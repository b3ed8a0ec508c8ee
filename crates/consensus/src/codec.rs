//! The pieces that disk and wire formats are made of, and the version byte in front of each.

use std::collections::{BTreeMap, BTreeSet};

use bytes::{Buf, BufMut, Bytes, BytesMut};
use openraft::errors::MembershipError;
use openraft::vote::RaftLeaderId;
use prost::Message;
use renkei_ids::NodeId;

use crate::raft::{Command, Entry, LeaderId, LogId, Members, Payload, StoredMembers, Vote};

/// Version of every format of this crate. A change that old code must not read gets the next number, and the decoder
/// keeps reading this one.
const VERSION: u8 = 1;

/// No log is this long: an index above it is damage, and would overflow inside openraft.
const MAX_INDEX: u64 = 1 << 60;

/// No group sees so many terms: one above it is damage, and the next election would overflow it.
const MAX_TERM: u64 = 1 << 60;

/// Why bytes are not what they should be.
#[derive(Debug, thiserror::Error)]
pub enum CodecError {
    /// There is not even a version.
    #[error("{what}: no bytes")]
    Empty {
        /// Name of the format.
        what: &'static str,
    },
    /// Written by newer code, or not by us.
    #[error("{what}: version {found} is unknown")]
    Version {
        /// Name of the format.
        what: &'static str,
        /// First byte.
        found: u8,
    },
    /// Not the protobuf encoding that follows the version.
    #[error("{what}: malformed")]
    Malformed {
        /// Name of the format.
        what: &'static str,
        /// Where decoding ended.
        #[source]
        source: prost::DecodeError,
    },
    /// A field that is never absent is absent.
    #[error("no {field}")]
    Missing {
        /// Name of the field.
        field: &'static str,
    },
    /// A field holds what no correct writer writes.
    #[error("impossible {field}")]
    Impossible {
        /// Name of the field.
        field: &'static str,
    },
    /// A configuration that no group can have.
    #[error("members")]
    Members(#[from] MembershipError<u64>),
}

pub(crate) fn seal(message: &impl Message) -> Bytes {
    let mut buffer = BytesMut::with_capacity(1 + message.encoded_len());
    buffer.put_u8(VERSION);
    message.encode(&mut buffer).expect("BytesMut grows as needed");
    buffer.freeze()
}

pub(crate) fn open<M: Message + Default>(what: &'static str, mut bytes: Bytes) -> Result<M, CodecError> {
    if bytes.is_empty() {
        return Err(CodecError::Empty { what });
    }
    match bytes.get_u8() {
        VERSION => M::decode(bytes).map_err(|source| CodecError::Malformed { what, source }),
        found => Err(CodecError::Version { what, found }),
    }
}

#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
pub(crate) struct LogIdMessage {
    #[prost(uint64, tag = "1")]
    term: u64,
    #[prost(uint64, tag = "2")]
    index: u64,
}

impl From<&LogId> for LogIdMessage {
    fn from(id: &LogId) -> Self {
        Self { term: id.leader_id.term, index: id.index }
    }
}

impl TryFrom<LogIdMessage> for LogId {
    type Error = CodecError;

    fn try_from(LogIdMessage { term, index }: LogIdMessage) -> Result<Self, CodecError> {
        if index > MAX_INDEX {
            return Err(CodecError::Impossible { field: "log index" });
        }
        Ok(Self::new_term_index(possible(term)?, index))
    }
}

pub(crate) fn log_id(message: Option<LogIdMessage>) -> Result<Option<LogId>, CodecError> {
    message.map(LogId::try_from).transpose()
}

#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
pub(crate) struct VoteMessage {
    #[prost(uint64, tag = "1")]
    term: u64,
    #[prost(uint64, tag = "2")]
    voted_for: u64,
    #[prost(bool, tag = "3")]
    committed: bool,
}

impl From<&Vote> for VoteMessage {
    fn from(vote: &Vote) -> Self {
        Self { term: vote.leader_id.term, voted_for: vote.leader_id.voted_for, committed: vote.committed }
    }
}

impl TryFrom<VoteMessage> for Vote {
    type Error = CodecError;

    fn try_from(VoteMessage { term, voted_for, committed }: VoteMessage) -> Result<Self, CodecError> {
        Ok(Self { leader_id: LeaderId::new(possible(term)?, voted_for), committed })
    }
}

fn possible(term: u64) -> Result<u64, CodecError> {
    if term > MAX_TERM { Err(CodecError::Impossible { field: "term" }) } else { Ok(term) }
}

pub(crate) fn vote(message: Option<VoteMessage>) -> Result<Vote, CodecError> {
    message.ok_or(CodecError::Missing { field: "vote" })?.try_into()
}

#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(crate) struct MembersMessage {
    /// One set of voters, or two during a change.
    #[prost(message, repeated, tag = "1")]
    configs: Vec<VotersMessage>,
    /// Voters and learners.
    #[prost(message, repeated, tag = "2")]
    members: Vec<MemberMessage>,
}

#[derive(Clone, PartialEq, Eq, prost::Message)]
struct VotersMessage {
    #[prost(uint64, repeated, tag = "1")]
    replicas: Vec<u64>,
}

#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
struct MemberMessage {
    #[prost(uint64, tag = "1")]
    replica: u64,
    #[prost(uint32, tag = "2")]
    node: u32,
}

impl From<&Members> for MembersMessage {
    fn from(members: &Members) -> Self {
        let voters = |config: &BTreeSet<u64>| VotersMessage { replicas: config.iter().copied().collect() };
        Self {
            configs: members.get_joint_config().iter().map(voters).collect(),
            members: members.nodes().map(|(&replica, node)| MemberMessage { replica, node: node.0 }).collect(),
        }
    }
}

impl TryFrom<MembersMessage> for Members {
    type Error = CodecError;

    fn try_from(MembersMessage { configs, members }: MembersMessage) -> Result<Self, CodecError> {
        let nodes: BTreeMap<_, _> =
            members.into_iter().map(|MemberMessage { replica, node }| (replica, NodeId(node))).collect();
        if configs.is_empty() && nodes.is_empty() {
            return Ok(Self::default());
        }
        let configs = configs.into_iter().map(|VotersMessage { replicas }| replicas.into_iter().collect()).collect();
        Ok(Self::new(configs, nodes)?)
    }
}

/// Members and the entry that made them so.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(crate) struct StoredMembersMessage {
    #[prost(message, optional, tag = "1")]
    at: Option<LogIdMessage>,
    #[prost(message, optional, tag = "2")]
    members: Option<MembersMessage>,
}

impl From<&StoredMembers> for StoredMembersMessage {
    fn from(stored: &StoredMembers) -> Self {
        Self { at: stored.log_id().as_ref().map(LogIdMessage::from), members: Some(stored.membership().into()) }
    }
}

impl TryFrom<StoredMembersMessage> for StoredMembers {
    type Error = CodecError;

    fn try_from(StoredMembersMessage { at, members }: StoredMembersMessage) -> Result<Self, CodecError> {
        let members = members.ok_or(CodecError::Missing { field: "members" })?;
        Ok(Self::new(log_id(at)?, members.try_into()?))
    }
}

#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(crate) struct EntryMessage {
    #[prost(message, optional, tag = "1")]
    id: Option<LogIdMessage>,
    #[prost(oneof = "PayloadMessage", tags = "2, 3, 4, 5")]
    payload: Option<PayloadMessage>,
}

#[derive(Clone, PartialEq, Eq, prost::Oneof)]
enum PayloadMessage {
    #[prost(message, tag = "2")]
    Blank(()),
    #[prost(bytes = "bytes", tag = "3")]
    Machine(Bytes),
    #[prost(message, tag = "4")]
    Digest(()),
    #[prost(message, tag = "5")]
    Members(MembersMessage),
}

impl From<&Entry> for EntryMessage {
    fn from(entry: &Entry) -> Self {
        let payload = match &entry.payload {
            Payload::Blank => PayloadMessage::Blank(()),
            Payload::Normal(Command::Machine(bytes)) => PayloadMessage::Machine(bytes.clone()),
            Payload::Normal(Command::Digest) => PayloadMessage::Digest(()),
            Payload::Membership(members) => PayloadMessage::Members(members.into()),
        };
        Self { id: Some((&entry.log_id).into()), payload: Some(payload) }
    }
}

impl TryFrom<EntryMessage> for Entry {
    type Error = CodecError;

    fn try_from(EntryMessage { id, payload }: EntryMessage) -> Result<Self, CodecError> {
        let log_id = id.ok_or(CodecError::Missing { field: "log id of an entry" })?.try_into()?;
        let payload = match payload.ok_or(CodecError::Missing { field: "payload of an entry" })? {
            PayloadMessage::Blank(()) => Payload::Blank,
            PayloadMessage::Machine(bytes) => Payload::Normal(Command::Machine(bytes)),
            PayloadMessage::Digest(()) => Payload::Normal(Command::Digest),
            PayloadMessage::Members(members) => Payload::Membership(members.try_into()?),
        };
        Ok(Self { log_id, payload })
    }
}
