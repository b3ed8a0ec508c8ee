use super::InvalidRecordMessage as Invalid;
use super::upload::piece;
use crate::Refusal;
use crate::pb::record::v1 as pb;
use crate::record::{BulkPutReply, BulkPutRequest, Upload};

/// The number of the document comes back with the error, for the others of the stream go on.
impl TryFrom<pb::BulkPutRequest> for BulkPutRequest {
    type Error = (u64, Invalid);

    fn try_from(message: pb::BulkPutRequest) -> Result<Self, (u64, Invalid)> {
        use pb::bulk_put_request::Part;
        let pb::BulkPutRequest { document, part } = message;
        let part = match part {
            Some(Part::Head(head)) => head.try_into().map(|head| Upload::Head(Box::new(head))),
            Some(Part::Piece(data)) => piece(data).map(Upload::Piece),
            None => Err(Invalid::Malformed("part")),
        };
        part.map(|part| Self { document, part }).map_err(|invalid| (document, invalid))
    }
}

impl From<BulkPutRequest> for pb::BulkPutRequest {
    fn from(request: BulkPutRequest) -> Self {
        use pb::bulk_put_request::Part;
        let BulkPutRequest { document, part } = request;
        let part = match part {
            Upload::Head(head) => Part::Head((*head).into()),
            Upload::Piece(data) => Part::Piece(data),
        };
        Self { document, part: Some(part) }
    }
}

impl TryFrom<pb::BulkPutReply> for BulkPutReply {
    type Error = Invalid;

    fn try_from(message: pb::BulkPutReply) -> Result<Self, Invalid> {
        use pb::bulk_put_reply::Outcome;
        let pb::BulkPutReply { document, outcome } = message;
        let outcome = match outcome.ok_or(Invalid::Malformed("outcome"))? {
            Outcome::Stored(stored) => Ok(stored.try_into()?),
            Outcome::Refusal(refusal) => Err(Refusal::try_from(refusal)?),
        };
        Ok(Self { document, outcome })
    }
}

impl From<BulkPutReply> for pb::BulkPutReply {
    fn from(reply: BulkPutReply) -> Self {
        use pb::bulk_put_reply::Outcome;
        let BulkPutReply { document, outcome } = reply;
        let outcome = match outcome {
            Ok(stored) => Outcome::Stored(stored.into()),
            Err(refusal) => Outcome::Refusal(refusal.into()),
        };
        Self { document, outcome: Some(outcome) }
    }
}
