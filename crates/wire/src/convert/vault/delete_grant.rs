use renkei_access::SignedCapability;
use renkei_envelope::{InvalidSecret, StubKey, WriteTagKey};
use renkei_ids::{InvalidLength, Pid, UnixMillis};

use super::super::{InvalidSignedCapability, copied};
use crate::pb::vault::v1 as pb;
use crate::vault::DeleteGrant;

/// A grant of a delete that no vault gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidDeleteGrant {
    /// The pid.
    #[error("pid of a delete's grant")]
    Pid(#[from] InvalidLength),
    /// There is no capability.
    #[error("capability of a delete's grant is missing")]
    NoCapability,
    /// The capability.
    #[error("capability of a delete's grant")]
    Capability(#[source] InvalidSignedCapability),
    /// One of the keys.
    #[error("key of a delete's grant")]
    Key(#[from] InvalidSecret),
}

impl TryFrom<pb::DeleteGrant> for DeleteGrant {
    type Error = InvalidDeleteGrant;

    fn try_from(message: pb::DeleteGrant) -> Result<Self, InvalidDeleteGrant> {
        let pb::DeleteGrant { pid, capability, write_tag_key, stub_key, expires_ms } = message;
        let capability = capability.ok_or(InvalidDeleteGrant::NoCapability)?;
        Ok(Self {
            pid: Pid::try_from(&pid[..])?,
            capability: SignedCapability::try_from(capability).map_err(InvalidDeleteGrant::Capability)?,
            write_tag_key: WriteTagKey::try_from(&write_tag_key[..])?,
            stub_key: StubKey::try_from(&stub_key[..])?,
            expires: UnixMillis(expires_ms),
        })
    }
}

impl From<DeleteGrant> for pb::DeleteGrant {
    fn from(grant: DeleteGrant) -> Self {
        let DeleteGrant { pid, capability, write_tag_key, stub_key, expires } = grant;
        Self {
            pid: copied(pid.as_bytes()),
            capability: Some(capability.into()),
            write_tag_key: copied(write_tag_key.expose()),
            stub_key: copied(stub_key.expose()),
            expires_ms: expires.0,
        }
    }
}
