use super::InvalidRecordMessage as Invalid;
use super::kind::{kind, kind_message};
use super::put_head::{reference, version};
use crate::pb::record::v1 as pb;
use crate::record::PutDocumentReply;

impl TryFrom<pb::PutDocumentReply> for PutDocumentReply {
    type Error = Invalid;

    fn try_from(message: pb::PutDocumentReply) -> Result<Self, Invalid> {
        let pb::PutDocumentReply { reference: sealed, version: number, kind: raw_kind, replayed } = message;
        Ok(Self { reference: reference(sealed)?, version: version(number)?, kind: kind(raw_kind, "kind")?, replayed })
    }
}

impl From<PutDocumentReply> for pb::PutDocumentReply {
    fn from(reply: PutDocumentReply) -> Self {
        let PutDocumentReply { reference, version, kind, replayed } = reply;
        Self { reference: reference.as_bytes().clone(), version: version.get(), kind: kind_message(kind), replayed }
    }
}
