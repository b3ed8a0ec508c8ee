use renkei_ids::RecordVersion;

use super::InvalidRecordMessage as Invalid;
use super::kind::{kind, kind_message};
use super::put_head::{document_size, reference, size_message, version};
use super::upload::piece;
use super::{actor, patient};
use crate::pb::record::v1 as pb;
use crate::record::{DocumentHead, GetDocumentRequest, Upload};

impl TryFrom<pb::GetDocumentRequest> for GetDocumentRequest {
    type Error = Invalid;

    fn try_from(message: pb::GetDocumentRequest) -> Result<Self, Invalid> {
        let pb::GetDocumentRequest { patient, actor, reference: sealed, version } = message;
        Ok(Self {
            patient: patient::required(patient)?,
            actor: actor::required(actor)?,
            reference: reference(sealed)?,
            version: RecordVersion::new(version),
        })
    }
}

impl From<GetDocumentRequest> for pb::GetDocumentRequest {
    fn from(request: GetDocumentRequest) -> Self {
        let GetDocumentRequest { patient, actor, reference, version } = request;
        Self {
            patient: Some(patient.into()),
            actor: Some(actor.into()),
            reference: reference.as_bytes().clone(),
            version: version.map_or(0, RecordVersion::get),
        }
    }
}

impl TryFrom<pb::DocumentHead> for DocumentHead {
    type Error = Invalid;

    fn try_from(message: pb::DocumentHead) -> Result<Self, Invalid> {
        let pb::DocumentHead { version: number, kind: raw_kind, document_bytes } = message;
        Ok(Self {
            version: version(number)?,
            kind: kind(raw_kind, "kind")?,
            document_bytes: document_size(document_bytes)?,
        })
    }
}

impl From<DocumentHead> for pb::DocumentHead {
    fn from(head: DocumentHead) -> Self {
        let DocumentHead { version, kind, document_bytes } = head;
        Self { version: version.get(), kind: kind_message(kind), document_bytes: size_message(document_bytes) }
    }
}

impl TryFrom<pb::GetDocumentReply> for Upload<DocumentHead> {
    type Error = Invalid;

    fn try_from(message: pb::GetDocumentReply) -> Result<Self, Invalid> {
        use pb::get_document_reply::Part;
        let pb::GetDocumentReply { part } = message;
        match part.ok_or(Invalid::Malformed("part"))? {
            Part::Head(head) => Ok(Self::Head(Box::new(head.try_into()?))),
            Part::Piece(data) => piece(data).map(Self::Piece),
        }
    }
}

impl From<Upload<DocumentHead>> for pb::GetDocumentReply {
    fn from(part: Upload<DocumentHead>) -> Self {
        use pb::get_document_reply::Part;
        let part = match part {
            Upload::Head(head) => Part::Head((*head).into()),
            Upload::Piece(data) => Part::Piece(data),
        };
        Self { part: Some(part) }
    }
}
