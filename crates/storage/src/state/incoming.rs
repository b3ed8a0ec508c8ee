use crate::StorageError;

/// Why a snapshot, or a piece of it, is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidSnapshot {
    /// More files than any state database has.
    #[error("too many files")]
    TooManyFiles,
    /// A name that is not a plain file name of a database.
    #[error("a file has an unacceptable name")]
    Name,
    /// Two files of one name.
    #[error("two files have one name")]
    DuplicateName,
    /// A piece of a file that was not announced.
    #[error("a piece belongs to no announced file")]
    UnknownFile,
    /// A piece that does not begin where the one before it ended.
    #[error("a piece does not continue its file")]
    OutOfOrder,
    /// More bytes than announced.
    #[error("a file is longer than announced")]
    TooLong,
    /// Fewer bytes than announced.
    #[error("a file is shorter than announced")]
    Incomplete,
    /// The content is not what was announced.
    #[error("a file does not have the announced hash")]
    Hash,
}

/// A snapshot being received. Dropping it deletes what was received.
#[derive(Debug)]
pub struct IncomingSnapshot {}

impl IncomingSnapshot {
    /// Takes a piece; the pieces of one file come in order.
    pub fn write_piece(&mut self, name: &str, offset: u64, piece: &[u8]) -> Result<(), StorageError> {
        let _ = (name, offset, piece);
        todo!()
    }

    /// Bytes received so far.
    pub fn received_bytes(&self) -> u64 {
        todo!()
    }

    /// Checks length and hash of every file and makes files and directory durable.
    pub fn verify(self) -> Result<VerifiedSnapshot, StorageError> {
        todo!()
    }
}

/// A received snapshot whose every file is as announced and durable; what
/// [`StateDb::install`](super::StateDb::install) takes. Dropping it deletes it.
#[derive(Debug)]
pub struct VerifiedSnapshot {}
