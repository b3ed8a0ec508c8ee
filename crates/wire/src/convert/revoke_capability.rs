use renkei_ids::{CapabilityId, InvalidLength, UnixMillis};

use super::copied;
use crate::pb::node::v1 as pb;
use crate::{Refusal, RevokeCapability};

/// A `revoke` that cannot be served.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidRevokeCapability {
    /// The capability id.
    #[error("capability id of a revocation")]
    CapabilityId(#[source] InvalidLength),
    /// The end of the capability is missing.
    #[error("end of the revoked capability is missing")]
    Expires,
}

impl TryFrom<pb::RevokeCapability> for RevokeCapability {
    type Error = InvalidRevokeCapability;

    fn try_from(message: pb::RevokeCapability) -> Result<Self, InvalidRevokeCapability> {
        let pb::RevokeCapability { capability_id, expires_ms } = message;
        if expires_ms == 0 {
            return Err(InvalidRevokeCapability::Expires);
        }
        Ok(Self {
            capability: CapabilityId::try_from(&capability_id[..]).map_err(InvalidRevokeCapability::CapabilityId)?,
            expires: UnixMillis(expires_ms),
        })
    }
}

impl From<RevokeCapability> for pb::RevokeCapability {
    fn from(revoke: RevokeCapability) -> Self {
        let RevokeCapability { capability, expires } = revoke;
        Self { capability_id: copied(capability.as_bytes()), expires_ms: expires.0 }
    }
}

impl From<InvalidRevokeCapability> for Refusal {
    fn from(invalid: InvalidRevokeCapability) -> Self {
        Self::invalid(match invalid {
            InvalidRevokeCapability::CapabilityId(_) => "revoke.capability_id",
            InvalidRevokeCapability::Expires => "revoke.expires_ms",
        })
    }
}
