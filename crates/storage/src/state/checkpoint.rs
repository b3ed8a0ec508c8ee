use bytes::Bytes;

use super::SystemKey;
use crate::StorageError;

/// One file of a snapshot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SnapshotFile {
    /// Name without a directory, such as `000012.sst`.
    pub name: String,
    /// Length, bytes.
    pub len: u64,
    /// SHA-256 of the content.
    pub sha256: [u8; 32],
}

/// A state database as files that no longer change. Clones share them.
#[derive(Clone, Debug)]
pub struct Checkpoint {}

impl Checkpoint {
    /// The files.
    pub fn files(&self) -> &[SnapshotFile] {
        todo!()
    }

    /// Length of all files, bytes.
    pub fn total_bytes(&self) -> u64 {
        todo!()
    }

    /// The applied marker, as the checkpoint itself holds it.
    pub fn applied(&self) -> Option<Bytes> {
        todo!()
    }

    /// A system blob, as the checkpoint itself holds it.
    pub fn system(&self, key: SystemKey) -> Option<Bytes> {
        let _ = key;
        todo!()
    }

    /// Up to `len` bytes of a file from `offset` on; shorter only at its end.
    pub fn read_piece(&self, name: &str, offset: u64, len: usize) -> Result<Bytes, StorageError> {
        let _ = (name, offset, len);
        todo!()
    }
}
