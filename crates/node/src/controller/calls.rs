//! What the steps of all jobs need: the job and the placement that it follows from, the nodes, and whoever leads a group.

use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use renkei_consensus::Replica;
use renkei_ids::{GroupId, NodeId, ReplicaId};
use renkei_placement::{Job, JobId, Placement, Refused};
use renkei_storage::StorageError;
use renkei_wire::admin::{FollowReply, FollowRequest, ReplicaStatus, StatusReply, TransferLeaderRequest};
use renkei_wire::pb::admin::v1 as pb;
use renkei_wire::{ErrorCode, Refusal};
use tokio::time::sleep;

use super::slots::{MoveError, SlotMover};
use super::{Controller, LeadError, Progress};
use crate::remote::{Client, Remote, RemoteError};

/// Longest time for an answer that needs no work.
pub(super) const ANSWER_WITHIN: Duration = Duration::from_secs(2);
/// Longest time for a placement to be carried out elsewhere.
const FOLLOW_WITHIN: Duration = Duration::from_secs(20);
/// How often the leader of a group is looked for before the step is given up, to be tried again.
const LEADER_TRIES: u32 = 10;
const LEADER_PAUSE: Duration = Duration::from_millis(100);

/// Why a step was not done. It is tried again.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StepError {
    #[error("asking a node")]
    Remote(#[from] RemoteError),
    #[error("changing the placement")]
    Lead(#[from] LeadError),
    #[error("reading the placement")]
    Placement(#[from] StorageError),
    #[error("group {0} has no leader")]
    NoLeader(GroupId),
    #[error("node {node} has not opened replica {replica} of group {group}")]
    NotOpen { group: GroupId, replica: ReplicaId, node: NodeId },
    #[error("replica {replica} of group {group} is {behind} entries behind")]
    Behind { group: GroupId, replica: ReplicaId, behind: u64 },
    #[error("group {0} has other members than it is to have")]
    OtherMembers(GroupId),
    #[error("group {group} is not led from node {node}")]
    LedElsewhere { group: GroupId, node: NodeId },
    #[error("the placement contradicts the job")]
    Contradiction(#[source] Refused),
    #[error("a node applies commands up to version {common}, and {needed} is needed")]
    Outdated { needed: u32, common: u32 },
    #[error("node {node} does not tell whether it applies commands of version {needed}")]
    VersionUntold { needed: u32, node: NodeId },
    #[error("moving slots")]
    Slots(#[from] MoveError),
}

/// A job under way, as it was when its step began.
#[derive(Debug)]
pub(crate) struct Work {
    /// Its number.
    pub(crate) id: JobId,
    /// The job.
    pub(crate) job: Job,
    /// The placement that it is part of. Orders carry its stamp.
    pub(crate) placement: Arc<Placement>,
    /// How far the step got, for operators to see.
    pub(crate) progress: Progress,
    pub(crate) remote: Remote,
    pub(crate) mover: Arc<SlotMover>,
}

/// Has a node carry a placement out, and gives what is open there.
pub(super) async fn follow(
    remote: &Remote,
    node: NodeId,
    placement: &Arc<Placement>,
) -> Result<FollowReply, RemoteError> {
    let request = pb::FollowRequest::from(FollowRequest { placement: Placement::clone(placement) });
    remote.ask(node, FOLLOW_WITHIN, |mut client: Client| async move { client.follow(request).await }).await
}

/// How a node stands.
pub(super) async fn status(remote: &Remote, node: NodeId, within: Duration) -> Result<StatusReply, RemoteError> {
    remote.ask(node, within, |mut client: Client| async move { client.status(pb::StatusRequest {}).await }).await
}

impl Work {
    pub(super) fn new(controller: &Controller, id: JobId, job: Job, placement: Arc<Placement>) -> Self {
        let (progress, remote) = (controller.progress.clone(), controller.follower.remote.clone());
        Self { id, job, placement, progress, remote, mover: Arc::clone(&controller.mover) }
    }

    /// The stamp that orders of this job carry.
    pub(crate) fn stamp(&self) -> u64 {
        self.placement.stamp()
    }

    /// Has a node carry this placement out, and gives what is open there.
    pub(crate) async fn follow(&self, node: NodeId) -> Result<FollowReply, StepError> {
        Ok(follow(&self.remote, node, &self.placement).await?)
    }

    /// How a node stands.
    pub(crate) async fn status(&self, node: NodeId) -> Result<StatusReply, RemoteError> {
        status(&self.remote, node, ANSWER_WITHIN).await
    }

    /// The node that leads a group, and how its replica stands.
    pub(crate) async fn leader_of(&self, group: GroupId) -> Result<(NodeId, ReplicaStatus), StepError> {
        for _ in 0..LEADER_TRIES {
            for node in self.nodes_of(group) {
                let Ok(status) = self.status(node).await else { continue };
                let leads = status.replicas.into_iter().find(|replica| replica.group == group && replica.leads);
                if let Some(replica) = leads {
                    return Ok((node, replica));
                }
            }
            sleep(LEADER_PAUSE).await;
        }
        Err(StepError::NoLeader(group))
    }

    /// Nodes with a replica of a group, the first one first, and one with a replica that is to join.
    fn nodes_of(&self, group: GroupId) -> Vec<NodeId> {
        let members = self.placement.group(group).into_iter().flat_map(|group| &group.replicas);
        let incoming = self.placement.incoming().filter(|(of, _)| *of == group).map(|(_, replica)| replica.node);
        members.map(|replica| replica.node).chain(incoming).collect()
    }

    /// Asks whoever leads a group, and goes on where a node says that it does not.
    pub(crate) async fn at_leader<'a, T>(
        &'a self,
        group: GroupId,
        mut call: impl FnMut(NodeId) -> BoxFuture<'a, Result<T, RemoteError>> + Send,
    ) -> Result<T, StepError> {
        let mut last = None;
        for _ in 0..LEADER_TRIES {
            let (leader, _) = self.leader_of(group).await?;
            match call(leader).await {
                Ok(answer) => return Ok(answer),
                Err(error) => {
                    let elsewhere = |refusal: &Refusal| refusal.code == ErrorCode::NotLeader;
                    if error.refusal().is_some_and(|refusal| !elsewhere(refusal)) {
                        return Err(error.into());
                    }
                    last = Some(error);
                }
            }
            sleep(LEADER_PAUSE).await;
        }
        Err(last.map_or(StepError::NoLeader(group), StepError::from))
    }

    /// Has a group led by another voter, and waits until it is.
    pub(crate) async fn transfer(&self, group: GroupId, to: ReplicaId, node: NodeId) -> Result<(), StepError> {
        let (leader, status) = self.leader_of(group).await?;
        if status.replica == to {
            return Ok(());
        }
        let order = TransferLeaderRequest { group, stamp: self.stamp(), to };
        let call =
            |mut client: Client| async move { client.transfer_leader(pb::TransferLeaderRequest::from(order)).await };
        let pb::TransferLeaderReply {} = self.remote.ask(leader, ANSWER_WITHIN, call).await?;
        for _ in 0..LEADER_TRIES {
            sleep(LEADER_PAUSE).await;
            if self.leader_of(group).await.is_ok_and(|(_, status)| status.replica == to) {
                return Ok(());
            }
        }
        Err(StepError::LedElsewhere { group, node })
    }
}

/// Hands over what this node leads, before it stops: the groups then need no election.
pub(crate) async fn hand_over(replicas: Vec<Replica>, within: Duration) {
    let handed = replicas.iter().map(|replica| replica.hand_over(within));
    for (replica, handed) in replicas.iter().zip(futures::future::join_all(handed).await) {
        match handed {
            Ok(true) => {}
            Ok(false) => tracing::info!(group = %replica.group(), "leadership not handed over; an election follows"),
            Err(error) => tracing::warn!(group = %replica.group(), %error, "handing a leadership over"),
        }
    }
}
