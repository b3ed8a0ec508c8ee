use renkei_ids::{InvalidLength, RecordId, RecordVersion};

use super::super::copied;
use super::UnknownValue;
use super::enumerations::{category, category_message};
use crate::Refusal;
use crate::bounds::{InvalidSize, filled, month};
use crate::limits::OPENING_MAX_BYTES;
use crate::pb::vault::v1 as pb;
use crate::vault::PutItem;

/// A put that cannot be granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPutItem {
    /// The opening.
    #[error("opening of a put")]
    Opening(#[source] InvalidSize),
    /// The category.
    #[error("category of a put")]
    Category(#[source] UnknownValue),
    /// The month is past the last bucket.
    #[error("month of a put is no bucket")]
    Month,
    /// The record to be replaced.
    #[error("record that a put replaces")]
    RecordId(#[source] InvalidLength),
    /// The version to be replaced is missing, 0 or the last possible one.
    #[error("version that a put replaces")]
    Version,
}

impl TryFrom<pb::PutItem> for PutItem {
    type Error = InvalidPutItem;

    fn try_from(message: pb::PutItem) -> Result<Self, InvalidPutItem> {
        let pb::PutItem { opening, category: raw_category, month: raw_month, replaces } = message;
        Ok(Self {
            opening: filled(opening, OPENING_MAX_BYTES).map_err(InvalidPutItem::Opening)?,
            category: category(raw_category).map_err(InvalidPutItem::Category)?,
            month: month(raw_month).ok_or(InvalidPutItem::Month)?,
            replaces: replaces.map(replaced).transpose()?,
        })
    }
}

fn replaced(message: pb::Replaced) -> Result<(RecordId, RecordVersion), InvalidPutItem> {
    let pb::Replaced { record_id, version } = message;
    let record = RecordId::try_from(&record_id[..]).map_err(InvalidPutItem::RecordId)?;
    let version = RecordVersion::new(version).filter(|version| version.next().is_some());
    Ok((record, version.ok_or(InvalidPutItem::Version)?))
}

impl From<PutItem> for pb::PutItem {
    fn from(item: PutItem) -> Self {
        let PutItem { opening, category, month, replaces } = item;
        Self {
            opening,
            category: category_message(category),
            month: u32::from(month.raw()),
            replaces: replaces
                .map(|(record, version)| pb::Replaced { record_id: copied(record.as_bytes()), version: version.get() }),
        }
    }
}

impl From<InvalidPutItem> for Refusal {
    fn from(invalid: InvalidPutItem) -> Self {
        match invalid {
            InvalidPutItem::Opening(size) => size.refusal("items.opening"),
            InvalidPutItem::Category(_) => Self::invalid("items.category"),
            InvalidPutItem::Month => Self::invalid("items.month"),
            InvalidPutItem::RecordId(_) => Self::invalid("items.replaces.record_id"),
            InvalidPutItem::Version => Self::invalid("items.replaces.version"),
        }
    }
}
