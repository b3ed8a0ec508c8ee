use bytes::Bytes;

use super::InvalidRecordMessage as Invalid;
use crate::bounds::filled;
use crate::limits::PIECE_MAX_BYTES;
use crate::pb::record::v1 as pb;
use crate::record::{PutHead, ReplaceHead, Upload};

pub(super) fn piece(data: Bytes) -> Result<Bytes, Invalid> {
    filled(data, PIECE_MAX_BYTES).map_err(Invalid::size("piece"))
}

impl TryFrom<pb::PutDocumentRequest> for Upload<PutHead> {
    type Error = Invalid;

    fn try_from(message: pb::PutDocumentRequest) -> Result<Self, Invalid> {
        use pb::put_document_request::Part;
        let pb::PutDocumentRequest { part } = message;
        match part.ok_or(Invalid::Malformed("part"))? {
            Part::Head(head) => Ok(Self::Head(Box::new(head.try_into()?))),
            Part::Piece(data) => piece(data).map(Self::Piece),
        }
    }
}

impl From<Upload<PutHead>> for pb::PutDocumentRequest {
    fn from(upload: Upload<PutHead>) -> Self {
        use pb::put_document_request::Part;
        let part = match upload {
            Upload::Head(head) => Part::Head((*head).into()),
            Upload::Piece(data) => Part::Piece(data),
        };
        Self { part: Some(part) }
    }
}

impl TryFrom<pb::ReplaceDocumentRequest> for Upload<ReplaceHead> {
    type Error = Invalid;

    fn try_from(message: pb::ReplaceDocumentRequest) -> Result<Self, Invalid> {
        use pb::replace_document_request::Part;
        let pb::ReplaceDocumentRequest { part } = message;
        match part.ok_or(Invalid::Malformed("part"))? {
            Part::Head(head) => Ok(Self::Head(Box::new(head.try_into()?))),
            Part::Piece(data) => piece(data).map(Self::Piece),
        }
    }
}

impl From<Upload<ReplaceHead>> for pb::ReplaceDocumentRequest {
    fn from(upload: Upload<ReplaceHead>) -> Self {
        use pb::replace_document_request::Part;
        let part = match upload {
            Upload::Head(head) => Part::Head((*head).into()),
            Upload::Piece(data) => Part::Piece(data),
        };
        Self { part: Some(part) }
    }
}
