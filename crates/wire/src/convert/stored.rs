use renkei_ids::{InvalidLength, RecordId, RecordVersion};

use super::copied;
use crate::Stored;
use crate::pb::node::v1 as pb;

/// A stored version that cannot be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidStored {
    /// The record's id is missing or of another length.
    #[error("reading the record id")]
    RecordId(#[source] InvalidLength),
    /// The version is missing or 0.
    #[error("stored version is 0")]
    Version,
}

impl TryFrom<pb::Stored> for Stored {
    type Error = InvalidStored;

    fn try_from(message: pb::Stored) -> Result<Self, InvalidStored> {
        let pb::Stored { version, replayed, record_id } = message;
        Ok(Self {
            record: RecordId::try_from(&record_id[..]).map_err(InvalidStored::RecordId)?,
            version: RecordVersion::new(version).ok_or(InvalidStored::Version)?,
            replayed,
        })
    }
}

impl From<Stored> for pb::Stored {
    fn from(stored: Stored) -> Self {
        let Stored { record, version, replayed } = stored;
        Self { version: version.get(), replayed, record_id: copied(record.as_bytes()) }
    }
}
