use renkei_access::SignedActor;

use super::InvalidRecordMessage as Invalid;
use crate::bounds::{InvalidSize, at_most};
use crate::limits::{ACTOR_ID_MAX_BYTES, ACTOR_ROLE_MAX_BYTES, SIGNED_ACTOR_MAX_BYTES};
use crate::pb::record::v1 as pb;
use crate::record::{Acting, Actor};

impl TryFrom<pb::Actor> for Acting {
    type Error = Invalid;

    fn try_from(message: pb::Actor) -> Result<Self, Invalid> {
        let pb::Actor { id, role, signed } = message;
        if signed.is_empty() {
            return actor(id, role).map(Self::Believed);
        }
        if !(id.is_empty() && role.is_empty()) {
            return Err(Invalid::Malformed("actor"));
        }
        at_most(signed.len(), SIGNED_ACTOR_MAX_BYTES).map_err(Invalid::size("actor.signed"))?;
        Ok(Self::Signed(SignedActor::from_bytes(signed)))
    }
}

/// Who acts, in the institution's words.
pub(in crate::convert) fn actor(id: String, role: String) -> Result<Actor, Invalid> {
    filled(&id, ACTOR_ID_MAX_BYTES).map_err(Invalid::size("actor.id"))?;
    filled(&role, ACTOR_ROLE_MAX_BYTES).map_err(Invalid::size("actor.role"))?;
    Ok(Actor { id, role })
}

fn filled(text: &str, limit: usize) -> Result<(), InvalidSize> {
    if text.is_empty() { Err(InvalidSize::Empty) } else { at_most(text.len(), limit) }
}

pub(super) fn required(message: Option<pb::Actor>) -> Result<Acting, Invalid> {
    message.ok_or(Invalid::Malformed("actor"))?.try_into()
}

impl From<Acting> for pb::Actor {
    fn from(acting: Acting) -> Self {
        match acting {
            Acting::Believed(Actor { id, role }) => Self { id, role, ..Self::default() },
            Acting::Signed(signed) => Self { signed: signed.as_bytes().clone(), ..Self::default() },
        }
    }
}
