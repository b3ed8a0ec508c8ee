use renkei_access::{PresentedCard, Signed};

use super::InvalidRegistrarMessage as Invalid;
use crate::bounds::filled;
use crate::convert::copied;
use crate::limits::STATEMENT_MAX_BYTES;
use crate::pb::registrar::v1 as pb;

impl TryFrom<pb::PresentedCard> for PresentedCard {
    type Error = Invalid;

    fn try_from(message: pb::PresentedCard) -> Result<Self, Invalid> {
        let pb::PresentedCard { card, presence } = message;
        Ok(Self {
            card: signed(card.ok_or(Invalid::Malformed("card.card"))?, "card.card")?,
            presence: signed(presence.ok_or(Invalid::Malformed("card.presence"))?, "card.presence")?,
        })
    }
}

impl From<PresentedCard> for pb::PresentedCard {
    fn from(shown: PresentedCard) -> Self {
        let PresentedCard { card, presence } = shown;
        Self { card: Some(signed_message(card)), presence: Some(signed_message(presence)) }
    }
}

pub(super) fn signed(message: pb::SignedStatement, field: &'static str) -> Result<Signed, Invalid> {
    let pb::SignedStatement { body, signature } = message;
    Ok(Signed {
        body: filled(body, STATEMENT_MAX_BYTES).map_err(Invalid::size(field))?,
        signature: signature[..].try_into().map_err(|_| Invalid::Malformed(field))?,
    })
}

pub(super) fn signed_message(signed: Signed) -> pb::SignedStatement {
    let Signed { body, signature } = signed;
    pb::SignedStatement { body, signature: copied(&signature) }
}
