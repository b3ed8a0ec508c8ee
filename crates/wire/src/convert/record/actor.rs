use super::InvalidRecordMessage as Invalid;
use crate::bounds::{InvalidSize, at_most};
use crate::limits::{ACTOR_ID_MAX_BYTES, ACTOR_ROLE_MAX_BYTES};
use crate::pb::record::v1 as pb;
use crate::record::Actor;

impl TryFrom<pb::Actor> for Actor {
    type Error = Invalid;

    fn try_from(message: pb::Actor) -> Result<Self, Invalid> {
        let pb::Actor { id, role } = message;
        filled(&id, ACTOR_ID_MAX_BYTES).map_err(Invalid::size("actor.id"))?;
        filled(&role, ACTOR_ROLE_MAX_BYTES).map_err(Invalid::size("actor.role"))?;
        Ok(Self { id, role })
    }
}

fn filled(text: &str, limit: usize) -> Result<(), InvalidSize> {
    if text.is_empty() { Err(InvalidSize::Empty) } else { at_most(text.len(), limit) }
}

pub(super) fn required(message: Option<pb::Actor>) -> Result<Actor, Invalid> {
    message.ok_or(Invalid::Malformed("actor"))?.try_into()
}

impl From<Actor> for pb::Actor {
    fn from(actor: Actor) -> Self {
        let Actor { id, role } = actor;
        Self { id, role }
    }
}
