use renkei_ids::{InvalidLength, RecordId, RecordVersion};

use super::super::copied;
use crate::Refusal;
use crate::bounds::{InvalidSize, filled};
use crate::limits::OPENING_MAX_BYTES;
use crate::pb::vault::v1 as pb;
use crate::vault::DeleteItem;

/// A delete that cannot be granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidDeleteItem {
    /// The opening.
    #[error("opening of a delete")]
    Opening(#[source] InvalidSize),
    /// The record.
    #[error("record of a delete")]
    RecordId(#[source] InvalidLength),
    /// The version is missing or 0.
    #[error("version of a delete is 0")]
    Version,
}

impl TryFrom<pb::DeleteItem> for DeleteItem {
    type Error = InvalidDeleteItem;

    fn try_from(message: pb::DeleteItem) -> Result<Self, InvalidDeleteItem> {
        let pb::DeleteItem { opening, record_id, version } = message;
        Ok(Self {
            opening: filled(opening, OPENING_MAX_BYTES).map_err(InvalidDeleteItem::Opening)?,
            record: RecordId::try_from(&record_id[..]).map_err(InvalidDeleteItem::RecordId)?,
            version: RecordVersion::new(version).ok_or(InvalidDeleteItem::Version)?,
        })
    }
}

impl From<DeleteItem> for pb::DeleteItem {
    fn from(item: DeleteItem) -> Self {
        let DeleteItem { opening, record, version } = item;
        Self { opening, record_id: copied(record.as_bytes()), version: version.get() }
    }
}

impl From<InvalidDeleteItem> for Refusal {
    fn from(invalid: InvalidDeleteItem) -> Self {
        match invalid {
            InvalidDeleteItem::Opening(size) => size.refusal("items.opening"),
            InvalidDeleteItem::RecordId(_) => Self::invalid("items.record_id"),
            InvalidDeleteItem::Version => Self::invalid("items.version"),
        }
    }
}
