use super::InvalidRecordMessage as Invalid;
use super::put_head::{idempotency, reference, version};
use super::{actor, patient};
use crate::pb::record::v1 as pb;
use crate::record::DeleteDocumentRequest;

impl TryFrom<pb::DeleteDocumentRequest> for DeleteDocumentRequest {
    type Error = Invalid;

    fn try_from(message: pb::DeleteDocumentRequest) -> Result<Self, Invalid> {
        let pb::DeleteDocumentRequest { patient, actor, idempotency_key, reference: sealed, version: number } = message;
        Ok(Self {
            patient: patient::required(patient)?,
            actor: actor::required(actor)?,
            idempotency_key: idempotency(idempotency_key)?,
            reference: reference(sealed)?,
            version: version(number)?,
        })
    }
}

impl From<DeleteDocumentRequest> for pb::DeleteDocumentRequest {
    fn from(request: DeleteDocumentRequest) -> Self {
        let DeleteDocumentRequest { patient, actor, idempotency_key, reference, version } = request;
        Self {
            patient: Some(patient.into()),
            actor: Some(actor.into()),
            idempotency_key,
            reference: reference.as_bytes().clone(),
            version: version.get(),
        }
    }
}
