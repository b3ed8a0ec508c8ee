//! Stored forms without their types: for fuzzers, and for tools that look at a disk.

use std::path::Path;

use bytes::Bytes;

use crate::{DirOwner, log, state};

/// What bytes are said to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// The marker of a directory's owner.
    Owner,
    /// The list of a snapshot's files.
    FileList,
    /// The record of a purged log.
    Purge,
}

impl Form {
    /// Every form.
    pub const ALL: [Self; 3] = [Self::Owner, Self::FileList, Self::Purge];

    /// Reads a form and writes it again: the one form that this build writes for what it read. `None` for bytes that are
    /// not of this form.
    pub fn rewrite(self, bytes: &[u8]) -> Option<Vec<u8>> {
        match self {
            Self::Owner => DirOwner::decode(bytes, Path::new("OWNER")).ok().map(|owner| owner.encode().into_bytes()),
            Self::FileList => state::rewrite_file_list(bytes).map(String::into_bytes),
            Self::Purge => log::rewrite_purge(&Bytes::copy_from_slice(bytes)).map(|record| record.to_vec()),
        }
    }
}
