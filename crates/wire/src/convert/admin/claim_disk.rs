use renkei_ids::{DiskId, InvalidLength, NodeId};

use crate::Refusal;
use crate::admin::ClaimDiskRequest;
use crate::convert::copied;
use crate::pb::admin::v1 as pb;

/// A claim of no disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidClaimDiskRequest {
    /// The node is missing or 0.
    #[error("node of a disk is 0")]
    Node,
    /// The disk.
    #[error("disk of a node")]
    Disk(#[from] InvalidLength),
}

impl TryFrom<pb::ClaimDiskRequest> for ClaimDiskRequest {
    type Error = InvalidClaimDiskRequest;

    fn try_from(message: pb::ClaimDiskRequest) -> Result<Self, InvalidClaimDiskRequest> {
        let pb::ClaimDiskRequest { node, disk } = message;
        if node == 0 {
            return Err(InvalidClaimDiskRequest::Node);
        }
        Ok(Self { node: NodeId(node), disk: DiskId::try_from(&disk[..])? })
    }
}

impl From<ClaimDiskRequest> for pb::ClaimDiskRequest {
    fn from(request: ClaimDiskRequest) -> Self {
        let ClaimDiskRequest { node, disk } = request;
        Self { node: node.0, disk: copied(disk.as_bytes()) }
    }
}

impl From<InvalidClaimDiskRequest> for Refusal {
    fn from(invalid: InvalidClaimDiskRequest) -> Self {
        match invalid {
            InvalidClaimDiskRequest::Node => Self::invalid("node"),
            InvalidClaimDiskRequest::Disk(_) => Self::invalid("disk"),
        }
    }
}
