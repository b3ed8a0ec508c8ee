use renkei_ids::{GroupId, ReplicaId};

use crate::Refusal;
use crate::admin::TransferLeaderRequest;
use crate::pb::admin::v1 as pb;

/// A leadership that goes to nobody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidTransferLeaderRequest {
    /// The replica is missing or 0.
    #[error("replica that is to lead is 0")]
    To,
}

impl TryFrom<pb::TransferLeaderRequest> for TransferLeaderRequest {
    type Error = InvalidTransferLeaderRequest;

    fn try_from(message: pb::TransferLeaderRequest) -> Result<Self, InvalidTransferLeaderRequest> {
        let pb::TransferLeaderRequest { group, stamp, to } = message;
        if to == 0 {
            return Err(InvalidTransferLeaderRequest::To);
        }
        Ok(Self { group: GroupId(group), stamp, to: ReplicaId(to) })
    }
}

impl From<TransferLeaderRequest> for pb::TransferLeaderRequest {
    fn from(request: TransferLeaderRequest) -> Self {
        let TransferLeaderRequest { group, stamp, to } = request;
        Self { group: group.0, stamp, to: to.0 }
    }
}

impl From<InvalidTransferLeaderRequest> for Refusal {
    fn from(invalid: InvalidTransferLeaderRequest) -> Self {
        match invalid {
            InvalidTransferLeaderRequest::To => Self::invalid("to"),
        }
    }
}
