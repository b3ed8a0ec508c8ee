use renkei_ids::RecordVersion;

use crate::Stored;
use crate::pb::node::v1 as pb;

/// A stored version that cannot be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidStored {
    /// The version is missing or 0.
    #[error("stored version is 0")]
    Version,
}

impl TryFrom<pb::Stored> for Stored {
    type Error = InvalidStored;

    fn try_from(message: pb::Stored) -> Result<Self, InvalidStored> {
        let pb::Stored { version, replayed } = message;
        Ok(Self { version: RecordVersion::new(version).ok_or(InvalidStored::Version)?, replayed })
    }
}

impl From<Stored> for pb::Stored {
    fn from(stored: Stored) -> Self {
        let Stored { version, replayed } = stored;
        Self { version: version.get(), replayed }
    }
}
