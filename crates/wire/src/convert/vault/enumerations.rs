use renkei_access::{Evidence, Purpose};
use renkei_envelope::{Category, Part};

use crate::pb::vault::v1 as pb;

/// A number that this build knows no meaning of, 0 included: protobuf's default is never a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnknownValue {
    /// Not a purpose.
    #[error("{0} is no purpose")]
    Purpose(i32),
    /// Not evidence.
    #[error("{0} is no evidence")]
    Evidence(i32),
    /// Not a category.
    #[error("{0} is no category")]
    Category(i32),
    /// Not a part.
    #[error("{0} is no part of a record")]
    Part(i32),
}

pub(in crate::convert) fn purpose(raw: i32) -> Result<Purpose, UnknownValue> {
    match pb::Purpose::try_from(raw) {
        Ok(pb::Purpose::Care) => Ok(Purpose::Care),
        Ok(pb::Purpose::Emergency) => Ok(Purpose::Emergency),
        Ok(pb::Purpose::Own) => Ok(Purpose::Own),
        Ok(pb::Purpose::Repair) => Ok(Purpose::Repair),
        Ok(pb::Purpose::Report) => Ok(Purpose::Report),
        Ok(pb::Purpose::Unspecified) | Err(_) => Err(UnknownValue::Purpose(raw)),
    }
}

pub(in crate::convert) fn purpose_message(purpose: Purpose) -> i32 {
    let message = match purpose {
        Purpose::Care => pb::Purpose::Care,
        Purpose::Emergency => pb::Purpose::Emergency,
        Purpose::Own => pb::Purpose::Own,
        Purpose::Repair => pb::Purpose::Repair,
        Purpose::Report => pb::Purpose::Report,
    };
    message.into()
}

pub(super) fn evidence(raw: i32) -> Result<Evidence, UnknownValue> {
    match pb::Evidence::try_from(raw) {
        Ok(pb::Evidence::Card) => Ok(Evidence::Card),
        Ok(pb::Evidence::InsurerToken) => Ok(Evidence::InsurerToken),
        Ok(pb::Evidence::MemberId) => Ok(Evidence::MemberId),
        Ok(pb::Evidence::FourItem) => Ok(Evidence::FourItem),
        Ok(pb::Evidence::Unconscious) => Ok(Evidence::Unconscious),
        Ok(pb::Evidence::Delegate) => Ok(Evidence::Delegate),
        Ok(pb::Evidence::Unspecified) | Err(_) => Err(UnknownValue::Evidence(raw)),
    }
}

pub(super) fn evidence_message(evidence: Evidence) -> i32 {
    let message = match evidence {
        Evidence::Card => pb::Evidence::Card,
        Evidence::InsurerToken => pb::Evidence::InsurerToken,
        Evidence::MemberId => pb::Evidence::MemberId,
        Evidence::FourItem => pb::Evidence::FourItem,
        Evidence::Unconscious => pb::Evidence::Unconscious,
        Evidence::Delegate => pb::Evidence::Delegate,
    };
    message.into()
}

pub(super) fn category(raw: i32) -> Result<Category, UnknownValue> {
    match pb::Category::try_from(raw) {
        Ok(pb::Category::Prescription) => Ok(Category::Prescription),
        Ok(pb::Category::Vaccination) => Ok(Category::Vaccination),
        Ok(pb::Category::DischargeSummary) => Ok(Category::DischargeSummary),
        Ok(pb::Category::Unspecified) | Err(_) => Err(UnknownValue::Category(raw)),
    }
}

pub(super) fn category_message(category: Category) -> i32 {
    let message = match category {
        Category::Prescription => pb::Category::Prescription,
        Category::Vaccination => pb::Category::Vaccination,
        Category::DischargeSummary => pb::Category::DischargeSummary,
    };
    message.into()
}

pub(super) fn part(raw: i32) -> Result<Part, UnknownValue> {
    match pb::Part::try_from(raw) {
        Ok(pb::Part::Summary) => Ok(Part::Summary),
        Ok(pb::Part::Document) => Ok(Part::Document),
        Ok(pb::Part::Unspecified) | Err(_) => Err(UnknownValue::Part(raw)),
    }
}

pub(super) fn part_message(part: Part) -> i32 {
    let message = match part {
        Part::Summary => pb::Part::Summary,
        Part::Document => pb::Part::Document,
    };
    message.into()
}
