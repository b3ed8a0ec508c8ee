use renkei_access::STUB_MAX_BYTES;
use renkei_ids::{CapabilityId, InvalidLength};

use super::super::copied;
use crate::bounds::{InvalidSize, filled};
use crate::pb::vault::v1 as pb;
use crate::vault::SealedStub;

/// A stub that no row bears.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSealedStub {
    /// The capability's id.
    #[error("capability of a stub")]
    Capability(#[source] InvalidLength),
    /// The stub.
    #[error("sealed stub")]
    Stub(#[source] InvalidSize),
}

impl TryFrom<pb::SealedStub> for SealedStub {
    type Error = InvalidSealedStub;

    fn try_from(message: pb::SealedStub) -> Result<Self, InvalidSealedStub> {
        let pb::SealedStub { capability_id, stub } = message;
        Ok(Self {
            capability: CapabilityId::try_from(&capability_id[..]).map_err(InvalidSealedStub::Capability)?,
            stub: filled(stub, STUB_MAX_BYTES).map_err(InvalidSealedStub::Stub)?,
        })
    }
}

impl From<SealedStub> for pb::SealedStub {
    fn from(stub: SealedStub) -> Self {
        let SealedStub { capability, stub } = stub;
        Self { capability_id: copied(capability.as_bytes()), stub }
    }
}
