use renkei_envelope::{InvalidSecret, TicketKey};

use super::super::copied;
use crate::pb::registrar::v1 as pb;
use crate::registrar::RegistrarTicketKey;

/// A ticket key that no registrar gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("ticket key of a registrar")]
pub struct InvalidRegistrarTicketKey(#[from] InvalidSecret);

impl TryFrom<pb::TicketKeyReply> for RegistrarTicketKey {
    type Error = InvalidRegistrarTicketKey;

    fn try_from(message: pb::TicketKeyReply) -> Result<Self, InvalidRegistrarTicketKey> {
        let pb::TicketKeyReply { key } = message;
        Ok(Self(TicketKey::try_from(&key[..])?))
    }
}

impl From<RegistrarTicketKey> for pb::TicketKeyReply {
    fn from(RegistrarTicketKey(key): RegistrarTicketKey) -> Self {
        Self { key: copied(key.expose()) }
    }
}
