use renkei_ids::GroupId;
use renkei_placement::JobId;

use super::InvalidNodeAt;
use super::job::{InvalidJob, nonzero, slots_from, slots_message};
use crate::Refusal;
use crate::admin::{AddNodeRequest, NodeAt, SubmitReply, SubmitRequest};
use crate::bounds::{OutOfRange, u32_within};
use crate::limits::BOOTSTRAP_MAX_GROUPS;
use crate::pb::admin::v1 as pb;

/// A node that cannot be added.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidAddNodeRequest {
    /// It is missing.
    #[error("node to be added is missing")]
    Missing,
    /// It does not read.
    #[error("node to be added")]
    Node(#[from] InvalidNodeAt),
}

/// A plan that nobody can make.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSubmitRequest {
    /// It says not what is wanted.
    #[error("plan is missing")]
    Missing,
    /// It names a node 0, or slots that are none.
    #[error("what the plan is about")]
    Subject(#[from] InvalidJob),
    /// The number of groups.
    #[error("groups to grow to")]
    Groups(#[source] OutOfRange),
}

/// A reply that tells of no plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSubmitReply {
    /// There are jobs and no first one, or the other way round.
    #[error("a plan of {0} jobs and its first one contradict each other")]
    Jobs(u32),
}

impl TryFrom<pb::AddNodeRequest> for AddNodeRequest {
    type Error = InvalidAddNodeRequest;

    fn try_from(message: pb::AddNodeRequest) -> Result<Self, InvalidAddNodeRequest> {
        let pb::AddNodeRequest { node } = message;
        Ok(Self { node: NodeAt::try_from(node.ok_or(InvalidAddNodeRequest::Missing)?)? })
    }
}

impl From<AddNodeRequest> for pb::AddNodeRequest {
    fn from(request: AddNodeRequest) -> Self {
        let AddNodeRequest { node } = request;
        Self { node: Some(node.into()) }
    }
}

impl TryFrom<pb::SubmitRequest> for SubmitRequest {
    type Error = InvalidSubmitRequest;

    fn try_from(message: pb::SubmitRequest) -> Result<Self, InvalidSubmitRequest> {
        use pb::submit_request::Plan;
        let pb::SubmitRequest { plan } = message;
        Ok(match plan.ok_or(InvalidSubmitRequest::Missing)? {
            Plan::MoveReplica(pb::MoveReplica { group, from, to }) => {
                Self::MoveReplica { group: GroupId(group), from: nonzero(from)?, to: nonzero(to)? }
            }
            Plan::MoveLeader(pb::MoveLeader { group, to }) => {
                Self::MoveLeader { group: GroupId(group), to: nonzero(to)? }
            }
            Plan::Drain(pb::DrainNode { node }) => Self::Drain { node: nonzero(node)? },
            Plan::Replace(pb::ReplaceNode { node, by }) => {
                Self::Replace { node: nonzero(node)?, by: by.map(nonzero).transpose()? }
            }
            Plan::Rebalance(pb::Rebalance {}) => Self::Rebalance,
            Plan::Grow(pb::Grow { groups }) => Self::Grow {
                groups: u32_within(groups, 1, BOOTSTRAP_MAX_GROUPS).map_err(InvalidSubmitRequest::Groups)?,
            },
            Plan::MoveSlots(slots) => {
                let (from, to) = slots_from(slots)?;
                Self::MoveSlots { from, to }
            }
        })
    }
}

impl From<SubmitRequest> for pb::SubmitRequest {
    fn from(request: SubmitRequest) -> Self {
        use pb::submit_request::Plan;
        let plan = match request {
            SubmitRequest::MoveReplica { group, from, to } => {
                Plan::MoveReplica(pb::MoveReplica { group: group.0, from: from.0, to: to.0 })
            }
            SubmitRequest::MoveLeader { group, to } => Plan::MoveLeader(pb::MoveLeader { group: group.0, to: to.0 }),
            SubmitRequest::Drain { node } => Plan::Drain(pb::DrainNode { node: node.0 }),
            SubmitRequest::Replace { node, by } => {
                Plan::Replace(pb::ReplaceNode { node: node.0, by: by.map(|by| by.0) })
            }
            SubmitRequest::Rebalance => Plan::Rebalance(pb::Rebalance {}),
            SubmitRequest::Grow { groups } => Plan::Grow(pb::Grow { groups }),
            SubmitRequest::MoveSlots { from, to } => Plan::MoveSlots(slots_message(from, &to)),
        };
        Self { plan: Some(plan) }
    }
}

impl TryFrom<pb::SubmitReply> for SubmitReply {
    type Error = InvalidSubmitReply;

    fn try_from(message: pb::SubmitReply) -> Result<Self, InvalidSubmitReply> {
        let pb::SubmitReply { first, jobs } = message;
        if (first == 0) != (jobs == 0) {
            return Err(InvalidSubmitReply::Jobs(jobs));
        }
        Ok(Self { first: (first > 0).then_some(JobId(first)), jobs })
    }
}

impl From<SubmitReply> for pb::SubmitReply {
    fn from(reply: SubmitReply) -> Self {
        let SubmitReply { first, jobs } = reply;
        Self { first: first.map_or(0, |first| first.0), jobs }
    }
}

impl From<InvalidAddNodeRequest> for Refusal {
    fn from(invalid: InvalidAddNodeRequest) -> Self {
        match invalid {
            InvalidAddNodeRequest::Missing | InvalidAddNodeRequest::Node(_) => Self::invalid("node"),
        }
    }
}

impl From<InvalidSubmitRequest> for Refusal {
    fn from(invalid: InvalidSubmitRequest) -> Self {
        match invalid {
            InvalidSubmitRequest::Missing | InvalidSubmitRequest::Subject(_) => Self::invalid("plan"),
            InvalidSubmitRequest::Groups(_) => Self::invalid("groups"),
        }
    }
}
