use renkei_ids::SlotEpoch;

use super::node_at::{InvalidNodes, nodes};
use crate::Refusal;
use crate::admin::{BootstrapReply, BootstrapRequest};
use crate::bounds::{OutOfRange, u32_within};
use crate::limits::BOOTSTRAP_MAX_GROUPS;
use crate::pb::admin::v1 as pb;

/// A bootstrap that founds no cloud.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidBootstrapRequest {
    /// The nodes.
    #[error("nodes of a bootstrap")]
    Nodes(#[from] InvalidNodes),
    /// The number of groups.
    #[error("groups of a bootstrap")]
    Groups(#[source] OutOfRange),
    /// The number of replicas is not 1, 3 or 5.
    #[error("{0} replicas of a group are not 1, 3 or 5")]
    Replicas(u32),
    /// There are fewer nodes than replicas of a group.
    #[error("{replicas} replicas of a group need as many nodes, and there are {nodes}")]
    TooFewNodes {
        /// Replicas asked for.
        replicas: u32,
        /// Nodes named.
        nodes: usize,
    },
}

/// A reply that tells of no cloud.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidBootstrapReply {
    /// The epoch is missing or 0.
    #[error("epoch of the first slot map is 0")]
    SlotEpoch,
}

impl TryFrom<pb::BootstrapRequest> for BootstrapRequest {
    type Error = InvalidBootstrapRequest;

    fn try_from(message: pb::BootstrapRequest) -> Result<Self, InvalidBootstrapRequest> {
        let pb::BootstrapRequest { nodes: named, groups, replicas } = message;
        let nodes = nodes(named)?;
        let groups = u32_within(groups, 1, BOOTSTRAP_MAX_GROUPS).map_err(InvalidBootstrapRequest::Groups)?;
        if !matches!(replicas, 1 | 3 | 5) {
            return Err(InvalidBootstrapRequest::Replicas(replicas));
        }
        if usize::try_from(replicas).is_ok_and(|needed| needed > nodes.len()) {
            return Err(InvalidBootstrapRequest::TooFewNodes { replicas, nodes: nodes.len() });
        }
        Ok(Self { nodes, groups, replicas })
    }
}

impl From<BootstrapRequest> for pb::BootstrapRequest {
    fn from(request: BootstrapRequest) -> Self {
        let BootstrapRequest { nodes, groups, replicas } = request;
        Self { nodes: nodes.into_iter().map(Into::into).collect(), groups, replicas }
    }
}

impl TryFrom<pb::BootstrapReply> for BootstrapReply {
    type Error = InvalidBootstrapReply;

    fn try_from(message: pb::BootstrapReply) -> Result<Self, InvalidBootstrapReply> {
        let pb::BootstrapReply { slot_epoch } = message;
        if slot_epoch == 0 {
            return Err(InvalidBootstrapReply::SlotEpoch);
        }
        Ok(Self { slot_epoch: SlotEpoch(slot_epoch) })
    }
}

impl From<BootstrapReply> for pb::BootstrapReply {
    fn from(reply: BootstrapReply) -> Self {
        let BootstrapReply { slot_epoch } = reply;
        Self { slot_epoch: slot_epoch.0 }
    }
}

impl From<InvalidBootstrapRequest> for Refusal {
    fn from(invalid: InvalidBootstrapRequest) -> Self {
        match invalid {
            InvalidBootstrapRequest::Nodes(InvalidNodes::Size(size)) => size.refusal("nodes"),
            InvalidBootstrapRequest::Nodes(_) => Self::invalid("nodes"),
            InvalidBootstrapRequest::Groups(_) => Self::invalid("groups"),
            InvalidBootstrapRequest::Replicas(_) | InvalidBootstrapRequest::TooFewNodes { .. } => {
                Self::invalid("replicas")
            }
        }
    }
}
