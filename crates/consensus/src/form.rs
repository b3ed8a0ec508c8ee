//! Stored and sent forms without their types: for fuzzers, and for tools that look at a log.

use bytes::Bytes;

use crate::codec::CodecError;
use crate::message::{Reply, Request};
use crate::stored::{self, Marker};

/// What bytes are said to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A log entry, stored.
    Entry,
    /// A vote, stored.
    Vote,
    /// The id of an entry, stored.
    LogId,
    /// How far a state is, stored with it.
    Marker,
    /// A request between replicas.
    Request,
    /// The answer to one.
    Reply,
}

impl Form {
    /// Every form.
    pub const ALL: [Self; 6] = [Self::Entry, Self::Vote, Self::LogId, Self::Marker, Self::Request, Self::Reply];

    /// Reads a form and writes it again: the one form that this build writes for what it read.
    ///
    /// # Errors
    /// [`CodecError`], for bytes that are not of this form.
    pub fn rewrite(self, bytes: Bytes) -> Result<Bytes, CodecError> {
        Ok(match self {
            Self::Entry => stored::encode_entry(&stored::decode_entry(bytes)?),
            Self::Vote => stored::encode_vote(&stored::decode_vote(bytes)?),
            Self::LogId => stored::encode_log_id(&stored::decode_log_id(bytes)?),
            Self::Marker => Marker::decode(bytes)?.encode(),
            Self::Request => Request::decode(bytes)?.encode(),
            Self::Reply => Reply::decode(bytes)?.encode(),
        })
    }
}
