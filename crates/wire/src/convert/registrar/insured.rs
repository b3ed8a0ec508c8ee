use renkei_records::{BirthDate, MemberId};

use super::InvalidRegistrarMessage as Invalid;
use crate::pb::registrar::v1 as pb;
use crate::registrar::Insured;

impl TryFrom<pb::Insured> for Insured {
    type Error = Invalid;

    fn try_from(message: pb::Insured) -> Result<Self, Invalid> {
        let pb::Insured { member_id, birth_date } = message;
        Ok(Self { member: member(&member_id)?, birth_date: birth(&birth_date)? })
    }
}

impl From<Insured> for pb::Insured {
    fn from(insured: Insured) -> Self {
        let Insured { member, birth_date } = insured;
        Self { member_id: member.original().to_owned(), birth_date: birth_date.to_string() }
    }
}

pub(super) fn member(text: &str) -> Result<MemberId, Invalid> {
    MemberId::parse(text).map_err(|_| Invalid::Malformed("member_id"))
}

/// A whole date: a year or a month alone tells no two people apart.
pub(super) fn birth(text: &str) -> Result<BirthDate, Invalid> {
    BirthDate::parse(text).ok().flatten().ok_or(Invalid::Malformed("birth_date"))
}

pub(super) fn required(message: Option<pb::Insured>) -> Result<Insured, Invalid> {
    message.ok_or(Invalid::Malformed("insured"))?.try_into()
}
