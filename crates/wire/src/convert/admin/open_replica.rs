use renkei_ids::{GroupId, ReplicaId};

use super::node_at::{InvalidNodes, nodes};
use crate::Refusal;
use crate::admin::OpenReplicaRequest;
use crate::pb::admin::v1 as pb;

/// A replica that cannot be opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidOpenReplicaRequest {
    /// The replica is missing or 0.
    #[error("replica to be opened is 0")]
    Replica,
    /// The nodes.
    #[error("nodes of a replica to be opened")]
    Nodes(#[from] InvalidNodes),
}

impl TryFrom<pb::OpenReplicaRequest> for OpenReplicaRequest {
    type Error = InvalidOpenReplicaRequest;

    fn try_from(message: pb::OpenReplicaRequest) -> Result<Self, InvalidOpenReplicaRequest> {
        let pb::OpenReplicaRequest { group, replica, nodes: named } = message;
        if replica == 0 {
            return Err(InvalidOpenReplicaRequest::Replica);
        }
        Ok(Self { group: GroupId(group), replica: ReplicaId(replica), nodes: nodes(named)? })
    }
}

impl From<OpenReplicaRequest> for pb::OpenReplicaRequest {
    fn from(request: OpenReplicaRequest) -> Self {
        let OpenReplicaRequest { group, replica, nodes } = request;
        Self { group: group.0, replica: replica.0, nodes: nodes.into_iter().map(Into::into).collect() }
    }
}

impl From<InvalidOpenReplicaRequest> for Refusal {
    fn from(invalid: InvalidOpenReplicaRequest) -> Self {
        match invalid {
            InvalidOpenReplicaRequest::Replica => Self::invalid("replica"),
            InvalidOpenReplicaRequest::Nodes(InvalidNodes::Size(size)) => size.refusal("nodes"),
            InvalidOpenReplicaRequest::Nodes(_) => Self::invalid("nodes"),
        }
    }
}
