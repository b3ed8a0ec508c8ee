use super::InvalidRegistrarMessage as Invalid;
use super::entry::{five_items, five_items_message};
use super::{asking, insured};
use crate::pb::registrar::v1 as pb;
use crate::registrar::CheckEligibilityRequest;

impl TryFrom<pb::CheckEligibilityRequest> for CheckEligibilityRequest {
    type Error = Invalid;

    fn try_from(message: pb::CheckEligibilityRequest) -> Result<Self, Invalid> {
        let pb::CheckEligibilityRequest { asking, insured, items } = message;
        Ok(Self {
            asking: asking::required(asking)?,
            insured: insured::required(insured)?,
            items: items.map(five_items).transpose()?,
        })
    }
}

impl From<CheckEligibilityRequest> for pb::CheckEligibilityRequest {
    fn from(request: CheckEligibilityRequest) -> Self {
        let CheckEligibilityRequest { asking, insured, items } = request;
        Self {
            asking: Some(asking.into()),
            insured: Some(insured.into()),
            items: items.as_ref().map(five_items_message),
        }
    }
}
