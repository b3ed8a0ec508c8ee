//! The one openraft type configuration, shared by every group.

use std::fmt;

use bytes::Bytes;
use openraft::entry::EntryPayload;
use openraft::impls::{BoxedErrorSource, InlineBatch, TokioRuntime};
use openraft::raft::responder::Responder;
use openraft::storage::{Snapshot, SnapshotMeta};
use openraft::vote::leader_id_std;
use openraft::{OptionalSend, RaftTypeConfig, StoredMembership};
use renkei_ids::NodeId;
use tokio::sync::{OwnedSemaphorePermit, oneshot};

/// What the engine tells openraft about itself. `NodeId` is a replica id, `Node` the machine that hosts it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct TypeConfig;

impl RaftTypeConfig for TypeConfig {
    type D = Command;
    type R = Bytes;
    type NodeId = u64;
    type Node = NodeId;
    type Term = u64;
    type LeaderId = LeaderId;
    type Vote = Vote;
    type Payload = Payload;
    type Entry = Entry;
    type AsyncRuntime = TokioRuntime;
    type Responder<T>
        = Answer<T>
    where
        T: OptionalSend + 'static;
    type Batch<T>
        = InlineBatch<T>
    where
        T: OptionalSend + 'static;
    type ErrorSource = BoxedErrorSource;
}

// `leader_id_std`: one leader for each term at most, so a term names a leadership.
pub(crate) type LeaderId = leader_id_std::LeaderId<u64, u64>;
pub(crate) type CommittedLeaderId = leader_id_std::CommittedLeaderId<u64>;
pub(crate) type Vote = openraft::Vote<LeaderId>;
pub(crate) type LogId = openraft::LogId<CommittedLeaderId>;
pub(crate) type Payload = EntryPayload<Command, u64, NodeId>;
pub(crate) type Entry = openraft::Entry<CommittedLeaderId, Payload>;
pub(crate) type Members = openraft::Membership<u64, NodeId>;
pub(crate) type StoredMembers = StoredMembership<CommittedLeaderId, u64, NodeId>;
pub(crate) type Meta = SnapshotMeta<CommittedLeaderId, u64, NodeId>;
pub(crate) type SnapshotOf<D> = Snapshot<CommittedLeaderId, u64, NodeId, D>;
pub(crate) type WriteResult = openraft::raft::ClientWriteResult<TypeConfig>;

/// What an entry asks for: the engine's own commands stand beside the state machine's.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Command {
    /// A command of the state machine, already encoded by its owner.
    Machine(Bytes),
    /// Compute the digest of the state as it is after all earlier entries.
    Digest,
}

// A command may hold what a patient is known by: only its size is shown.
impl fmt::Debug for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Machine(bytes) => write!(f, "Machine({} bytes)", bytes.len()),
            Self::Digest => f.write_str("Digest"),
        }
    }
}

impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// Carries the outcome of a proposal back, and holds its share of the admission budget until then: a caller that
/// stops waiting frees nothing while its entry is still in the engine.
pub(crate) struct Answer<T> {
    to: oneshot::Sender<T>,
    _admitted: OwnedSemaphorePermit,
}

impl<T> Answer<T> {
    pub(crate) fn new(admitted: OwnedSemaphorePermit) -> (Self, oneshot::Receiver<T>) {
        let (to, outcome) = oneshot::channel();
        (Self { to, _admitted: admitted }, outcome)
    }
}

impl<T> Responder<TypeConfig, T> for Answer<T>
where
    T: OptionalSend + 'static,
{
    fn on_complete(self, result: T) {
        // The proposer may have given up; the entry stands either way.
        let _ = self.to.send(result);
    }
}
