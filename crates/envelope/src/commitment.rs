//! Commitments: what the serving cell compares a document's patient with, without being told who the patient is.
//!
//! Sealed: version 1 | HPKE to the cell's key, of: for birth date, sex and member id each: there 1 | salt 32 | tag 16. What
//! is not there is zeros, so that all sealed commitments have one length.

use bytes::Bytes;
use renkei_ids::HeaderDigest;
use zeroize::Zeroizing;

use crate::hpke::{self, HPKE_OVERHEAD};
use crate::kdf::{Label, derive_tag};
use crate::random::random;
use crate::secret::secret;
use crate::{InvalidSealed, Random};

const COMMITMENT: Label = Label("renkei 2026-11 commitment");
const INFO: &[u8] = b"renkei 2026-11 sealed commitments";
const VERSION: u8 = 1;
const ITEM: usize = 1 + 32 + 16;

/// Bytes of sealed commitments.
pub const SEALED_COMMITMENTS_BYTES: usize = 1 + HPKE_OVERHEAD + 3 * ITEM;

secret!(
    /// A cell's private key for commitments. In the cell only.
    CellSecret
);
secret!(
    /// Random, one for each commitment.
    CommitmentSalt
);

/// The public half of a [`CellSecret`], which the directory names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CellKey([u8; 32]);

/// A key of a cell that nothing can be sealed to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("nothing can be sealed to the key of the cell")]
pub struct InvalidCellKey;

/// What is committed to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Attribute {
    /// The birth date, as `YYYY-MM-DD`.
    BirthDate = 1,
    /// The sex, as FHIR codes it.
    Sex = 2,
    /// The member id in its comparison form.
    MemberId = 3,
}

/// A commitment to one value. Without the salt it says nothing; with it, whoever guesses the value can tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commitment {
    salt: CommitmentSalt,
    tag: [u8; 16],
}

/// What the registrar commits to; what it does not know is absent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Commitments {
    /// To the birth date.
    pub birth_date: Option<Commitment>,
    /// To the sex.
    pub sex: Option<Commitment>,
    /// To the member id.
    pub member_id: Option<Commitment>,
}

impl Commitment {
    /// Commits to a value.
    pub fn new(attribute: Attribute, value: &str, source: &dyn Random) -> Self {
        let salt = CommitmentSalt::random(source);
        Self { tag: tag(&salt, attribute, value), salt }
    }

    /// Whether this is a commitment to the value.
    pub fn holds(&self, attribute: Attribute, value: &str) -> bool {
        let tag = tag(&self.salt, attribute, value);
        aws_lc_rs::constant_time::verify_slices_are_equal(&tag, &self.tag).is_ok()
    }
}

fn tag(salt: &CommitmentSalt, attribute: Attribute, value: &str) -> [u8; 16] {
    derive_tag(salt.expose(), COMMITMENT, &[&[attribute as u8], value.as_bytes()])
}

impl CellSecret {
    /// What is sealed to it.
    pub fn public(&self) -> CellKey {
        CellKey(hpke::public_key(&self.0))
    }

    /// Opens the commitments of the ticket with this header.
    ///
    /// # Errors
    /// [`InvalidSealed`], for another cell or ticket too.
    pub fn open_commitments(&self, digest: HeaderDigest, sealed: &[u8]) -> Result<Commitments, InvalidSealed> {
        let (&version, rest) = sealed.split_first().ok_or(InvalidSealed::TooShort(0))?;
        if version != VERSION {
            return Err(InvalidSealed::Format(version));
        }
        let content = hpke::open(&self.0, INFO, digest.as_bytes(), rest).map_err(|_| InvalidSealed::Tag)?;
        Commitments::from_bytes(&content).ok_or(InvalidSealed::Content("commitments"))
    }
}

impl CellKey {
    /// The key that these bytes are.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Seals commitments for the ticket with this header.
    ///
    /// # Errors
    /// When the key is a point of low order, which no cell has.
    pub fn seal_commitments(
        &self,
        digest: HeaderDigest,
        commitments: &Commitments,
        source: &dyn Random,
    ) -> Result<Bytes, InvalidCellKey> {
        let once = Zeroizing::new(random(source));
        let sealed = hpke::seal(&self.0, INFO, digest.as_bytes(), &commitments.to_bytes(), &once);
        sealed.map(|sealed| [&[VERSION][..], &sealed].concat().into()).map_err(|_| InvalidCellKey)
    }
}

impl Commitments {
    fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let Self { birth_date, sex, member_id } = self;
        let mut bytes = Zeroizing::new(Vec::with_capacity(3 * ITEM));
        for commitment in [birth_date, sex, member_id] {
            match commitment {
                Some(Commitment { salt, tag }) => {
                    bytes.push(1);
                    bytes.extend(salt.expose());
                    bytes.extend(tag);
                }
                None => bytes.extend([0; ITEM]),
            }
        }
        bytes
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (items, []) = bytes.as_chunks::<ITEM>() else { return None };
        let [birth_date, sex, member_id] = items else { return None };
        Some(Self { birth_date: read(birth_date)?, sex: read(sex)?, member_id: read(member_id)? })
    }
}

/// `None` where the bytes are neither a commitment nor the absence of one.
fn read(bytes: &[u8; ITEM]) -> Option<Option<Commitment>> {
    let (&there, rest) = bytes.split_first()?;
    let (salt, tag) = rest.split_first_chunk::<32>()?;
    match there {
        0 => (*bytes == [0; ITEM]).then_some(None),
        1 => Some(Some(Commitment { salt: CommitmentSalt::from_bytes(*salt), tag: tag.try_into().ok()? })),
        _ => None,
    }
}
