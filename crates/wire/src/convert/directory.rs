use renkei_access::SignedDirectory;
use renkei_ids::DirectoryVersion;

use crate::Refusal;
use crate::bounds::{InvalidSize, filled};
use crate::directory::{CurrentReply, CurrentRequest, PublishReply, PublishRequest};
use crate::limits::DIRECTORY_MAX_BYTES;
use crate::pb::directory::v1 as pb;

/// A message about the directory that does not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidDirectoryMessage {
    /// No directory, or one over the limit.
    #[error("bytes of a directory")]
    Directory(#[source] InvalidSize),
    /// Versions begin with 1.
    #[error("version of a directory")]
    Version,
}

fn version(raw: u64) -> Option<DirectoryVersion> {
    (raw != 0).then_some(DirectoryVersion(raw))
}

impl TryFrom<pb::PublishRequest> for PublishRequest {
    type Error = InvalidDirectoryMessage;

    fn try_from(message: pb::PublishRequest) -> Result<Self, InvalidDirectoryMessage> {
        let pb::PublishRequest { directory } = message;
        let directory = filled(directory, DIRECTORY_MAX_BYTES).map_err(InvalidDirectoryMessage::Directory)?;
        Ok(Self(SignedDirectory::from_bytes(directory)))
    }
}

impl From<PublishRequest> for pb::PublishRequest {
    fn from(PublishRequest(directory): PublishRequest) -> Self {
        Self { directory: directory.as_bytes().clone() }
    }
}

impl TryFrom<pb::PublishReply> for PublishReply {
    type Error = InvalidDirectoryMessage;

    fn try_from(message: pb::PublishReply) -> Result<Self, InvalidDirectoryMessage> {
        let pb::PublishReply { version: raw } = message;
        version(raw).map(Self).ok_or(InvalidDirectoryMessage::Version)
    }
}

impl From<PublishReply> for pb::PublishReply {
    fn from(PublishReply(version): PublishReply) -> Self {
        Self { version: version.0 }
    }
}

impl From<pb::CurrentRequest> for CurrentRequest {
    fn from(message: pb::CurrentRequest) -> Self {
        let pb::CurrentRequest { known } = message;
        Self(version(known))
    }
}

impl From<CurrentRequest> for pb::CurrentRequest {
    fn from(CurrentRequest(known): CurrentRequest) -> Self {
        Self { known: known.map_or(0, |DirectoryVersion(raw)| raw) }
    }
}

impl TryFrom<pb::CurrentReply> for CurrentReply {
    type Error = InvalidDirectoryMessage;

    fn try_from(message: pb::CurrentReply) -> Result<Self, InvalidDirectoryMessage> {
        let pb::CurrentReply { version: raw, directory } = message;
        let Some(version) = version(raw) else {
            return if directory.is_empty() { Ok(Self::Nothing) } else { Err(InvalidDirectoryMessage::Version) };
        };
        if directory.is_empty() {
            return Ok(Self::NotNewer(version));
        }
        let directory = filled(directory, DIRECTORY_MAX_BYTES).map_err(InvalidDirectoryMessage::Directory)?;
        Ok(Self::Newer { version, directory: SignedDirectory::from_bytes(directory) })
    }
}

impl From<CurrentReply> for pb::CurrentReply {
    fn from(reply: CurrentReply) -> Self {
        match reply {
            CurrentReply::Nothing => Self::default(),
            CurrentReply::NotNewer(version) => Self { version: version.0, ..Self::default() },
            CurrentReply::Newer { version, directory } => {
                Self { version: version.0, directory: directory.as_bytes().clone() }
            }
        }
    }
}

impl From<InvalidDirectoryMessage> for Refusal {
    fn from(invalid: InvalidDirectoryMessage) -> Self {
        match invalid {
            InvalidDirectoryMessage::Directory(size) => size.refusal("directory"),
            InvalidDirectoryMessage::Version => Self::invalid("version"),
        }
    }
}
