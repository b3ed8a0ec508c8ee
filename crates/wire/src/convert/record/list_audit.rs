use renkei_ids::AuditSeq;

use super::InvalidRecordMessage as Invalid;
use super::{actor, patient};
use crate::pb::record::v1 as pb;
use crate::record::ListAuditRequest;

impl TryFrom<pb::ListAuditRequest> for ListAuditRequest {
    type Error = Invalid;

    fn try_from(message: pb::ListAuditRequest) -> Result<Self, Invalid> {
        let pb::ListAuditRequest { patient, actor, after_seq } = message;
        Ok(Self { patient: patient::required(patient)?, actor: actor::required(actor)?, after: AuditSeq(after_seq) })
    }
}

impl From<ListAuditRequest> for pb::ListAuditRequest {
    fn from(request: ListAuditRequest) -> Self {
        let ListAuditRequest { patient, actor, after } = request;
        Self { patient: Some(patient.into()), actor: Some(actor.into()), after_seq: after.0 }
    }
}
