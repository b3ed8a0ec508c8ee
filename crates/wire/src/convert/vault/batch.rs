use std::time::Duration;

use bytes::Bytes;
use renkei_ids::{InvalidLength, RequestId};

use super::super::copied;
use super::{InvalidDeleteItem, InvalidInsecureOpening, InvalidPutItem, InvalidTicketOpening};
use crate::Refusal;
use crate::bounds::{InvalidSize, OutOfRange, at_most, u32_within};
use crate::limits::{DEADLINE_MAX, DEADLINE_MIN, VAULT_MAX_ITEMS};
use crate::pb::vault::v1 as pb;
use crate::vault::{Batch, DeleteItem, InsecureOpening, PutItem, TicketOpening};

/// A call to the vault of which no item is served.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidBatch<E: std::error::Error + 'static> {
    /// The request id.
    #[error("id of the request")]
    RequestId(#[source] InvalidLength),
    /// The deadline is missing, or longer than a vault waits.
    #[error("deadline of the request in milliseconds")]
    Deadline(#[source] OutOfRange),
    /// No items, or too many.
    #[error("items of the request")]
    Size(#[source] InvalidSize),
    /// One of the items.
    #[error("item of the request")]
    Item(#[source] E),
}

pub(in crate::convert) fn deadline(millis: u32) -> Result<Duration, OutOfRange> {
    let bound = |limit: Duration| u32::try_from(limit.as_millis()).expect("deadlines are a minute at most");
    u32_within(millis, bound(DEADLINE_MIN), bound(DEADLINE_MAX)).map(|millis| Duration::from_millis(u64::from(millis)))
}

/// Cut to whole milliseconds, and to what the field holds.
pub(in crate::convert) fn deadline_message(deadline: Duration) -> u32 {
    u32::try_from(deadline.as_millis()).unwrap_or(u32::MAX)
}

pub(in crate::convert) fn count(items: usize, limit: usize) -> Result<(), InvalidSize> {
    if items == 0 { Err(InvalidSize::Empty) } else { at_most(items, limit) }
}

fn batch<M, T, E>(request_id: &Bytes, deadline_ms: u32, items: Vec<M>) -> Result<Batch<T>, InvalidBatch<E>>
where
    T: TryFrom<M, Error = E>,
    E: std::error::Error + 'static,
{
    count(items.len(), VAULT_MAX_ITEMS).map_err(InvalidBatch::Size)?;
    Ok(Batch {
        request: RequestId::try_from(&request_id[..]).map_err(InvalidBatch::RequestId)?,
        deadline: deadline(deadline_ms).map_err(InvalidBatch::Deadline)?,
        items: items.into_iter().map(T::try_from).collect::<Result<_, _>>().map_err(InvalidBatch::Item)?,
    })
}

impl TryFrom<pb::OpenInsecureRequest> for Batch<InsecureOpening> {
    type Error = InvalidBatch<InvalidInsecureOpening>;

    fn try_from(message: pb::OpenInsecureRequest) -> Result<Self, Self::Error> {
        let pb::OpenInsecureRequest { request_id, deadline_ms, items } = message;
        batch(&request_id, deadline_ms, items)
    }
}

impl From<Batch<InsecureOpening>> for pb::OpenInsecureRequest {
    fn from(batch: Batch<InsecureOpening>) -> Self {
        let Batch { request, deadline, items } = batch;
        Self {
            request_id: copied(request.as_bytes()),
            deadline_ms: deadline_message(deadline),
            items: items.into_iter().map(Into::into).collect(),
        }
    }
}

impl TryFrom<pb::OpenTicketsRequest> for Batch<TicketOpening> {
    type Error = InvalidBatch<InvalidTicketOpening>;

    fn try_from(message: pb::OpenTicketsRequest) -> Result<Self, Self::Error> {
        let pb::OpenTicketsRequest { request_id, deadline_ms, items } = message;
        batch(&request_id, deadline_ms, items)
    }
}

impl From<Batch<TicketOpening>> for pb::OpenTicketsRequest {
    fn from(batch: Batch<TicketOpening>) -> Self {
        let Batch { request, deadline, items } = batch;
        Self {
            request_id: copied(request.as_bytes()),
            deadline_ms: deadline_message(deadline),
            items: items.into_iter().map(Into::into).collect(),
        }
    }
}

impl TryFrom<pb::PutsRequest> for Batch<PutItem> {
    type Error = InvalidBatch<InvalidPutItem>;

    fn try_from(message: pb::PutsRequest) -> Result<Self, Self::Error> {
        let pb::PutsRequest { request_id, deadline_ms, items } = message;
        batch(&request_id, deadline_ms, items)
    }
}

impl From<Batch<PutItem>> for pb::PutsRequest {
    fn from(batch: Batch<PutItem>) -> Self {
        let Batch { request, deadline, items } = batch;
        Self {
            request_id: copied(request.as_bytes()),
            deadline_ms: deadline_message(deadline),
            items: items.into_iter().map(Into::into).collect(),
        }
    }
}

impl TryFrom<pb::DeletesRequest> for Batch<DeleteItem> {
    type Error = InvalidBatch<InvalidDeleteItem>;

    fn try_from(message: pb::DeletesRequest) -> Result<Self, Self::Error> {
        let pb::DeletesRequest { request_id, deadline_ms, items } = message;
        batch(&request_id, deadline_ms, items)
    }
}

impl From<Batch<DeleteItem>> for pb::DeletesRequest {
    fn from(batch: Batch<DeleteItem>) -> Self {
        let Batch { request, deadline, items } = batch;
        Self {
            request_id: copied(request.as_bytes()),
            deadline_ms: deadline_message(deadline),
            items: items.into_iter().map(Into::into).collect(),
        }
    }
}

impl<E: std::error::Error + Into<Refusal> + 'static> From<InvalidBatch<E>> for Refusal {
    fn from(invalid: InvalidBatch<E>) -> Self {
        match invalid {
            InvalidBatch::RequestId(_) => Self::invalid("request_id"),
            InvalidBatch::Deadline(_) => Self::invalid("deadline_ms"),
            InvalidBatch::Size(size) => size.refusal("items"),
            InvalidBatch::Item(invalid) => invalid.into(),
        }
    }
}
