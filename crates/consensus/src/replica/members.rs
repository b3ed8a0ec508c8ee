use std::collections::BTreeSet;
use std::time::Duration;

use openraft::async_runtime::watch::WatchReceiver;
use openraft::errors::{ClientWriteError, RaftError};
use renkei_ids::{NodeId, ReplicaId};
use tokio::time::{sleep, timeout};

use super::{Placed, Replica};
use crate::raft::WriteResult;

/// A learner this close to the end of the log, in entries, follows the group.
const CLOSE_ENTRIES: u64 = 1000;

const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// Why the members of a group were not changed.
#[derive(Debug, thiserror::Error)]
pub enum MembersError {
    /// This replica does not lead.
    #[error("this replica does not lead")]
    NotLeader {
        /// Who leads, as far as is known here.
        hint: Option<Placed>,
    },
    /// Raft refused: another change is under way, or the new members make no sense.
    #[error("the change of members is refused")]
    Refused {
        /// What Raft said.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The change may be made or not: look at the status.
    #[error("the outcome of the change of members is unknown")]
    OutcomeUnknown,
    /// The learner is a member, and has not caught up in time.
    #[error("replica {0} has not caught up in time")]
    NotCaughtUp(ReplicaId),
    /// The replica has stopped.
    #[error("the replica has stopped")]
    Stopped,
}

impl Replica {
    /// Adds a replica that receives the log and does not vote, and waits until it follows.
    ///
    /// # Errors
    ///
    /// [`MembersError`]; after [`MembersError::NotCaughtUp`] the replica is a learner.
    pub async fn add_learner(&self, learner: ReplicaId, node: NodeId, within: Duration) -> Result<(), MembersError> {
        let _one_change_at_a_time = self.0.changing.lock().await;
        let added = timeout(within, self.0.raft.add_learner(learner.0, node, false)).await;
        outcome(added.map_err(|_| MembersError::OutcomeUnknown)?)?;
        timeout(within, self.caught_up(learner)).await.map_err(|_| MembersError::NotCaughtUp(learner))?
    }

    async fn caught_up(&self, learner: ReplicaId) -> Result<(), MembersError> {
        let metrics = self.0.raft.metrics();
        loop {
            {
                let metrics = metrics.borrow_watched();
                metrics.running_state.as_ref().map_err(|_| MembersError::Stopped)?;
                let Some(replication) = &metrics.replication else {
                    drop(metrics);
                    return Err(MembersError::NotLeader { hint: self.leader_hint() });
                };
                let matched = replication.get(&learner.0).copied().flatten().map_or(0, |id| id.index);
                if matched > 0
                    && metrics.last_log_index.is_some_and(|last| last.saturating_sub(matched) <= CLOSE_ENTRIES)
                {
                    return Ok(());
                }
            }
            sleep(LOOK_AGAIN).await;
        }
    }

    /// Makes exactly these members the voters; members that are not among them leave the group.
    ///
    /// # Errors
    ///
    /// [`MembersError`].
    pub async fn change_members(&self, voters: BTreeSet<ReplicaId>, within: Duration) -> Result<(), MembersError> {
        let _one_change_at_a_time = self.0.changing.lock().await;
        let voters: BTreeSet<u64> = voters.into_iter().map(|replica| replica.0).collect();
        let changed = timeout(within, self.0.raft.change_membership(voters, false)).await;
        outcome(changed.map_err(|_| MembersError::OutcomeUnknown)?)
    }

    /// Asks another voter to lead. It does as soon as it has the whole log; whether it has taken over shows in
    /// [`leader_hint`](Self::leader_hint).
    ///
    /// # Errors
    ///
    /// [`MembersError::Stopped`].
    pub async fn transfer_leader(&self, to: ReplicaId) -> Result<(), MembersError> {
        self.0.raft.trigger().transfer_leader(to.0).await.map_err(|_| MembersError::Stopped)
    }
}

type Changed = Result<
    openraft::raft::ClientWriteResponse<crate::raft::TypeConfig>,
    RaftError<crate::raft::TypeConfig, ClientWriteError<crate::raft::TypeConfig>>,
>;

fn outcome(changed: Changed) -> Result<(), MembersError> {
    let result: WriteResult = match changed {
        Ok(response) => Ok(response),
        Err(RaftError::APIError(error)) => Err(error),
        Err(RaftError::Fatal(_)) => return Err(MembersError::Stopped),
    };
    match result {
        Ok(_) => Ok(()),
        Err(ClientWriteError::ForwardToLeader(to)) => {
            let hint = to.leader_id.zip(to.leader_node).map(|(leader, node)| (ReplicaId(leader), node));
            Err(MembersError::NotLeader { hint })
        }
        Err(ClientWriteError::LogEntryDiscarded(_)) => Err(MembersError::OutcomeUnknown),
        Err(error) => Err(MembersError::Refused { source: Box::new(error) }),
    }
}
