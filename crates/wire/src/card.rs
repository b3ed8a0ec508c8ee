//! Why a card is refused, as the error table has it.

use renkei_access::CardRefusal;

use crate::{ErrorCode, Refusal};

impl From<CardRefusal> for Refusal {
    fn from(refusal: CardRefusal) -> Self {
        Self::new(match refusal {
            CardRefusal::Signature | CardRefusal::Malformed => ErrorCode::CardInvalid,
            CardRefusal::Expired => ErrorCode::CardExpired,
            CardRefusal::OtherInstitution => ErrorCode::CardOtherInstitution,
            CardRefusal::OtherMoment => ErrorCode::CardStale,
        })
    }
}
