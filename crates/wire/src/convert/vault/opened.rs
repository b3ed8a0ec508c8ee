use renkei_access::SignedCapability;
use renkei_envelope::{Class, InvalidSecret, ReferenceKey, StubKey};
use renkei_ids::{BindingTag, InstTag, InvalidLength, Pid, UnixMillis};

use super::super::{InvalidSignedCapability, copied};
use super::InvalidClassGrant;
use super::batch::count;
use crate::bounds::{InvalidSize, filled};
use crate::limits::OPENING_MAX_BYTES;
use crate::pb::vault::v1 as pb;
use crate::vault::{ClassGrant, Opened};

/// An opened patient that no vault answers with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidOpened {
    /// The pid.
    #[error("pid of an opening")]
    Pid(#[source] InvalidLength),
    /// There is no capability.
    #[error("capability of an opening is missing")]
    NoCapability,
    /// The capability.
    #[error("capability of an opening")]
    Capability(#[source] InvalidSignedCapability),
    /// No classes, or more than there are.
    #[error("classes of an opening")]
    Classes(#[source] InvalidSize),
    /// One of the classes.
    #[error("class of an opening")]
    Class(#[from] InvalidClassGrant),
    /// The tag of the institution.
    #[error("institution tag of an opening")]
    Institution(#[source] InvalidLength),
    /// The tag of the binding.
    #[error("binding tag of an opening")]
    Binding(#[source] InvalidLength),
    /// The stub key.
    #[error("stub key of an opening")]
    StubKey(#[source] InvalidSecret),
    /// The reference key.
    #[error("reference key of an opening")]
    ReferenceKey(#[source] InvalidSecret),
    /// What the vault sealed.
    #[error("sealed opening")]
    Opening(#[source] InvalidSize),
}

impl TryFrom<pb::Opened> for Opened {
    type Error = InvalidOpened;

    fn try_from(message: pb::Opened) -> Result<Self, InvalidOpened> {
        let pb::Opened {
            pid,
            capability,
            classes,
            institution_tag,
            binding_tag,
            stub_key,
            reference_key,
            opening,
            expires_ms,
        } = message;
        count(classes.len(), Class::COUNT).map_err(InvalidOpened::Classes)?;
        let capability = capability.ok_or(InvalidOpened::NoCapability)?;
        Ok(Self {
            pid: Pid::try_from(&pid[..]).map_err(InvalidOpened::Pid)?,
            capability: SignedCapability::try_from(capability).map_err(InvalidOpened::Capability)?,
            classes: classes.into_iter().map(ClassGrant::try_from).collect::<Result<_, _>>()?,
            institution: InstTag::try_from(&institution_tag[..]).map_err(InvalidOpened::Institution)?,
            binding: BindingTag::try_from(&binding_tag[..]).map_err(InvalidOpened::Binding)?,
            stub_key: StubKey::try_from(&stub_key[..]).map_err(InvalidOpened::StubKey)?,
            reference_key: ReferenceKey::try_from(&reference_key[..]).map_err(InvalidOpened::ReferenceKey)?,
            opening: filled(opening, OPENING_MAX_BYTES).map_err(InvalidOpened::Opening)?,
            expires: UnixMillis(expires_ms),
        })
    }
}

impl From<Opened> for pb::Opened {
    fn from(opened: Opened) -> Self {
        let Opened { pid, capability, classes, institution, binding, stub_key, reference_key, opening, expires } =
            opened;
        Self {
            pid: copied(pid.as_bytes()),
            capability: Some(capability.into()),
            classes: classes.into_iter().map(Into::into).collect(),
            institution_tag: copied(institution.as_bytes()),
            binding_tag: copied(binding.as_bytes()),
            stub_key: copied(stub_key.expose()),
            reference_key: copied(reference_key.expose()),
            opening,
            expires_ms: expires.0,
        }
    }
}
