//! Sealing: AES-256-GCM with a random nonce behind a version byte. What a sealed thing is about is associated data, so
//! that it opens nowhere else.
//!
//! ```text
//! version 1 | nonce 12 | ciphertext | tag 16
//! associated data: label | 0 | for each part: length 4, big-endian | part
//! ```

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use zeroize::Zeroizing;

use crate::Random;
use crate::kdf::{Label, labelled};
use crate::random::random;

const VERSION: u8 = 1;
const TAG_LEN: usize = 16;

/// Bytes that sealing adds.
pub const SEAL_OVERHEAD: usize = 1 + NONCE_LEN + TAG_LEN;

/// Sealed bytes that do not open here. They say nothing about why a tag does not hold: another key, another place and
/// a changed byte are one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSealed {
    /// Fewer bytes than sealing adds.
    #[error("sealed bytes are {0}, fewer than sealing adds")]
    TooShort(usize),
    /// A format version this build does not read.
    #[error("sealed format {0} is unknown")]
    Format(u8),
    /// The tag does not hold.
    #[error("sealed bytes do not open under this key in this place")]
    Tag,
    /// It opens, and what is inside has not the form of what it should be.
    #[error("sealed content is no {0}")]
    Content(&'static str),
}

/// Seals `content` under a key, bound to a label and parts.
pub(crate) fn seal(key: &[u8; 32], label: Label, parts: &[&[u8]], content: &[u8], source: &dyn Random) -> Vec<u8> {
    let nonce: [u8; NONCE_LEN] = random(source);
    let mut sealed = Vec::with_capacity(SEAL_OVERHEAD + content.len());
    sealed.push(VERSION);
    sealed.extend(nonce);
    sealed.extend(content);
    let tag = cipher(key)
        .seal_in_place_separate_tag(
            Nonce::assume_unique_for_key(nonce),
            Aad::from(labelled(label, parts)),
            &mut sealed[1 + NONCE_LEN..],
        )
        .expect("AES-256-GCM seals up to 64 GiB");
    sealed.extend(tag.as_ref());
    sealed
}

/// Opens what [`seal`] made under the same key, label and parts.
pub(crate) fn open(
    key: &[u8; 32],
    label: Label,
    parts: &[&[u8]],
    sealed: &[u8],
) -> Result<Zeroizing<Vec<u8>>, InvalidSealed> {
    if sealed.len() < SEAL_OVERHEAD {
        return Err(InvalidSealed::TooShort(sealed.len()));
    }
    let (version, rest) = (sealed[0], &sealed[1..]);
    if version != VERSION {
        return Err(InvalidSealed::Format(version));
    }
    let (nonce, rest) = rest.split_first_chunk::<NONCE_LEN>().expect("the length was checked");
    let (ciphertext, tag) = rest.split_at(rest.len() - TAG_LEN);
    let mut content = Zeroizing::new(vec![0; ciphertext.len()]);
    cipher(key)
        .open_separate_gather(
            Nonce::assume_unique_for_key(*nonce),
            Aad::from(labelled(label, parts)),
            ciphertext,
            tag,
            &mut content,
        )
        .map_err(|_| InvalidSealed::Tag)?;
    Ok(content)
}

/// Opens 32 bytes.
pub(crate) fn open_secret(
    key: &[u8; 32],
    label: Label,
    parts: &[&[u8]],
    sealed: &[u8],
) -> Result<Zeroizing<[u8; 32]>, InvalidSealed> {
    let content = open(key, label, parts, sealed)?;
    content[..].try_into().map(Zeroizing::new).map_err(|_| InvalidSealed::Content("key"))
}

fn cipher(key: &[u8; 32]) -> LessSafeKey {
    LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key).expect("an AES-256 key has 32 bytes"))
}
