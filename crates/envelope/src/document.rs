//! Documents and summaries as a node stores them: compressed, then sealed under their record key.
//!
//! Inside the seal: codec 1 | length of the plain content 4, big-endian | content. Codec 0 is the content as it is,
//! 1 is zstd without a dictionary. Content is compressed only where that makes it shorter.

use bytes::Bytes;
use renkei_ids::{ClassTag, RecordId, RecordVersion};
use zeroize::Zeroizing;

use crate::kdf::Label;
use crate::seal::{SEAL_OVERHEAD, open, seal};
use crate::{InvalidSealed, Patient, Random, RecordKey};

const CONTENT: Label = Label("renkei 2026-11 record");
const AS_IS: u8 = 0;
const ZSTD: u8 = 1;
const HEAD: usize = 5;
/// Past this level time grows faster than size shrinks: performance is bound by CPU at the gateway.
const LEVEL: i32 = 3;

/// Most bytes that sealing adds to a document.
pub const DOCUMENT_OVERHEAD: usize = SEAL_OVERHEAD + HEAD;

/// Where a sealed document belongs. It opens nowhere else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DocumentPlace {
    /// Whose.
    pub patient: Patient,
    /// Which record.
    pub record: RecordId,
    /// Which version of it.
    pub version: RecordVersion,
    /// Which part of it, as the node knows the class.
    pub class: ClassTag,
}

/// A document that is not sealed, or not opened.
#[derive(Debug, thiserror::Error)]
pub enum DocumentError {
    /// It is over the caller's limit, or the 4 GiB that the format can say.
    #[error("document of {actual} bytes is over the limit of {limit}")]
    TooLong {
        /// What it has, or says it has.
        actual: usize,
        /// What is taken.
        limit: usize,
    },
    /// The seal.
    #[error("opening the seal of a document")]
    Sealed(#[from] InvalidSealed),
    /// The compression.
    #[error("compression of a document")]
    Compression(#[source] std::io::Error),
    /// It is not as long as it says.
    #[error("length of a document is not what it says")]
    Length,
    /// A codec that this build does not read.
    #[error("codec {0} of a document is unknown")]
    Codec(u8),
}

impl RecordKey {
    /// Compresses and seals.
    ///
    /// # Errors
    /// Content of 4 GiB and more, or a compressor out of memory.
    pub fn seal_document(
        &self,
        place: &DocumentPlace,
        content: &[u8],
        source: &dyn Random,
    ) -> Result<Bytes, DocumentError> {
        let limit = u32::MAX as usize;
        let length = u32::try_from(content.len())
            .map_err(|_| DocumentError::TooLong { actual: content.len(), limit })?
            .to_be_bytes();
        let compressed = Zeroizing::new(zstd::bulk::compress(content, LEVEL).map_err(DocumentError::Compression)?);
        let (codec, body) = if compressed.len() < content.len() { (ZSTD, &compressed[..]) } else { (AS_IS, content) };
        let inside = Zeroizing::new([&[codec][..], &length, body].concat());
        Ok(place.with_parts(|parts| seal(self.expose(), CONTENT, parts, &inside, source)).into())
    }

    /// Opens and inflates to at most `limit` bytes; no more memory than that is taken, whatever the content says.
    ///
    /// # Errors
    /// [`DocumentError`], for another record key or place too.
    pub fn open_document(
        &self,
        place: &DocumentPlace,
        sealed: &[u8],
        limit: usize,
    ) -> Result<Zeroizing<Vec<u8>>, DocumentError> {
        let inside = place.with_parts(|parts| open(self.expose(), CONTENT, parts, sealed))?;
        let Some((&[codec, ref length @ ..], body)) = inside.split_first_chunk::<HEAD>() else {
            return Err(InvalidSealed::Content("document").into());
        };
        let length = u32::from_be_bytes(*length) as usize;
        if length > limit {
            return Err(DocumentError::TooLong { actual: length, limit });
        }
        let content = match codec {
            AS_IS => Zeroizing::new(body.to_vec()),
            ZSTD => Zeroizing::new(zstd::bulk::decompress(body, length).map_err(DocumentError::Compression)?),
            unknown => return Err(DocumentError::Codec(unknown)),
        };
        if content.len() == length { Ok(content) } else { Err(DocumentError::Length) }
    }
}

impl DocumentPlace {
    fn with_parts<T>(&self, then: impl FnOnce(&[&[u8]]) -> T) -> T {
        let Self { patient: Patient { cloud, pid }, record, version, class } = self;
        let version = version.get().to_be_bytes();
        then(&[cloud.as_bytes(), pid.as_bytes(), record.as_bytes(), &version, class.as_bytes()])
    }
}
