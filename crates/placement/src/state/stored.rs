//! The stored form of the placement, and of the jobs in it.

use bytes::Bytes;
use renkei_ids::{DiskId, GroupId, NodeId, ReplicaId, SlotEpoch};

use super::Placement;
use crate::format::{self, pb};
use crate::group::{Group, Node, Replica, Retired};
use crate::job::{Job, JobId, JobKind, JobStep};
use crate::slot_map::{SlotMap, SlotRange};

/// A stored placement that does not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the stored placement does not read")]
pub struct InvalidPlacement;

impl From<format::Unreadable> for InvalidPlacement {
    fn from(_: format::Unreadable) -> Self {
        Self
    }
}

impl Placement {
    /// The stored form.
    pub fn encode(&self) -> Bytes {
        let Self { stamp, epoch, min_version, nodes, groups, slots, last_replica, founders, jobs, last_job, retired } =
            self;
        format::encode(&pb::Placement {
            epoch: epoch.0,
            min_version: *min_version,
            nodes: nodes.iter().map(|(id, node)| pb_node(*id, node)).collect(),
            groups: groups.iter().map(|(id, group)| pb_group(*id, group)).collect(),
            slots: slots.iter().flat_map(SlotMap::ranges).map(|range| pb::Range::from(&range)).collect(),
            last_replica: *last_replica,
            founders: *founders,
            jobs: jobs.iter().map(|(id, job)| pb_job(*id, job)).collect(),
            last_job: *last_job,
            stamp: *stamp,
            retired: retired
                .iter()
                .map(|Retired { group, replica }| pb::Retired {
                    group: group.0,
                    replica: replica.id.0,
                    node: replica.node.0,
                })
                .collect(),
        })
    }

    /// Reads the stored form.
    ///
    /// # Errors
    /// [`InvalidPlacement`].
    pub fn decode(bytes: &Bytes) -> Result<Self, InvalidPlacement> {
        let pb::Placement {
            epoch,
            min_version,
            nodes,
            groups,
            slots,
            last_replica,
            jobs,
            last_job,
            founders,
            stamp,
            retired,
        } = format::decode(bytes)?;
        let ranges = slots.into_iter().map(SlotRange::try_from).collect::<Result<Vec<_>, _>>()?;
        let slots = match ranges[..] {
            [] => None,
            _ => Some(SlotMap::from_ranges(&ranges).map_err(|_| InvalidPlacement)?),
        };
        let left = |pb::Retired { group, replica, node }| Retired {
            group: GroupId(group),
            replica: Replica { id: ReplicaId(replica), node: NodeId(node) },
        };
        Ok(Self {
            stamp,
            epoch: SlotEpoch(epoch),
            min_version,
            nodes: nodes.into_iter().map(node_from).collect::<Result<_, InvalidPlacement>>()?,
            groups: groups.into_iter().map(group_from).collect(),
            slots,
            last_replica,
            founders,
            jobs: jobs.into_iter().map(job_from).collect::<Result<_, InvalidPlacement>>()?,
            last_job,
            retired: retired.into_iter().map(left).collect(),
        })
    }
}

fn pb_node(id: NodeId, node: &Node) -> pb::Node {
    let Node { address, disk, lost, drained } = node;
    let disk = disk.map_or_else(Vec::new, |disk| disk.as_bytes().to_vec());
    pb::Node { id: id.0, address: address.clone(), disk, lost: lost.0, drained: *drained }
}

fn node_from(node: pb::Node) -> Result<(NodeId, Node), InvalidPlacement> {
    let pb::Node { id, address, disk, lost, drained } = node;
    let disk = match disk[..] {
        [] => None,
        _ => Some(DiskId::try_from(&disk[..]).map_err(|_| InvalidPlacement)?),
    };
    Ok((NodeId(id), Node { address, disk, lost: ReplicaId(lost), drained }))
}

fn pb_group(id: GroupId, group: &Group) -> pb::Group {
    let Group { replicas, founders } = group;
    let replicas = replicas.iter().map(|replica| pb::Replica { id: replica.id.0, node: replica.node.0 });
    pb::Group { id: id.0, replicas: replicas.collect(), founders: *founders }
}

fn group_from(group: pb::Group) -> (GroupId, Group) {
    let pb::Group { id, replicas, founders } = group;
    let replicas =
        replicas.into_iter().map(|pb::Replica { id, node }| Replica { id: ReplicaId(id), node: NodeId(node) });
    (GroupId(id), Group { replicas: replicas.collect(), founders })
}

fn pb_job(id: JobId, job: &Job) -> pb::Job {
    let Job { kind, step, round, incoming } = job;
    pb::Job {
        id: id.0,
        step: u32::from(*step as u8),
        round: *round,
        incoming: incoming.map(|replica| replica.0),
        ..pb::Job::from(kind)
    }
}

fn job_from(job: pb::Job) -> Result<(JobId, Job), InvalidPlacement> {
    let step = JobStep::from_raw(job.step).ok_or(InvalidPlacement)?;
    let (id, round, incoming) = (JobId(job.id), job.round, job.incoming.map(ReplicaId));
    Ok((id, Job { kind: job.try_into()?, step, round, incoming }))
}

impl From<&JobKind> for pb::Job {
    fn from(kind: &JobKind) -> Self {
        let empty = Self::default();
        match kind {
            JobKind::MoveSlots { from, to } => Self { slots: Some(to.into()), group: from.0, ..empty },
            JobKind::MoveReplica { group, from, to } => {
                Self { group: group.0, replica: Some(from.0), node: Some(to.0), ..empty }
            }
            JobKind::MoveLeader { group, to } => Self { group: group.0, leader: Some(to.0), ..empty },
            JobKind::AddGroup { nodes } => {
                Self { add: Some(pb::AddGroup { nodes: nodes.iter().map(|node| node.0).collect() }), ..empty }
            }
            JobKind::ReplaceDisk { node, disk } => {
                Self { disk: Some(pb::Claim { node: node.0, disk: disk.as_bytes().to_vec() }), ..empty }
            }
            JobKind::Drain { node } => Self { drain: Some(node.0), ..empty },
        }
    }
}

impl TryFrom<pb::Job> for JobKind {
    type Error = format::Unreadable;

    fn try_from(job: pb::Job) -> Result<Self, format::Unreadable> {
        let pb::Job { id: _, step: _, round: _, incoming: _, slots, group, replica, node, leader, add, disk, drain } =
            job;
        let group = GroupId(group);
        match (slots, replica, node, leader, add, disk, drain) {
            (Some(range), None, None, None, None, None, None) => {
                Ok(Self::MoveSlots { from: group, to: SlotRange::try_from(range)? })
            }
            (None, Some(replica), Some(node), None, None, None, None) => {
                Ok(Self::MoveReplica { group, from: ReplicaId(replica), to: NodeId(node) })
            }
            (None, None, None, Some(leader), None, None, None) => Ok(Self::MoveLeader { group, to: NodeId(leader) }),
            (None, None, None, None, Some(pb::AddGroup { nodes }), None, None) => {
                Ok(Self::AddGroup { nodes: nodes.into_iter().map(NodeId).collect() })
            }
            (None, None, None, None, None, Some(pb::Claim { node, disk }), None) => {
                let disk = DiskId::try_from(&disk[..]).map_err(|_| format::Unreadable)?;
                Ok(Self::ReplaceDisk { node: NodeId(node), disk })
            }
            (None, None, None, None, None, None, Some(node)) => Ok(Self::Drain { node: NodeId(node) }),
            _ => Err(format::Unreadable),
        }
    }
}
