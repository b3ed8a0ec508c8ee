use super::InvalidRegistrarMessage as Invalid;
use super::answers::{answer, answer_message};
use super::insured::member;
use crate::pb::registrar::v1 as pb;
use crate::registrar::Eligibility;

impl TryFrom<pb::Eligibility> for Eligibility {
    type Error = Invalid;

    fn try_from(message: pb::Eligibility) -> Result<Self, Invalid> {
        let pb::Eligibility { answer: raw, until_day, successor } = message;
        Ok(Self { answer: answer(raw)?, until_day, successor: successor.as_deref().map(member).transpose()? })
    }
}

impl From<Eligibility> for pb::Eligibility {
    fn from(eligibility: Eligibility) -> Self {
        let Eligibility { answer, until_day, successor } = eligibility;
        Self {
            answer: answer_message(answer).into(),
            until_day,
            successor: successor.map(|member| member.original().to_owned()),
        }
    }
}
