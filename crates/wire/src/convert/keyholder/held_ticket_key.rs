use renkei_envelope::{InvalidSecret, TicketKey};
use renkei_ids::KeyholderId;

use super::super::copied;
use crate::keyholder::HeldTicketKey;
use crate::pb::keyholder::v1 as pb;

/// A ticket key that no key holder gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidHeldTicketKey {
    /// Numbers of key holders begin with 1.
    #[error("number of a key holder")]
    Holder,
    /// The key.
    #[error("ticket key")]
    Key(#[from] InvalidSecret),
}

impl TryFrom<pb::TicketKeyReply> for HeldTicketKey {
    type Error = InvalidHeldTicketKey;

    fn try_from(message: pb::TicketKeyReply) -> Result<Self, InvalidHeldTicketKey> {
        let pb::TicketKeyReply { holder, key } = message;
        if holder == 0 {
            return Err(InvalidHeldTicketKey::Holder);
        }
        Ok(Self { holder: KeyholderId(holder), key: TicketKey::try_from(&key[..])? })
    }
}

impl From<HeldTicketKey> for pb::TicketKeyReply {
    fn from(held: HeldTicketKey) -> Self {
        let HeldTicketKey { holder, key } = held;
        Self { holder: holder.0, key: copied(key.expose()) }
    }
}
