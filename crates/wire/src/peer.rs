//! What nodes of one cloud say to each other: pieces of Raft messages of all groups.

use bytes::Bytes;
use renkei_ids::{CloudId, GroupId, ReplicaId};

use crate::CallId;
use crate::redacted::redacted;

/// A connection of its own between two nodes, so that bulk never delays a sign of life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Lane {
    /// Log entries.
    Append,
    /// Heartbeats, votes and leadership transfers.
    Control,
    /// Snapshot files.
    Snapshot,
}

/// One message of a stream between nodes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerFrames {
    /// The lane of the stream; the same in each message.
    pub lane: Lane,
    /// At most [`FRAMES_MAX`](crate::limits::FRAMES_MAX).
    pub frames: Vec<PeerFrame>,
}

/// One frame, with what its receiver checks before it looks inside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerFrame {
    /// The cloud both ends must belong to.
    pub cloud: CloudId,
    /// The group of both replicas.
    pub group: GroupId,
    /// The replica that sends; never 0.
    pub from: ReplicaId,
    /// The replica that is meant; never 0.
    pub to: ReplicaId,
    /// Which call: the asking side chose it, unique on this stream among its calls under way.
    pub call: CallId,
    /// What is sent.
    pub payload: PeerPayload,
}

/// What a frame carries.
#[derive(Clone, PartialEq, Eq)]
pub enum PeerPayload {
    /// A piece of a request or an answer that goes on.
    Piece(Bytes),
    /// The last, often the only piece of a request or an answer.
    End(Bytes),
    /// In place of an answer: the number of a refusal, as crate `consensus` gives it.
    Refused(u32),
}

redacted! { PeerPayload }
