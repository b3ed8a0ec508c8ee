use renkei_access::{ConsentSet, ConsentText};
use renkei_envelope::Token;

use super::InvalidRegistrarMessage as Invalid;
use super::answers::{basis, basis_message, category, category_message};
use super::asking;
use crate::convert::{copied, vault};
use crate::pb::registrar::v1 as pb;
use crate::registrar::{CheckInRequest, Shown};

impl TryFrom<pb::CheckInRequest> for CheckInRequest {
    type Error = Invalid;

    fn try_from(message: pb::CheckInRequest) -> Result<Self, Invalid> {
        let pb::CheckInRequest {
            asking,
            shown: presented,
            purpose,
            categories,
            consent_text,
            basis: raw_basis,
            minutes,
            admission,
        } = message;
        let categories = consent(&categories)?;
        // No text was shown where nothing was consented to, and one was where something is.
        if (consent_text == 0) != categories.is_empty() {
            return Err(Invalid::Malformed("consent_text"));
        }
        Ok(Self {
            asking: asking::required(asking)?,
            shown: shown(presented.ok_or(Invalid::Malformed("shown"))?)?,
            purpose: vault::purpose(purpose)?,
            categories,
            text: ConsentText(consent_text),
            basis: basis(raw_basis)?,
            minutes,
            admission,
        })
    }
}

/// Categories, each named once.
fn consent(raw: &[i32]) -> Result<ConsentSet, Invalid> {
    let with = |set: ConsentSet, raw: &i32| set.with(category(*raw)?).ok_or(Invalid::Malformed("categories"));
    raw.iter().try_fold(ConsentSet::NONE, with)
}

fn shown(message: pb::check_in_request::Shown) -> Result<Shown, Invalid> {
    use pb::check_in_request::Shown as Message;
    Ok(match message {
        Message::Card(card) => Shown::Card(card.try_into()?),
        Message::InsurerToken(token) => {
            let token = token[..].try_into().map_err(|_| Invalid::Malformed("insurer_token"))?;
            Shown::InsurerToken(Token::from_bytes(token))
        }
        Message::MemberId(insured) => Shown::MemberId(insured.try_into()?),
        Message::FourItem(pb::FourItem {}) => Shown::FourItem,
        Message::Unconscious(pb::Unconscious {}) => Shown::Unconscious,
        Message::Delegate(pb::Delegate {}) => Shown::Delegate,
    })
}

impl From<CheckInRequest> for pb::CheckInRequest {
    fn from(request: CheckInRequest) -> Self {
        use pb::check_in_request::Shown as Message;
        let CheckInRequest { asking, shown, purpose, categories, text, basis, minutes, admission } = request;
        let shown = match shown {
            Shown::Card(card) => Message::Card(card.into()),
            Shown::InsurerToken(token) => Message::InsurerToken(copied(token.expose())),
            Shown::MemberId(insured) => Message::MemberId(insured.into()),
            Shown::FourItem => Message::FourItem(pb::FourItem {}),
            Shown::Unconscious => Message::Unconscious(pb::Unconscious {}),
            Shown::Delegate => Message::Delegate(pb::Delegate {}),
        };
        Self {
            asking: Some(asking.into()),
            shown: Some(shown),
            purpose: vault::purpose_message(purpose),
            categories: categories.iter().map(|category| category_message(category).into()).collect(),
            consent_text: text.0,
            basis: basis_message(basis).into(),
            minutes,
            admission,
        }
    }
}
