use renkei_ids::{InvalidLength, RecordId, RecordVersion};

use super::copied;
use crate::pb::node::v1 as pb;
use crate::{GetRecord, Refusal};

/// A `get` that cannot be served.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidGetRecord {
    /// The record id.
    #[error("record id of a get")]
    RecordId(#[source] InvalidLength),
}

impl TryFrom<pb::GetRecord> for GetRecord {
    type Error = InvalidGetRecord;

    fn try_from(message: pb::GetRecord) -> Result<Self, InvalidGetRecord> {
        let pb::GetRecord { record_id, version, with_body } = message;
        Ok(Self {
            record: RecordId::try_from(&record_id[..]).map_err(InvalidGetRecord::RecordId)?,
            version: RecordVersion::new(version),
            with_body,
        })
    }
}

impl From<GetRecord> for pb::GetRecord {
    fn from(get: GetRecord) -> Self {
        let GetRecord { record, version, with_body } = get;
        Self { record_id: copied(record.as_bytes()), version: version.map_or(0, RecordVersion::get), with_body }
    }
}

impl From<InvalidGetRecord> for Refusal {
    fn from(invalid: InvalidGetRecord) -> Self {
        match invalid {
            InvalidGetRecord::RecordId(_) => Self::invalid("get.record_id"),
        }
    }
}
