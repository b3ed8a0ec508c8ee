use renkei_access::{CAPABILITY_MAX_BYTES, SignedCapability};

use super::copied;
use crate::bounds::{InvalidSize, filled};
use crate::pb::node::v1 as pb;
use crate::{ErrorCode, Refusal};

/// A signed capability that cannot be one. Whether its signature holds is not judged here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSignedCapability {
    /// The body.
    #[error("body of the capability")]
    Body(#[source] InvalidSize),
    /// The signature does not have 64 bytes.
    #[error("signature of the capability takes 64 bytes, got {0}")]
    Signature(usize),
}

impl TryFrom<pb::SignedCapability> for SignedCapability {
    type Error = InvalidSignedCapability;

    fn try_from(message: pb::SignedCapability) -> Result<Self, InvalidSignedCapability> {
        let pb::SignedCapability { body, signature } = message;
        Ok(Self {
            body: filled(body, CAPABILITY_MAX_BYTES).map_err(InvalidSignedCapability::Body)?,
            signature: signature[..].try_into().map_err(|_| InvalidSignedCapability::Signature(signature.len()))?,
        })
    }
}

impl From<SignedCapability> for pb::SignedCapability {
    fn from(capability: SignedCapability) -> Self {
        let SignedCapability { body, signature } = capability;
        Self { body, signature: copied(&signature) }
    }
}

impl From<InvalidSignedCapability> for Refusal {
    fn from(_: InvalidSignedCapability) -> Self {
        Self::new(ErrorCode::CapabilityInvalid)
    }
}
