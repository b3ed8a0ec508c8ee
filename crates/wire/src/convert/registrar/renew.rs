use renkei_ids::GrantId;

use super::InvalidRegistrarMessage as Invalid;
use super::asking;
use crate::convert::copied;
use crate::pb::registrar::v1 as pb;
use crate::registrar::RenewRequest;

impl TryFrom<pb::RenewRequest> for RenewRequest {
    type Error = Invalid;

    fn try_from(message: pb::RenewRequest) -> Result<Self, Invalid> {
        let pb::RenewRequest { asking, grant } = message;
        let grant = GrantId::try_from(&grant[..]).map_err(|_| Invalid::Malformed("grant"))?;
        Ok(Self { asking: asking::required(asking)?, grant })
    }
}

impl From<RenewRequest> for pb::RenewRequest {
    fn from(request: RenewRequest) -> Self {
        let RenewRequest { asking, grant } = request;
        Self { asking: Some(asking.into()), grant: copied(grant.as_bytes()) }
    }
}
