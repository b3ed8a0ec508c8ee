use renkei_records::{InvalidItem, Item};

use crate::bounds::{InvalidSize, OutOfRange};
use crate::convert::{InvalidRecordMessage, UnknownValue};
use crate::{FieldName, InvalidRefusal, Refusal};

/// A message of `RegistrarService` that is not taken. It names the field and nothing that stood in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidRegistrarMessage {
    /// It is missing, or of a kind or form that this build does not know.
    #[error("field {0} is missing or malformed")]
    Malformed(&'static str),
    /// It is too long, or empty.
    #[error("size of field {field}")]
    Size {
        /// Which.
        field: &'static str,
        /// What is wrong.
        #[source]
        source: InvalidSize,
    },
    /// It is a number outside its range.
    #[error("range of field {field}")]
    Range {
        /// Which.
        field: &'static str,
        /// What is wrong.
        #[source]
        source: OutOfRange,
    },
    /// The actor.
    #[error("actor of a request")]
    Actor(#[from] InvalidRecordMessage),
    /// The purpose.
    #[error("purpose of a request")]
    Purpose(#[from] UnknownValue),
    /// One of the five items.
    #[error("five items of a person")]
    Item(#[from] InvalidItem),
    /// The refusal in a reply.
    #[error("refusal in a reply")]
    Refusal(#[from] InvalidRefusal),
}

impl InvalidRegistrarMessage {
    pub(super) fn size(field: &'static str) -> impl FnOnce(InvalidSize) -> Self {
        move |source| Self::Size { field, source }
    }
}

impl From<InvalidRegistrarMessage> for Refusal {
    fn from(invalid: InvalidRegistrarMessage) -> Self {
        use InvalidRegistrarMessage as Invalid;
        match invalid {
            Invalid::Malformed(field) | Invalid::Range { field, .. } => Self::invalid(field),
            Invalid::Size { field, source } => source.refusal(field),
            Invalid::Actor(invalid) => invalid.into(),
            Invalid::Purpose(_) => Self::invalid("purpose"),
            Invalid::Item(InvalidItem::Empty(item)) => Self::invalid(item_field(item)),
            Invalid::Item(InvalidItem::Length(item)) => Self::too_large(item_field(item)),
            Invalid::Refusal(_) => Self::new(crate::ErrorCode::InvalidArgument).with_field(FieldName::of("refusal")),
        }
    }
}

const fn item_field(item: Item) -> &'static str {
    match item {
        Item::Name => "items.name",
        Item::Kana => "items.kana",
        Item::BirthDate => "items.birth_date",
        Item::Sex => "items.sex",
        Item::Address => "items.address",
    }
}
