use renkei_envelope::Class;

use super::UnknownValue;
use super::enumerations::{category, category_message, part, part_message};
use crate::pb::vault::v1 as pb;

/// A class that no record has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidClass {
    /// The category.
    #[error("category of a class")]
    Category(#[source] UnknownValue),
    /// The part.
    #[error("part of a class")]
    Part(#[source] UnknownValue),
}

impl TryFrom<pb::Class> for Class {
    type Error = InvalidClass;

    fn try_from(message: pb::Class) -> Result<Self, InvalidClass> {
        let pb::Class { category: raw_category, part: raw_part } = message;
        Ok(Self {
            category: category(raw_category).map_err(InvalidClass::Category)?,
            part: part(raw_part).map_err(InvalidClass::Part)?,
        })
    }
}

impl From<Class> for pb::Class {
    fn from(class: Class) -> Self {
        let Class { category, part } = class;
        Self { category: category_message(category), part: part_message(part) }
    }
}
