//! The border to the network: what is sent, over which lane, and how it fails.

use std::time::Duration;

use bytes::Bytes;
use futures::future::BoxFuture;
use renkei_ids::{GroupId, NodeId, ReplicaId};

use crate::codec::CodecError;

/// A connection of its own between two nodes, so that bulk never delays a sign of life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Lane {
    /// Log entries.
    Append,
    /// Heartbeats, votes and transfers of leadership.
    Control,
    /// Files of a state on their way to a replica that lags too far behind.
    Snapshot,
}

/// Between which replicas a request travels. Everything in it is checked by the receiver on every frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Address {
    /// The group of both replicas.
    pub group: GroupId,
    /// The replica that sends.
    pub from: ReplicaId,
    /// The replica that is to answer.
    pub to: ReplicaId,
    /// The node that hosts `to`; the transport knows how to reach it.
    pub to_node: NodeId,
}

/// Carries requests between nodes. Implemented over the network by the node and in process by
/// [`ChannelNetwork`](crate::ChannelNetwork).
pub trait PeerTransport: Send + Sync + 'static {
    /// Sends one request and returns the wait for its answer.
    ///
    /// Requests of one (`to_node`, lane, group) reach the peer in the order of the calls: the call itself enqueues,
    /// awaiting the future only waits. The future ends after `ttl` at the latest; dropping it gives the answer up.
    fn request(
        &self,
        to: Address,
        lane: Lane,
        body: Bytes,
        ttl: Duration,
    ) -> BoxFuture<'static, Result<Bytes, TransportError>>;
}

/// Why a request has no answer. None of them says that the peer did nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TransportError {
    /// There is no connection to the peer's node; the sender backs off.
    #[error("the peer cannot be reached")]
    Unreachable,
    /// The time to live has passed.
    #[error("the peer did not answer in time")]
    TimedOut,
    /// The peer's node answered, with the code of a [`ReceiveError`].
    #[error("the peer refused with code {0}")]
    Refused(u32),
}

/// Why a frame was not handed to a replica.
#[derive(Debug, thiserror::Error)]
pub enum ReceiveError {
    /// This engine hosts no such replica of the group; the sender's membership is old, or the frame is astray.
    #[error("no replica {to} of group {group} here")]
    UnknownReplica {
        /// Group named by the frame.
        group: GroupId,
        /// Replica named by the frame.
        to: ReplicaId,
    },
    /// A replica does not talk to itself: the sender's address book is wrong.
    #[error("replica {0} was sent its own message")]
    FromItself(ReplicaId),
    /// The bytes are no message of ours.
    #[error("read a message of lane {lane:?}")]
    Malformed {
        /// Lane that it came over.
        lane: Lane,
        /// What is wrong with it.
        #[source]
        source: CodecError,
    },
    /// The replica is stopping or has stopped.
    #[error("the replica has stopped")]
    Stopped,
    /// The transfer of a snapshot cannot go on; its sender begins a new one.
    #[error("receive a snapshot")]
    Snapshot(#[from] crate::snapshot::ReceiveSnapshotError),
}

impl ReceiveError {
    /// The number that travels back to the sender; the same for every version.
    pub fn code(&self) -> u32 {
        match self {
            Self::UnknownReplica { .. } => 1,
            Self::FromItself(_) => 2,
            Self::Malformed { .. } => 3,
            Self::Stopped => 4,
            Self::Snapshot(_) => 5,
        }
    }
}
