use renkei_ids::{DiskId, GroupId, InvalidLength, NodeId, ReplicaId, SlotEpoch};
use renkei_placement::UNTOLD_VERSION;

use super::InvalidMember;
use super::job::{InvalidJob, job_from, job_message};
use crate::admin::{Member, ReplicaStatus, StatusReply};
use crate::bounds::{InvalidSize, OutOfRange, at_most, u16_within};
use crate::convert::copied;
use crate::limits::ADMIN_MAX_REPLICAS;
use crate::pb::admin::v1 as pb;

/// A status that no replica has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidReplicaStatus {
    /// The replica, or one of the voters, is missing or 0.
    #[error("replica of a status is 0")]
    Replica,
    /// The leader.
    #[error("leader of a group")]
    Leader(#[source] InvalidMember),
    /// More members than a message takes.
    #[error("members of a group")]
    Size(#[source] InvalidSize),
    /// One of the members.
    #[error("member of a group")]
    Member(#[source] InvalidMember),
}

/// A status that no node has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidStatusReply {
    /// The node is missing or 0.
    #[error("node of a status is 0")]
    Node,
    /// More replicas than a message takes.
    #[error("replicas of a node")]
    Size(#[source] InvalidSize),
    /// One of the replicas.
    #[error("replica of a node")]
    Replica(#[from] InvalidReplicaStatus),
    /// The free share of the disk.
    #[error("free share of a node's disk")]
    DiskFree(#[source] OutOfRange),
    /// The disk that it works on.
    #[error("disk of a node")]
    Disk(#[from] InvalidLength),
    /// The job under way.
    #[error("job of a status")]
    Job(#[from] InvalidJob),
}

impl TryFrom<pb::ReplicaStatus> for ReplicaStatus {
    type Error = InvalidReplicaStatus;

    fn try_from(message: pb::ReplicaStatus) -> Result<Self, InvalidReplicaStatus> {
        let pb::ReplicaStatus {
            group,
            replica,
            term,
            leader,
            last_log,
            committed,
            applied,
            snapshot,
            purged,
            members,
            leads,
            voters,
            changing,
            membership,
        } = message;
        if replica == 0 {
            return Err(InvalidReplicaStatus::Replica);
        }
        at_most(members.len(), ADMIN_MAX_REPLICAS).map_err(InvalidReplicaStatus::Size)?;
        at_most(voters.len(), ADMIN_MAX_REPLICAS).map_err(InvalidReplicaStatus::Size)?;
        if voters.contains(&0) {
            return Err(InvalidReplicaStatus::Replica);
        }
        Ok(Self {
            group: GroupId(group),
            replica: ReplicaId(replica),
            term,
            leader: leader.map(Member::try_from).transpose().map_err(InvalidReplicaStatus::Leader)?,
            last_log,
            committed,
            applied,
            snapshot,
            purged,
            members: members
                .into_iter()
                .map(Member::try_from)
                .collect::<Result<_, _>>()
                .map_err(InvalidReplicaStatus::Member)?,
            leads,
            voters: voters.into_iter().map(ReplicaId).collect(),
            changing,
            membership,
        })
    }
}

impl From<ReplicaStatus> for pb::ReplicaStatus {
    fn from(status: ReplicaStatus) -> Self {
        let ReplicaStatus {
            group,
            replica,
            term,
            leader,
            last_log,
            committed,
            applied,
            snapshot,
            purged,
            members,
            leads,
            voters,
            changing,
            membership,
        } = status;
        Self {
            group: group.0,
            replica: replica.0,
            term,
            leader: leader.map(Into::into),
            last_log,
            committed,
            applied,
            snapshot,
            purged,
            members: members.into_iter().map(Into::into).collect(),
            leads,
            voters: voters.into_iter().map(|voter| voter.0).collect(),
            changing,
            membership,
        }
    }
}

impl TryFrom<pb::StatusReply> for StatusReply {
    type Error = InvalidStatusReply;

    fn try_from(message: pb::StatusReply) -> Result<Self, InvalidStatusReply> {
        let pb::StatusReply {
            node,
            slot_epoch,
            replicas,
            disk_free_permille,
            stamp,
            disk_refused,
            job,
            disk,
            commands_version,
        } = message;
        if node == 0 {
            return Err(InvalidStatusReply::Node);
        }
        at_most(replicas.len(), ADMIN_MAX_REPLICAS).map_err(InvalidStatusReply::Size)?;
        Ok(Self {
            node: NodeId(node),
            slot_epoch: SlotEpoch(slot_epoch),
            replicas: replicas.into_iter().map(ReplicaStatus::try_from).collect::<Result<_, _>>()?,
            disk_free_permille: u16_within(disk_free_permille, 0, 1_000).map_err(InvalidStatusReply::DiskFree)?,
            stamp,
            disk_refused,
            job: job.map(job_from).transpose()?,
            disk: DiskId::try_from(&disk[..])?,
            commands_version: commands_version.max(UNTOLD_VERSION),
        })
    }
}

impl From<StatusReply> for pb::StatusReply {
    fn from(status: StatusReply) -> Self {
        let StatusReply {
            node,
            slot_epoch,
            replicas,
            disk_free_permille,
            stamp,
            disk_refused,
            job,
            disk,
            commands_version,
        } = status;
        Self {
            node: node.0,
            slot_epoch: slot_epoch.0,
            replicas: replicas.into_iter().map(Into::into).collect(),
            disk_free_permille: u32::from(disk_free_permille),
            stamp,
            disk_refused,
            job: job.map(job_message),
            disk: copied(disk.as_bytes()),
            commands_version,
        }
    }
}
