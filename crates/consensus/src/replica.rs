//! The handle to one replica of one group.

mod members;
mod receive;
mod status;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use openraft::async_runtime::watch::WatchReceiver;
use openraft::errors::{ClientWriteError, InitializeError, RaftError};
use openraft::metrics::RaftServerMetrics;
use openraft::type_config::alias::WatchReceiverOf;
use openraft::{Raft, ReadPolicy};
use renkei_faults::{Mutation, mutated};
use renkei_ids::{GroupId, LeaderTerm, NodeId, ReplicaId};
use renkei_storage::log::GroupLog;
use renkei_storage::state::View;
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::raft::{Answer, Command, CommittedLeaderId, TypeConfig};
use crate::snapshot::Receiver;
use crate::state::{Digest, State, StateStore};

pub use members::MembersError;
pub use status::{Members, ReplicaStatus, Role};

pub(crate) type RaftHandle = Raft<TypeConfig, StateStore>;

/// A replica and the node that hosts it.
pub type Placed = (ReplicaId, NodeId);

/// One replica of one group. Clones share it.
#[derive(Clone)]
pub struct Replica(Arc<Parts>);

pub(crate) struct Parts {
    pub(crate) group: GroupId,
    pub(crate) replica: ReplicaId,
    pub(crate) raft: RaftHandle,
    pub(crate) server: WatchReceiverOf<TypeConfig, RaftServerMetrics<TypeConfig>>,
    pub(crate) state: Arc<State>,
    pub(crate) log: GroupLog,
    pub(crate) receiver: Receiver,
    /// Bytes of proposals that may be on their way.
    pub(crate) admission: Arc<Semaphore>,
    pub(crate) admission_bytes: u32,
    pub(crate) patience: Duration,
    pub(crate) changing: tokio::sync::Mutex<()>,
    /// Held by the schedule while it looks after this replica.
    pub(crate) looked_after: tokio::sync::Mutex<()>,
    pub(crate) stopping: CancellationToken,
}

impl fmt::Debug for Replica {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Replica")
            .field("group", &self.0.group)
            .field("replica", &self.0.replica)
            .finish_non_exhaustive()
    }
}

/// What became of a command that was not acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProposeError {
    /// Not proposed, and never applied: this replica does not lead in that term, or cannot reach its followers.
    #[error("this replica does not lead in that term")]
    NotLeader {
        /// Who leads, as far as is known here.
        hint: Option<Placed>,
    },
    /// Not proposed, and never applied: too many bytes are on their way already.
    #[error("too many proposals are on their way")]
    Overloaded,
    /// Proposed, and it may be applied or not: leadership was lost, or the time is up.
    #[error("the outcome of the proposal is unknown")]
    OutcomeUnknown,
    /// Not proposed, and never applied: the replica has stopped.
    #[error("the replica has stopped")]
    Stopped,
}

/// Why a group was not started.
#[derive(Debug, thiserror::Error)]
pub enum InitializeGroupError {
    /// The members do not hold this replica.
    #[error("replica {0} is not among the first members")]
    NotAMember(ReplicaId),
    /// The replica has stopped.
    #[error("the replica has stopped")]
    Stopped,
}

/// Why a read is not known to be fresh.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadIndexError {
    /// This replica does not lead.
    #[error("this replica does not lead")]
    NotLeader {
        /// Who leads, as far as is known here.
        hint: Option<Placed>,
    },
    /// No majority has answered in time.
    #[error("no majority confirmed the leadership in time")]
    NoQuorum,
    /// The replica has stopped.
    #[error("the replica has stopped")]
    Stopped,
}

impl Replica {
    pub(crate) fn new(parts: Parts) -> Self {
        Self(Arc::new(parts))
    }

    pub(crate) fn parts(&self) -> &Parts {
        &self.0
    }

    /// The group.
    pub fn group(&self) -> GroupId {
        self.0.group
    }

    /// The replica's id.
    pub fn replica(&self) -> ReplicaId {
        self.0.replica
    }

    /// Starts a new group with these voters. Without effect on a group that has been started: any of the first members
    /// may call it, also again after a crash.
    ///
    /// # Errors
    ///
    /// [`InitializeGroupError`]; the group is as before.
    pub async fn initialize(&self, members: BTreeMap<ReplicaId, NodeId>) -> Result<(), InitializeGroupError> {
        let members: BTreeMap<_, _> = members.into_iter().map(|(replica, node)| (replica.0, node)).collect();
        match self.0.raft.initialize(members).await {
            // Not allowed: there is a log or a vote, so the group has been started.
            Ok(()) | Err(RaftError::APIError(InitializeError::NotAllowed(_))) => Ok(()),
            Err(RaftError::APIError(InitializeError::NotInMembers(_))) => {
                Err(InitializeGroupError::NotAMember(self.0.replica))
            }
            Err(RaftError::Fatal(_)) => Err(InitializeGroupError::Stopped),
        }
    }

