use renkei_access::SignedCapability;
use renkei_envelope::{InvalidSecret, RecordKey, ReferenceKey, StubKey, WriteTagKey};
use renkei_ids::{BindingTag, ClassTag, InvalidLength, Pid, RecordId, RecordVersion, UnixMillis};

use super::super::{InvalidSignedCapability, copied};
use crate::pb::vault::v1 as pb;
use crate::vault::PutGrant;

/// A grant of a put that no vault gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPutGrant {
    /// An id or a tag.
    #[error("id or tag of a put's grant")]
    Length(#[from] InvalidLength),
    /// The version is missing or 0.
    #[error("version of a put's grant is 0")]
    Version,
    /// There is no capability.
    #[error("capability of a put's grant is missing")]
    NoCapability,
    /// The capability.
    #[error("capability of a put's grant")]
    Capability(#[source] InvalidSignedCapability),
    /// One of the keys.
    #[error("key of a put's grant")]
    Key(#[from] InvalidSecret),
}

impl TryFrom<pb::PutGrant> for PutGrant {
    type Error = InvalidPutGrant;

    fn try_from(message: pb::PutGrant) -> Result<Self, InvalidPutGrant> {
        let pb::PutGrant {
            pid,
            record_id,
            version,
            capability,
            summary_class,
            document_class,
            binding_tag,
            summary_key,
            document_key,
            write_tag_key,
            stub_key,
            reference_key,
            expires_ms,
        } = message;
        let capability = capability.ok_or(InvalidPutGrant::NoCapability)?;
        Ok(Self {
            pid: Pid::try_from(&pid[..])?,
            record: RecordId::try_from(&record_id[..])?,
            version: RecordVersion::new(version).ok_or(InvalidPutGrant::Version)?,
            capability: SignedCapability::try_from(capability).map_err(InvalidPutGrant::Capability)?,
            summary_class: ClassTag::try_from(&summary_class[..])?,
            document_class: ClassTag::try_from(&document_class[..])?,
            binding: BindingTag::try_from(&binding_tag[..])?,
            summary_key: RecordKey::try_from(&summary_key[..])?,
            document_key: RecordKey::try_from(&document_key[..])?,
            write_tag_key: WriteTagKey::try_from(&write_tag_key[..])?,
            stub_key: StubKey::try_from(&stub_key[..])?,
            reference_key: ReferenceKey::try_from(&reference_key[..])?,
            expires: UnixMillis(expires_ms),
        })
    }
}

impl From<PutGrant> for pb::PutGrant {
    fn from(grant: PutGrant) -> Self {
        let PutGrant {
            pid,
            record,
            version,
            capability,
            summary_class,
            document_class,
            binding,
            summary_key,
            document_key,
            write_tag_key,
            stub_key,
            reference_key,
            expires,
        } = grant;
        Self {
            pid: copied(pid.as_bytes()),
            record_id: copied(record.as_bytes()),
            version: version.get(),
            capability: Some(capability.into()),
            summary_class: copied(summary_class.as_bytes()),
            document_class: copied(document_class.as_bytes()),
            binding_tag: copied(binding.as_bytes()),
            summary_key: copied(summary_key.expose()),
            document_key: copied(document_key.expose()),
            write_tag_key: copied(write_tag_key.expose()),
            stub_key: copied(stub_key.expose()),
            reference_key: copied(reference_key.expose()),
            expires_ms: expires.0,
        }
    }
}
