use renkei_ids::{DiskId, InvalidLength};
use renkei_placement::{InvalidPlacement, Placement};

use super::InvalidReplicaStatus;
use crate::Refusal;
use crate::admin::{FollowReply, FollowRequest, ReplicaStatus};
use crate::bounds::{InvalidSize, at_most};
use crate::convert::copied;
use crate::limits::ADMIN_MAX_REPLICAS;
use crate::pb::admin::v1 as pb;

/// A request that holds no placement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidFollowRequest {
    /// The stored form does not read.
    #[error("placement to follow")]
    Placement(#[from] InvalidPlacement),
}

/// A reply that no node gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidFollowReply {
    /// The disk.
    #[error("disk of a node")]
    Disk(#[from] InvalidLength),
    /// More replicas than a message takes.
    #[error("replicas of a node")]
    Size(#[source] InvalidSize),
    /// One of the replicas.
    #[error("replica of a node")]
    Replica(#[from] InvalidReplicaStatus),
}

impl TryFrom<pb::FollowRequest> for FollowRequest {
    type Error = InvalidFollowRequest;

    fn try_from(message: pb::FollowRequest) -> Result<Self, InvalidFollowRequest> {
        let pb::FollowRequest { placement } = message;
        Ok(Self { placement: Placement::decode(&placement)? })
    }
}

impl From<FollowRequest> for pb::FollowRequest {
    fn from(request: FollowRequest) -> Self {
        let FollowRequest { placement } = request;
        Self { placement: placement.encode() }
    }
}

impl TryFrom<pb::FollowReply> for FollowReply {
    type Error = InvalidFollowReply;

    fn try_from(message: pb::FollowReply) -> Result<Self, InvalidFollowReply> {
        let pb::FollowReply { stamp, disk, replicas } = message;
        at_most(replicas.len(), ADMIN_MAX_REPLICAS).map_err(InvalidFollowReply::Size)?;
        Ok(Self {
            stamp,
            disk: DiskId::try_from(&disk[..])?,
            replicas: replicas.into_iter().map(ReplicaStatus::try_from).collect::<Result<_, _>>()?,
        })
    }
}

impl From<FollowReply> for pb::FollowReply {
    fn from(reply: FollowReply) -> Self {
        let FollowReply { stamp, disk, replicas } = reply;
        Self { stamp, disk: copied(disk.as_bytes()), replicas: replicas.into_iter().map(Into::into).collect() }
    }
}

impl From<InvalidFollowRequest> for Refusal {
    fn from(invalid: InvalidFollowRequest) -> Self {
        match invalid {
            InvalidFollowRequest::Placement(_) => Self::invalid("placement"),
        }
    }
}
