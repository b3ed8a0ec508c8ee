use super::InvalidRegistrarMessage as Invalid;
use super::asking;
use crate::Refusal;
use crate::convert::vault;
use crate::limits::REGISTRAR_MAX_ITEMS;
use crate::pb::registrar::v1 as pb;
use crate::registrar::{BulkEligibilityReply, BulkEligibilityRequest, Eligibility, Insured};

impl TryFrom<pb::BulkEligibilityRequest> for BulkEligibilityRequest {
    type Error = Invalid;

    fn try_from(message: pb::BulkEligibilityRequest) -> Result<Self, Invalid> {
        let pb::BulkEligibilityRequest { asking, insured } = message;
        vault::count(insured.len(), REGISTRAR_MAX_ITEMS).map_err(Invalid::size("insured"))?;
        Ok(Self {
            asking: asking::required(asking)?,
            insured: insured.into_iter().map(Insured::try_from).collect::<Result<_, _>>()?,
        })
    }
}

impl From<BulkEligibilityRequest> for pb::BulkEligibilityRequest {
    fn from(request: BulkEligibilityRequest) -> Self {
        let BulkEligibilityRequest { asking, insured } = request;
        Self { asking: Some(asking.into()), insured: insured.into_iter().map(Into::into).collect() }
    }
}

impl TryFrom<pb::BulkEligibilityReply> for BulkEligibilityReply {
    type Error = Invalid;

    fn try_from(message: pb::BulkEligibilityReply) -> Result<Self, Invalid> {
        use pb::bulk_result::Outcome;
        let pb::BulkEligibilityReply { results } = message;
        vault::count(results.len(), REGISTRAR_MAX_ITEMS).map_err(Invalid::size("results"))?;
        let outcome = |result: pb::BulkResult| match result.outcome.ok_or(Invalid::Malformed("outcome"))? {
            Outcome::Eligibility(eligibility) => Ok(Ok(Eligibility::try_from(eligibility)?)),
            Outcome::Refusal(refusal) => Ok(Err(Refusal::try_from(refusal)?)),
        };
        results.into_iter().map(outcome).collect::<Result<_, Invalid>>().map(Self)
    }
}

impl From<BulkEligibilityReply> for pb::BulkEligibilityReply {
    fn from(BulkEligibilityReply(results): BulkEligibilityReply) -> Self {
        use pb::bulk_result::Outcome;
        let outcome = |result: Result<Eligibility, Refusal>| match result {
            Ok(eligibility) => Outcome::Eligibility(eligibility.into()),
            Err(refusal) => Outcome::Refusal(refusal.into()),
        };
        Self { results: results.into_iter().map(|it| pb::BulkResult { outcome: Some(outcome(it)) }).collect() }
    }
}
