//! The protobuf form of an actor, which nothing else names.

use bytes::Bytes;
use renkei_ids::{CloudId, InstitutionId, UnixMinute};

use super::{InvalidActor, LicensedRole, Login};

#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(super) struct Actor {
    #[prost(bytes = "bytes", tag = "1")]
    audience: Bytes,
    #[prost(bytes = "bytes", tag = "2")]
    institution: Bytes,
    #[prost(string, tag = "3")]
    name: String,
    #[prost(uint32, tag = "4")]
    pub(super) role: u32,
    #[prost(uint32, tag = "5")]
    pub(super) login: u32,
    #[prost(bytes = "bytes", tag = "6")]
    session: Bytes,
    #[prost(bytes = "bytes", optional, tag = "7")]
    response_key: Option<Bytes>,
    #[prost(uint32, tag = "8")]
    issued: u32,
    #[prost(uint32, tag = "9")]
    expires: u32,
}

impl From<&super::Actor> for Actor {
    fn from(actor: &super::Actor) -> Self {
        let super::Actor { audience, institution, name, role, login, session, response_key, issued, expires } = actor;
        let copied = Bytes::copy_from_slice;
        Self {
            audience: copied(audience.as_bytes()),
            institution: copied(institution.as_bytes()),
            name: name.clone(),
            role: u32::from(*role as u8),
            login: u32::from(*login as u8),
            session: copied(session),
            response_key: response_key.as_ref().map(|key| copied(key)),
            issued: issued.0,
            expires: expires.0,
        }
    }
}

impl TryFrom<Actor> for super::Actor {
    type Error = InvalidActor;

    fn try_from(actor: Actor) -> Result<Self, InvalidActor> {
        let Actor { audience, institution, name, role, login, session, response_key, issued, expires } = actor;
        let missing = |name| InvalidActor::Malformed(name);
        let response_key = response_key.map(|key| key[..].try_into().map_err(|_| missing("response key")));
        Ok(Self {
            audience: CloudId::try_from(&audience[..]).map_err(|_| missing("audience"))?,
            institution: InstitutionId::try_from(&institution[..]).map_err(|_| missing("institution"))?,
            name,
            role: LicensedRole::from_raw(role).ok_or(missing("role"))?,
            login: Login::from_raw(login).ok_or(missing("login"))?,
            session: session[..].try_into().map_err(|_| missing("session"))?,
            response_key: response_key.transpose()?,
            issued: UnixMinute(issued),
            expires: UnixMinute(expires),
        })
    }
}