    /// The leadership that this replica may read and propose under: it leads, and has applied its own first entry, so
    /// its state holds everything that earlier leaders acknowledged.
    ///
    /// Cheap enough for every read. It may be out of date at once; a proposal under it then fails.
    pub fn leadership(&self) -> Option<LeaderTerm> {
        let server = self.0.server.borrow_watched();
        let leads =
            server.state.is_leader() && server.vote.committed && server.vote.leader_id.voted_for == self.0.replica.0;
        let term = server.vote.leader_id.term;
        // One leader for each term, and a leader's first entry is its blank one: an applied entry of this term means
        // that the blank one is applied.
        let serves = self.0.state.applied_term() == term || mutated(Mutation::ServesBeforeOwnEntry);
        (leads && serves).then_some(LeaderTerm { term, leader: self.0.replica })
    }

    /// Who leads, as far as is known here.
    pub fn leader_hint(&self) -> Option<Placed> {
        let server = self.0.server.borrow_watched();
        let leader = server.current_leader?;
        let node = *server.membership_config.membership().get_node(&leader)?;
        Some((ReplicaId(leader), node))
    }

    /// The state as it is now. Take [`leadership`](Self::leadership) first and the view after it: the other order
    /// could show a state from before the leadership.
    pub fn view(&self) -> View {
        self.0.state.view()
    }

    /// Proposes a command and waits until it is applied here; gives the state machine's reply.
    ///
    /// It is proposed in the leadership `under` or not at all.
    ///
    /// # Errors
    ///
    /// [`ProposeError`], which says whether the command may still be applied. Dropping the future leaves the outcome
    /// unknown.
    pub async fn propose(&self, under: LeaderTerm, command: Bytes) -> Result<Bytes, ProposeError> {
        let size = u32::try_from(command.len()).unwrap_or(u32::MAX);
        self.propose_command(under, Command::Machine(command), size).await
    }

    /// Has every replica compute the digest of its state at one index of the log, and gives this replica's.
    ///
    /// # Errors
    ///
    /// As [`propose`](Self::propose).
    pub async fn digest(&self, under: LeaderTerm) -> Result<Digest, ProposeError> {
        let reply = self.propose_command(under, Command::Digest, 0).await?;
        Digest::decode(&reply).ok_or(ProposeError::OutcomeUnknown)
    }

    /// The newest digest computed here since the start.
    pub fn last_digest(&self) -> Option<Digest> {
        self.0.state.last_digest()
    }

    async fn propose_command(&self, under: LeaderTerm, command: Command, size: u32) -> Result<Bytes, ProposeError> {
        if under.leader != self.0.replica {
            return Err(ProposeError::NotLeader { hint: self.leader_hint() });
        }
        // A command larger than the whole budget travels alone.
        let share = size.clamp(1, self.0.admission_bytes);
        let admission = Arc::clone(&self.0.admission);
        let admitted = admission.try_acquire_many_owned(share).map_err(|_| ProposeError::Overloaded)?;
        let (answer, outcome) = Answer::new(admitted);
        let leader = CommittedLeaderId::new(under.term);
        let answered = async {
            let write = self.0.raft.write(command);
            let write = if mutated(Mutation::AnyLeadership) { write } else { write.with_leader(leader) };
            write.responder(answer).await.map_err(|_| ProposeError::Stopped)?;
            Ok(outcome.await)
        };
        match timeout(self.0.patience, answered).await {
            Ok(Err(stopped)) => Err(stopped),
            Ok(Ok(Ok(Ok(written)))) => Ok(written.data),
            Ok(Ok(Ok(Err(ClientWriteError::ForwardToLeader(to))))) => {
                let hint = to.leader_id.zip(to.leader_node).map(|(leader, node)| (ReplicaId(leader), node));
                Err(ProposeError::NotLeader { hint })
            }
            // Discarded here does not mean discarded everywhere; and the other refusals are of membership changes.
            Ok(Ok(Ok(Err(_)) | Err(_))) | Err(_) => Err(ProposeError::OutcomeUnknown),
        }
    }

    /// Returns once the state holds everything that was acknowledged before the call. For reads that leave no audit
    /// row, such as the slot map; audited reads go through the log.
    ///
    /// # Errors
    ///
    /// [`ReadIndexError`].
    pub async fn read_index(&self) -> Result<(), ReadIndexError> {
        match timeout(self.0.patience, self.0.raft.ensure_linearizable(ReadPolicy::ReadIndex)).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(RaftError::Fatal(_))) => Err(ReadIndexError::Stopped),
            Ok(Err(RaftError::APIError(openraft::errors::LinearizableReadError::ForwardToLeader(to)))) => {
                let hint = to.leader_id.zip(to.leader_node).map(|(leader, node)| (ReplicaId(leader), node));
                Err(ReadIndexError::NotLeader { hint })
            }
            Ok(Err(RaftError::APIError(_))) | Err(_) => Err(ReadIndexError::NoQuorum),
        }
    }
}
