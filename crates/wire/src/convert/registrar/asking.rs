use std::time::Duration;

use bytes::Bytes;
use renkei_ids::RequestId;

use super::InvalidRegistrarMessage as Invalid;
use crate::convert::{copied, record, vault};
use crate::pb::registrar::v1 as pb;
use crate::registrar::Asking;

impl TryFrom<pb::Asking> for Asking {
    type Error = Invalid;

    fn try_from(message: pb::Asking) -> Result<Self, Invalid> {
        let pb::Asking { request_id, deadline_ms, actor } = message;
        let pb::Actor { id, role } = actor.ok_or(Invalid::Malformed("actor"))?;
        Ok(Self { request: request(&request_id)?, deadline: deadline(deadline_ms)?, actor: record::actor(id, role)? })
    }
}

impl From<Asking> for pb::Asking {
    fn from(asking: Asking) -> Self {
        let Asking { request, deadline, actor } = asking;
        Self {
            request_id: copied(request.as_bytes()),
            deadline_ms: vault::deadline_message(deadline),
            actor: Some(pb::Actor { id: actor.id, role: actor.role }),
        }
    }
}

pub(super) fn request(bytes: &Bytes) -> Result<RequestId, Invalid> {
    RequestId::try_from(&bytes[..]).map_err(|_| Invalid::Malformed("request_id"))
}

pub(super) fn deadline(millis: u32) -> Result<Duration, Invalid> {
    vault::deadline(millis).map_err(|source| Invalid::Range { field: "deadline_ms", source })
}

pub(super) fn required(message: Option<pb::Asking>) -> Result<Asking, Invalid> {
    message.ok_or(Invalid::Malformed("asking"))?.try_into()
}
