use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use openraft::async_runtime::watch::WatchReceiver;
use openraft::errors::{ClientWriteError, RaftError};
use openraft::raft::Precondition;
use openraft::{ChangeMembers, Instant as _};
use renkei_ids::{NodeId, ReplicaId};
use tokio::time::{sleep, timeout};

use super::{Placed, Replica};
use crate::raft::WriteResult;

/// A learner this close to the end of the log, in entries, follows the group.
const CLOSE_ENTRIES: u64 = 1000;

const LOOK_AGAIN: Duration = Duration::from_millis(50);
/// A handed-over leadership is waited for in smaller steps: a stop waits for it.
const LOOK_CLOSELY: Duration = Duration::from_millis(10);
/// A voter that has answered so recently is taken to be there.
const RECENT: Duration = Duration::from_secs(2);

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
    /// The members are not those that the caller knows: they have changed since, or are about to.
    #[error("the members have changed since")]
    Overtaken,
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

    /// Gives the group exactly these voters and learners, where its members are still those of log index `membership`
    /// (see [`Members::index`](super::Members::index)): whoever read them there decided about them,
    /// so an order that was overtaken by another changes nothing. A change that a crash left half done is finished by
    /// asking for the same again. Learners that are new need time to follow; look at their status.
    ///
    /// # Errors
    ///
    /// [`MembersError`].
    pub async fn set_members(
        &self,
        membership: u64,
        voters: BTreeMap<ReplicaId, NodeId>,
        learners: BTreeMap<ReplicaId, NodeId>,
        within: Duration,
    ) -> Result<(), MembersError> {
        let _one_change_at_a_time = self.0.changing.lock().await;
        let (known, strangers) = {
            let metrics = self.0.raft.metrics();
            let metrics = metrics.borrow_watched();
            let members = &metrics.membership_config;
            let stays = |id: &u64| voters.contains_key(&ReplicaId(*id)) || learners.contains_key(&ReplicaId(*id));
            let strangers: BTreeSet<u64> =
                members.membership().learner_ids().filter(|learner| !stays(learner)).collect();
            (members.log_id().as_ref().filter(|id| id.index == membership).cloned(), strangers)
        };
        let known = known.ok_or(MembersError::Overtaken)?;
        let nodes = voters.iter().chain(&learners).map(|(replica, node)| (replica.0, *node)).collect();
        let mut changes = vec![ChangeMembers::AddNodes(nodes)];
        if !strangers.is_empty() {
            changes.push(ChangeMembers::RemoveNodes(strangers));
        }
        changes.push(ChangeMembers::ReplaceAllVoters(voters.into_keys().map(|replica| replica.0).collect()));
        let known = [Precondition::LastMembershipLogId { last_membership_log_id: Some(known) }];
        let changed = self.0.raft.change_membership_if(ChangeMembers::Batch(changes), false, known);
        outcome(timeout(within, changed).await.map_err(|_| MembersError::OutcomeUnknown)?)
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

impl Replica {
    /// Hands the leadership over to the voter that has most of the log among those that have just answered, so that the
    /// group need not wait for an election. Gives whether this replica leads no more when the time is up.
    ///
    /// # Errors
    ///
    /// [`MembersError::Stopped`].
    pub async fn hand_over(&self, within: Duration) -> Result<bool, MembersError> {
        let Some(to) = self.successor() else { return Ok(!self.leads()) };
        self.transfer_leader(to).await?;
        let gone = async {
            while self.leads() {
                sleep(LOOK_CLOSELY).await;
            }
        };
        Ok(timeout(within, gone).await.is_ok())
    }

    fn leads(&self) -> bool {
        self.0.server.borrow_watched().state.is_leader()
    }

    fn successor(&self) -> Option<ReplicaId> {
        let metrics = self.0.raft.metrics();
        let metrics = metrics.borrow_watched();
        let (answered, matched) = (metrics.heartbeat.as_ref()?, metrics.replication.as_ref()?);
        let recent =
            |voter: &u64| answered.get(voter).and_then(|at| at.as_ref()).is_some_and(|at| at.elapsed() < RECENT);
        let voters = metrics.membership_config.membership().voter_ids();
        let to = voters.filter(|voter| *voter != self.0.replica.0 && recent(voter));
        to.max_by_key(|voter| matched.get(voter).copied().flatten().map(|id| id.index)).map(ReplicaId)
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
        Err(ClientWriteError::PreconditionFailed(_)) => Err(MembersError::Overtaken),
        Err(error) => Err(MembersError::Refused { source: Box::new(error) }),
    }
}
