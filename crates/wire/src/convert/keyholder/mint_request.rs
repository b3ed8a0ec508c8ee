use renkei_ids::UnixDay;
use renkei_pseudonym::BATCH_MAX;

use super::InvalidMintItem;
use crate::Refusal;
use crate::bounds::{InvalidSize, at_most};
use crate::keyholder::{MintItem, MintRequest};
use crate::pb::keyholder::v1 as pb;

/// A call of which no point is translated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidMintRequest {
    /// No items, or too many.
    #[error("items of a mint")]
    Size(#[source] InvalidSize),
    /// One of the items.
    #[error("item of a mint")]
    Item(#[from] InvalidMintItem),
}

impl TryFrom<pb::MintRequest> for MintRequest {
    type Error = InvalidMintRequest;

    fn try_from(message: pb::MintRequest) -> Result<Self, InvalidMintRequest> {
        let pb::MintRequest { key_day, items } = message;
        let size = if items.is_empty() { Err(InvalidSize::Empty) } else { at_most(items.len(), BATCH_MAX) };
        size.map_err(InvalidMintRequest::Size)?;
        let items = items.into_iter().map(MintItem::try_from).collect::<Result<_, _>>()?;
        Ok(Self { day: UnixDay(key_day), items })
    }
}

impl From<MintRequest> for pb::MintRequest {
    fn from(request: MintRequest) -> Self {
        let MintRequest { day, items } = request;
        Self { key_day: day.0, items: items.into_iter().map(Into::into).collect() }
    }
}

impl From<InvalidMintRequest> for Refusal {
    fn from(invalid: InvalidMintRequest) -> Self {
        match invalid {
            InvalidMintRequest::Size(size) => size.refusal("items"),
            InvalidMintRequest::Item(invalid) => invalid.into(),
        }
    }
}
