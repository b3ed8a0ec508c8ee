use renkei_ids::{DiskId, GroupId, InvalidLength, NodeId, ReplicaId, Slot};
use renkei_placement::{Job, JobId, JobKind, JobStep, SlotRange};

use crate::bounds::{InvalidSize, at_most};
use crate::convert::copied;
use crate::limits::ADMIN_MAX_NODES;
use crate::pb::admin::v1 as pb;

/// A job that nobody could carry out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidJob {
    /// Its number is missing or 0.
    #[error("number of a job is 0")]
    Id,
    /// Its step is none.
    #[error("{0} is no step of a job")]
    Step(i32),
    /// It says not what it does.
    #[error("kind of a job is missing")]
    Kind,
    /// It names a slot past the last, or a range that ends before it begins.
    #[error("slots of a job")]
    Slots,
    /// It names a node or a replica 0.
    #[error("a node or replica of a job is 0")]
    Zero,
    /// It names no nodes, or too many.
    #[error("nodes of a job")]
    Nodes(#[source] InvalidSize),
    /// The disk.
    #[error("disk of a job")]
    Disk(#[from] InvalidLength),
}

pub(super) fn nonzero(node: u32) -> Result<NodeId, InvalidJob> {
    if node == 0 { Err(InvalidJob::Zero) } else { Ok(NodeId(node)) }
}

pub(super) fn slots_from(message: pb::MoveSlots) -> Result<(GroupId, SlotRange), InvalidJob> {
    let pb::MoveSlots { from, to, first, last } = message;
    let slot = |raw| Slot::try_from(raw).map_err(|_| InvalidJob::Slots);
    let range = SlotRange { first: slot(first)?, last: slot(last)?, group: GroupId(to) };
    if range.last < range.first || to == 0 {
        return Err(InvalidJob::Slots);
    }
    Ok((GroupId(from), range))
}

pub(super) fn slots_message(from: GroupId, to: &SlotRange) -> pb::MoveSlots {
    let (first, last) = (u32::from(to.first.get()), u32::from(to.last.get()));
    pb::MoveSlots { from: from.0, to: to.group.0, first, last }
}

pub(super) fn job_from(message: pb::Job) -> Result<(JobId, Job), InvalidJob> {
    let pb::Job { id, step, round, kind } = message;
    if id == 0 {
        return Err(InvalidJob::Id);
    }
    let step = step_from(step)?;
    let kind = match kind.ok_or(InvalidJob::Kind)? {
        pb::job::Kind::Slots(slots) => {
            let (from, to) = slots_from(slots)?;
            JobKind::MoveSlots { from, to }
        }
        pb::job::Kind::Replica(pb::ReplicaJob { from: 0, .. }) => return Err(InvalidJob::Zero),
        pb::job::Kind::Replica(pb::ReplicaJob { group, from, to }) => {
            JobKind::MoveReplica { group: GroupId(group), from: ReplicaId(from), to: nonzero(to)? }
        }
        pb::job::Kind::Leader(pb::MoveLeader { group, to }) => {
            JobKind::MoveLeader { group: GroupId(group), to: nonzero(to)? }
        }
        pb::job::Kind::Group(pb::GroupJob { nodes }) => {
            if nodes.is_empty() {
                return Err(InvalidJob::Nodes(InvalidSize::Empty));
            }
            at_most(nodes.len(), ADMIN_MAX_NODES).map_err(InvalidJob::Nodes)?;
            JobKind::AddGroup { nodes: nodes.into_iter().map(nonzero).collect::<Result<_, _>>()? }
        }
        pb::job::Kind::Disk(pb::DiskJob { node, disk }) => {
            JobKind::ReplaceDisk { node: nonzero(node)?, disk: DiskId::try_from(&disk[..])? }
        }
        pb::job::Kind::Drain(pb::DrainNode { node }) => JobKind::Drain { node: nonzero(node)? },
    };
    // Which replica comes is the placement's own business.
    Ok((JobId(id), Job { kind, step, round, incoming: None }))
}

pub(super) fn job_message((id, job): (JobId, Job)) -> pb::Job {
    let Job { kind, step, round, incoming: _ } = job;
    let kind = match kind {
        JobKind::MoveSlots { from, to } => pb::job::Kind::Slots(slots_message(from, &to)),
        JobKind::MoveReplica { group, from, to } => {
            pb::job::Kind::Replica(pb::ReplicaJob { group: group.0, from: from.0, to: to.0 })
        }
        JobKind::MoveLeader { group, to } => pb::job::Kind::Leader(pb::MoveLeader { group: group.0, to: to.0 }),
        JobKind::AddGroup { nodes } => {
            pb::job::Kind::Group(pb::GroupJob { nodes: nodes.into_iter().map(|node| node.0).collect() })
        }
        JobKind::ReplaceDisk { node, disk } => {
            pb::job::Kind::Disk(pb::DiskJob { node: node.0, disk: copied(disk.as_bytes()) })
        }
        JobKind::Drain { node } => pb::job::Kind::Drain(pb::DrainNode { node: node.0 }),
    };
    pb::Job { id: id.0, step: step_message(step), round, kind: Some(kind) }
}

fn step_from(raw: i32) -> Result<JobStep, InvalidJob> {
    match pb::JobStep::try_from(raw) {
        Ok(pb::JobStep::Queued) => Ok(JobStep::Queued),
        Ok(pb::JobStep::PreCopy) => Ok(JobStep::PreCopy),
        Ok(pb::JobStep::Freeze) => Ok(JobStep::Freeze),
        Ok(pb::JobStep::Delta) => Ok(JobStep::Delta),
        Ok(pb::JobStep::Activate) => Ok(JobStep::Activate),
        Ok(pb::JobStep::Purge) => Ok(JobStep::Purge),
        Ok(pb::JobStep::Done) => Ok(JobStep::Done),
        Ok(pb::JobStep::Abandoned) => Ok(JobStep::Abandoned),
        Ok(pb::JobStep::Undo) => Ok(JobStep::Undo),
        Ok(pb::JobStep::Unspecified) | Err(_) => Err(InvalidJob::Step(raw)),
    }
}

fn step_message(step: JobStep) -> i32 {
    let message = match step {
        JobStep::Queued => pb::JobStep::Queued,
        JobStep::PreCopy => pb::JobStep::PreCopy,
        JobStep::Freeze => pb::JobStep::Freeze,
        JobStep::Delta => pb::JobStep::Delta,
        JobStep::Activate => pb::JobStep::Activate,
        JobStep::Purge => pb::JobStep::Purge,
        JobStep::Done => pb::JobStep::Done,
        JobStep::Abandoned => pb::JobStep::Abandoned,
        JobStep::Undo => pb::JobStep::Undo,
    };
    message.into()
}
