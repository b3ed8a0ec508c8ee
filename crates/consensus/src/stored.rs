//! What is written to disk: entries, votes, log ids and the marker of applied state.

use bytes::Bytes;

use crate::codec::{self, CodecError, EntryMessage, LogIdMessage, StoredMembersMessage, VoteMessage};
use crate::raft::{Entry, LogId, StoredMembers, Vote};

pub(crate) fn encode_entry(entry: &Entry) -> Bytes {
    codec::seal(&EntryMessage::from(entry))
}

pub(crate) fn decode_entry(bytes: Bytes) -> Result<Entry, CodecError> {
    codec::open::<EntryMessage>("log entry", bytes)?.try_into()
}

pub(crate) fn encode_vote(vote: &Vote) -> Bytes {
    codec::seal(&VoteMessage::from(vote))
}

pub(crate) fn decode_vote(bytes: Bytes) -> Result<Vote, CodecError> {
    codec::open::<VoteMessage>("vote", bytes)?.try_into()
}

pub(crate) fn encode_log_id(id: &LogId) -> Bytes {
    codec::seal(&LogIdMessage::from(id))
}

pub(crate) fn decode_log_id(bytes: Bytes) -> Result<LogId, CodecError> {
    codec::open::<LogIdMessage>("log id", bytes)?.try_into()
}

/// How far a state DB is: stored in the same batch as the state itself, and so in every checkpoint of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Marker {
    pub(crate) applied: Option<LogId>,
    pub(crate) members: StoredMembers,
}

#[derive(Clone, PartialEq, Eq, prost::Message)]
struct MarkerMessage {
    #[prost(message, optional, tag = "1")]
    applied: Option<LogIdMessage>,
    #[prost(message, optional, tag = "2")]
    members: Option<StoredMembersMessage>,
}

impl Marker {
    pub(crate) fn encode(&self) -> Bytes {
        codec::seal(&MarkerMessage {
            applied: self.applied.as_ref().map(LogIdMessage::from),
            members: Some((&self.members).into()),
        })
    }

    pub(crate) fn decode(bytes: Bytes) -> Result<Self, CodecError> {
        let MarkerMessage { applied, members } = codec::open("marker of applied state", bytes)?;
        let members = members.ok_or(CodecError::Missing { field: "members" })?;
        Ok(Self { applied: codec::log_id(applied)?, members: members.try_into()? })
    }
}

#[cfg(test)]
pub(crate) mod tests;
