use std::time::Duration;

use renkei_access::SignedCapability;
use renkei_ids::{InvalidLength, RequestId, SlotEpoch};

use super::{
    InvalidDeleteRecord, InvalidGetRecord, InvalidListAudit, InvalidPutRecord, InvalidReadTimeline,
    InvalidRevokeCapability, InvalidSetRules, InvalidSignedCapability, copied,
};
use crate::bounds::{InvalidSize, filled};
use crate::limits::{ACTOR_MAX_BYTES, DEADLINE_MAX, DEADLINE_MIN};
use crate::pb::node::v1 as pb;
use crate::{NodeRequest, Operation, Refusal};

/// A request that cannot be served.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidRequest {
    /// The request id.
    #[error("id of the request")]
    RequestId(#[source] InvalidLength),
    /// The deadline is missing, or longer than a node waits.
    #[error("deadline of {0} ms")]
    Deadline(u32),
    /// There is no capability.
    #[error("capability is missing")]
    NoCapability,
    /// The capability.
    #[error("capability of the request")]
    Capability(#[source] InvalidSignedCapability),
    /// The sealed actor.
    #[error("sealed actor of the request")]
    Actor(#[source] InvalidSize),
    /// There is no operation, or one that this build does not know.
    #[error("operation is missing or unknown")]
    NoOperation,
    /// The operation is `get`.
    #[error("read a record")]
    Get(#[from] InvalidGetRecord),
    /// The operation is `timeline`.
    #[error("read a timeline")]
    Timeline(#[from] InvalidReadTimeline),
    /// The operation is `put`.
    #[error("put a record")]
    Put(#[from] InvalidPutRecord),
    /// The operation is `delete`.
    #[error("delete a record")]
    Delete(#[from] InvalidDeleteRecord),
    /// The operation is `set_rules`.
    #[error("set rules")]
    SetRules(#[from] InvalidSetRules),
    /// The operation is `revoke`.
    #[error("revoke a capability")]
    Revoke(#[from] InvalidRevokeCapability),
    /// The operation is `list_audit`.
    #[error("list audit rows")]
    ListAudit(#[from] InvalidListAudit),
}

impl TryFrom<pb::Request> for NodeRequest {
    type Error = InvalidRequest;

    fn try_from(message: pb::Request) -> Result<Self, InvalidRequest> {
        let pb::Request { request_id, deadline_ms, slot_epoch, capability, sealed_actor, operation } = message;
        Ok(Self {
            request: RequestId::try_from(&request_id[..]).map_err(InvalidRequest::RequestId)?,
            deadline: deadline(deadline_ms)?,
            slot_epoch: SlotEpoch(slot_epoch),
            capability: SignedCapability::try_from(capability.ok_or(InvalidRequest::NoCapability)?)
                .map_err(InvalidRequest::Capability)?,
            actor: filled(sealed_actor, ACTOR_MAX_BYTES).map_err(InvalidRequest::Actor)?,
            operation: Operation::try_from(operation.ok_or(InvalidRequest::NoOperation)?)?,
        })
    }
}

fn deadline(millis: u32) -> Result<Duration, InvalidRequest> {
    let left = Duration::from_millis(u64::from(millis));
    if (DEADLINE_MIN..=DEADLINE_MAX).contains(&left) { Ok(left) } else { Err(InvalidRequest::Deadline(millis)) }
}

impl TryFrom<pb::request::Operation> for Operation {
    type Error = InvalidRequest;

    fn try_from(message: pb::request::Operation) -> Result<Self, InvalidRequest> {
        Ok(match message {
            pb::request::Operation::Get(get) => Self::Get(get.try_into()?),
            pb::request::Operation::Timeline(timeline) => Self::Timeline(timeline.try_into()?),
            pb::request::Operation::Put(put) => Self::Put(put.try_into()?),
            pb::request::Operation::Delete(delete) => Self::Delete(delete.try_into()?),
            pb::request::Operation::SetRules(set) => Self::SetRules(set.try_into()?),
            pb::request::Operation::Revoke(revoke) => Self::Revoke(revoke.try_into()?),
            pb::request::Operation::ListAudit(list) => Self::ListAudit(list.try_into()?),
        })
    }
}

impl From<NodeRequest> for pb::Request {
    /// A deadline is cut to whole milliseconds, and to what the field holds.
    fn from(request: NodeRequest) -> Self {
        let NodeRequest { request, deadline, slot_epoch, capability, actor, operation } = request;
        Self {
            request_id: copied(request.as_bytes()),
            deadline_ms: u32::try_from(deadline.as_millis()).unwrap_or(u32::MAX),
            slot_epoch: slot_epoch.0,
            capability: Some(capability.into()),
            sealed_actor: actor,
            operation: Some(operation.into()),
        }
    }
}

impl From<Operation> for pb::request::Operation {
    fn from(operation: Operation) -> Self {
        match operation {
            Operation::Get(get) => Self::Get(get.into()),
            Operation::Timeline(timeline) => Self::Timeline(timeline.into()),
            Operation::Put(put) => Self::Put(put.into()),
            Operation::Delete(delete) => Self::Delete(delete.into()),
            Operation::SetRules(set) => Self::SetRules(set.into()),
            Operation::Revoke(revoke) => Self::Revoke(revoke.into()),
            Operation::ListAudit(list) => Self::ListAudit(list.into()),
        }
    }
}

impl From<InvalidRequest> for Refusal {
    fn from(invalid: InvalidRequest) -> Self {
        match invalid {
            InvalidRequest::RequestId(_) => Self::invalid("request_id"),
            InvalidRequest::Deadline(_) => Self::invalid("deadline_ms"),
            InvalidRequest::NoCapability => Self::invalid("capability"),
            InvalidRequest::Capability(invalid) => invalid.into(),
            InvalidRequest::Actor(size) => size.refusal("sealed_actor"),
            InvalidRequest::NoOperation => Self::invalid("operation"),
            InvalidRequest::Get(invalid) => invalid.into(),
            InvalidRequest::Timeline(invalid) => invalid.into(),
            InvalidRequest::Put(invalid) => invalid.into(),
            InvalidRequest::Delete(invalid) => invalid.into(),
            InvalidRequest::SetRules(invalid) => invalid.into(),
            InvalidRequest::Revoke(invalid) => invalid.into(),
            InvalidRequest::ListAudit(invalid) => invalid.into(),
        }
    }
}
