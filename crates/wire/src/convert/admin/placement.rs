use renkei_ids::SlotEpoch;
use renkei_placement::{InvalidPlacement, Placement};

use crate::admin::{PlacementReply, PlacementRequest};
use crate::pb::admin::v1 as pb;

/// A reply that holds no placement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPlacementReply {
    /// The stored form does not read.
    #[error("placement of a reply")]
    Placement(#[from] InvalidPlacement),
}

// Every pair of numbers is a place in the history of a placement, so there is nothing to refuse.
impl From<pb::PlacementRequest> for PlacementRequest {
    fn from(message: pb::PlacementRequest) -> Self {
        let pb::PlacementRequest { stamp, epoch } = message;
        Self { stamp, epoch: SlotEpoch(epoch) }
    }
}

impl From<PlacementRequest> for pb::PlacementRequest {
    fn from(request: PlacementRequest) -> Self {
        let PlacementRequest { stamp, epoch } = request;
        Self { stamp, epoch: epoch.0 }
    }
}

impl TryFrom<pb::PlacementReply> for PlacementReply {
    type Error = InvalidPlacementReply;

    fn try_from(message: pb::PlacementReply) -> Result<Self, InvalidPlacementReply> {
        let pb::PlacementReply { placement } = message;
        let placement = if placement.is_empty() { None } else { Some(Placement::decode(&placement)?) };
        Ok(Self { placement })
    }
}

impl From<PlacementReply> for pb::PlacementReply {
    fn from(reply: PlacementReply) -> Self {
        let PlacementReply { placement } = reply;
        Self { placement: placement.map(|placement| placement.encode()).unwrap_or_default() }
    }
}
