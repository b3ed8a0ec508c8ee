//! How the directory travels between processes, and why somebody is not served by it.

use renkei_access::{NotServed, NotTaken, SignedDirectory};
use renkei_ids::DirectoryVersion;

use crate::{ErrorCode, Refusal};

/// Asks a vault or a registrar to take a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublishRequest(pub SignedDirectory);

/// It holds this version now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PublishReply(pub DirectoryVersion);

/// Asks for a directory that is newer than the one that the caller has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CurrentRequest(pub Option<DirectoryVersion>);

/// What a replica holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CurrentReply {
    /// None.
    Nothing,
    /// This version, which is not newer than the caller's.
    NotNewer(DirectoryVersion),
    /// A newer one.
    Newer {
        /// As the replica says; whoever believes only the signatures reads it from the directory.
        version: DirectoryVersion,
        /// Of which nothing is judged.
        directory: SignedDirectory,
    },
}

impl From<NotTaken> for Refusal {
    fn from(not: NotTaken) -> Self {
        match not {
            NotTaken::Invalid(_) => Self::new(ErrorCode::DirectoryInvalid),
            NotTaken::NotYetValid => Self::new(ErrorCode::DirectoryNotYetValid),
            NotTaken::NotNewer { held, offered: _ } => Self::new(ErrorCode::DirectoryNotNewer).with_current(held.0),
            NotTaken::Known | NotTaken::DenyEpoch { .. } | NotTaken::PseudonymEpoch(_) => {
                Self::new(ErrorCode::DirectoryNotNewer)
            }
        }
    }
}

impl From<NotServed> for Refusal {
    fn from(not: NotServed) -> Self {
        Self::new(match not {
            NotServed::NotEnrolled => ErrorCode::InstitutionNotEnrolled,
            NotServed::Denied => ErrorCode::InstitutionDenied,
            NotServed::NoCell | NotServed::OtherCell => ErrorCode::CellNotServing,
        })
    }
}
