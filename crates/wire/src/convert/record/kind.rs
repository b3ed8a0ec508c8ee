use renkei_envelope::Category;

use super::InvalidRecordMessage as Invalid;
use crate::pb::record::v1 as pb;

pub(super) fn kind(raw: i32, field: &'static str) -> Result<Category, Invalid> {
    match pb::Kind::try_from(raw) {
        Ok(pb::Kind::Prescription) => Ok(Category::Prescription),
        Ok(pb::Kind::Vaccination) => Ok(Category::Vaccination),
        Ok(pb::Kind::DischargeSummary) => Ok(Category::DischargeSummary),
        Ok(pb::Kind::Unspecified) | Err(_) => Err(Invalid::Malformed(field)),
    }
}

pub(super) fn kind_message(kind: Category) -> i32 {
    let message = match kind {
        Category::Prescription => pb::Kind::Prescription,
        Category::Vaccination => pb::Kind::Vaccination,
        Category::DischargeSummary => pb::Kind::DischargeSummary,
    };
    message.into()
}
