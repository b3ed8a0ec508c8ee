//! Enumerations.

use renkei_access::{CollectionBasis, ConsentCategory};

use super::InvalidRegistrarMessage as Invalid;
use crate::pb::registrar::v1 as pb;
use crate::registrar::{Answer, Standing};

pub(super) fn answer(raw: i32) -> Result<Answer, Invalid> {
    match pb::Answer::try_from(raw) {
        Ok(pb::Answer::Valid) => Ok(Answer::Valid),
        Ok(pb::Answer::Expired) => Ok(Answer::Expired),
        Ok(pb::Answer::RegisteredNotYetActive) => Ok(Answer::RegisteredNotYetActive),
        Ok(pb::Answer::CannotLink) => Ok(Answer::CannotLink),
        Ok(pb::Answer::Unknown) => Ok(Answer::Unknown),
        Ok(pb::Answer::SystemUnavailable) => Ok(Answer::SystemUnavailable),
        Ok(pb::Answer::Unspecified) | Err(_) => Err(Invalid::Malformed("answer")),
    }
}

pub(super) const fn answer_message(answer: Answer) -> pb::Answer {
    match answer {
        Answer::Valid => pb::Answer::Valid,
        Answer::Expired => pb::Answer::Expired,
        Answer::RegisteredNotYetActive => pb::Answer::RegisteredNotYetActive,
        Answer::CannotLink => pb::Answer::CannotLink,
        Answer::Unknown => pb::Answer::Unknown,
        Answer::SystemUnavailable => pb::Answer::SystemUnavailable,
    }
}

pub(super) fn standing(raw: i32) -> Result<Standing, Invalid> {
    match pb::Standing::try_from(raw) {
        Ok(pb::Standing::Settled) => Ok(Standing::Settled),
        Ok(pb::Standing::Tentative) => Ok(Standing::Tentative),
        Ok(pb::Standing::Quarantined) => Ok(Standing::Quarantined),
        Ok(pb::Standing::Unspecified) | Err(_) => Err(Invalid::Malformed("registered")),
    }
}

pub(super) const fn standing_message(standing: Standing) -> pb::Standing {
    match standing {
        Standing::Settled => pb::Standing::Settled,
        Standing::Tentative => pb::Standing::Tentative,
        Standing::Quarantined => pb::Standing::Quarantined,
    }
}

pub(super) fn category(raw: i32) -> Result<ConsentCategory, Invalid> {
    match pb::ConsentCategory::try_from(raw) {
        Ok(pb::ConsentCategory::CareAndDrugs) => Ok(ConsentCategory::CareAndDrugs),
        Ok(pb::ConsentCategory::Surgery) => Ok(ConsentCategory::Surgery),
        Ok(pb::ConsentCategory::Checkup) => Ok(ConsentCategory::Checkup),
        Ok(pb::ConsentCategory::Vaccination) => Ok(ConsentCategory::Vaccination),
        Ok(pb::ConsentCategory::Documents) => Ok(ConsentCategory::Documents),
        Ok(pb::ConsentCategory::Unspecified) | Err(_) => Err(Invalid::Malformed("categories")),
    }
}

pub(super) const fn category_message(category: ConsentCategory) -> pb::ConsentCategory {
    match category {
        ConsentCategory::CareAndDrugs => pb::ConsentCategory::CareAndDrugs,
        ConsentCategory::Surgery => pb::ConsentCategory::Surgery,
        ConsentCategory::Checkup => pb::ConsentCategory::Checkup,
        ConsentCategory::Vaccination => pb::ConsentCategory::Vaccination,
        ConsentCategory::Documents => pb::ConsentCategory::Documents,
    }
}

/// Here alone nothing said is a value: that nothing is to be put.
pub(super) fn basis(raw: i32) -> Result<Option<CollectionBasis>, Invalid> {
    match pb::CollectionBasis::try_from(raw) {
        Ok(pb::CollectionBasis::Unspecified) => Ok(None),
        Ok(pb::CollectionBasis::Consent) => Ok(Some(CollectionBasis::Consent)),
        Ok(pb::CollectionBasis::LegalDuty) => Ok(Some(CollectionBasis::LegalDuty)),
        Err(_) => Err(Invalid::Malformed("basis")),
    }
}

pub(super) const fn basis_message(basis: Option<CollectionBasis>) -> pb::CollectionBasis {
    match basis {
        None => pb::CollectionBasis::Unspecified,
        Some(CollectionBasis::Consent) => pb::CollectionBasis::Consent,
        Some(CollectionBasis::LegalDuty) => pb::CollectionBasis::LegalDuty,
    }
}
