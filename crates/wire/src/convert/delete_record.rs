use renkei_ids::{ContentTag, IdemTag, InvalidLength, RecordId, RecordVersion};

use super::copied;
use crate::pb::node::v1 as pb;
use crate::{DeleteRecord, Refusal};

/// A `delete` that cannot be served.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidDeleteRecord {
    /// The record id.
    #[error("record id of a delete")]
    RecordId(#[source] InvalidLength),
    /// The version is missing or 0.
    #[error("version of a delete is 0")]
    Version,
    /// The idempotency tag.
    #[error("idempotency tag of a delete")]
    IdemTag(#[source] InvalidLength),
    /// The content tag.
    #[error("content tag of a delete")]
    ContentTag(#[source] InvalidLength),
}

impl TryFrom<pb::DeleteRecord> for DeleteRecord {
    type Error = InvalidDeleteRecord;

    fn try_from(message: pb::DeleteRecord) -> Result<Self, InvalidDeleteRecord> {
        let pb::DeleteRecord { record_id, version, idem_tag, content_tag } = message;
        Ok(Self {
            record: RecordId::try_from(&record_id[..]).map_err(InvalidDeleteRecord::RecordId)?,
            version: RecordVersion::new(version).ok_or(InvalidDeleteRecord::Version)?,
            idem: IdemTag::try_from(&idem_tag[..]).map_err(InvalidDeleteRecord::IdemTag)?,
            content: ContentTag::try_from(&content_tag[..]).map_err(InvalidDeleteRecord::ContentTag)?,
        })
    }
}

impl From<DeleteRecord> for pb::DeleteRecord {
    fn from(delete: DeleteRecord) -> Self {
        let DeleteRecord { record, version, idem, content } = delete;
        Self {
            record_id: copied(record.as_bytes()),
            version: version.get(),
            idem_tag: copied(idem.as_bytes()),
            content_tag: copied(content.as_bytes()),
        }
    }
}

impl From<InvalidDeleteRecord> for Refusal {
    fn from(invalid: InvalidDeleteRecord) -> Self {
        Self::invalid(match invalid {
            InvalidDeleteRecord::RecordId(_) => "delete.record_id",
            InvalidDeleteRecord::Version => "delete.version",
            InvalidDeleteRecord::IdemTag(_) => "delete.idem_tag",
            InvalidDeleteRecord::ContentTag(_) => "delete.content_tag",
        })
    }
}
