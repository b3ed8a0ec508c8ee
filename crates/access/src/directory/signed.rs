//! How a directory travels, and who signs it.

use aws_lc_rs::digest::{SHA256, digest};
use bytes::{BufMut as _, Bytes, BytesMut};
use prost::Message as _;

use super::{DIRECTORY_MAX_BYTES, Directory, InvalidDirectory, format};
use crate::VerifyingKey;
use crate::statement::{Signed, Statement, StatementKey};

/// Most officers.
pub const OFFICERS_MAX: usize = 16;

const VERSION: u8 = 1;
const KEY: usize = 32;
const SIGNATURE: usize = KEY + 64;

/// Who signs directories, and how many of them must. Every process has them in its configuration, never from a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Officers {
    needed: usize,
    keys: Vec<VerifyingKey>,
}

/// What are no officers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("officers are 1 to {OFFICERS_MAX}, each once, and 1 to all of them must sign")]
pub struct InvalidOfficers;

/// A directory as it travels, with none of its signatures or more.
#[derive(Clone, PartialEq, Eq)]
pub struct SignedDirectory(Bytes);

/// The parts of one, of which nothing is judged.
struct Parts {
    /// Version byte and entries: what is signed.
    body: Bytes,
    /// Ascending by key.
    signatures: Vec<(VerifyingKey, [u8; 64])>,
}

impl Officers {
    /// Officers of whom `needed` must sign.
    ///
    /// # Errors
    /// [`InvalidOfficers`].
    pub fn new(needed: usize, mut keys: Vec<VerifyingKey>) -> Result<Self, InvalidOfficers> {
        keys.sort_unstable();
        let once = keys.is_sorted_by(|one, next| one < next);
        if once && keys.len() <= OFFICERS_MAX && (1..=keys.len()).contains(&needed) {
            Ok(Self { needed, keys })
        } else {
            Err(InvalidOfficers)
        }
    }
}

impl SignedDirectory {
    /// One that nobody has signed yet.
    ///
    /// # Errors
    /// [`InvalidDirectory::TooLong`].
    pub fn unsigned(directory: &Directory) -> Result<Self, InvalidDirectory> {
        let message = format::Directory::from(directory.entries());
        let mut body = BytesMut::with_capacity(1 + message.encoded_len());
        body.put_u8(VERSION);
        message.encode(&mut body).expect("a BytesMut grows as needed");
        Parts { body: body.freeze(), signatures: Vec::new() }.join()
    }

    /// What travelled. Nothing is judged until [`SignedDirectory::verify`].
    pub const fn from_bytes(bytes: Bytes) -> Self {
        Self(bytes)
    }

    /// As it travels.
    pub const fn as_bytes(&self) -> &Bytes {
        &self.0
    }

    /// With one officer's signature more.
    ///
    /// # Errors
    /// [`InvalidDirectory`], for bytes that have no form.
    pub fn sign(&self, officer: &StatementKey) -> Result<Self, InvalidDirectory> {
        let mut parts = self.parts()?;
        let signed = officer.sign(Statement::Directory, parts.body.clone());
        parts.add(officer.verifying_key(), signed.signature);
        parts.join()
    }

    /// With the signatures of both, where both are of the same directory.
    ///
    /// # Errors
    /// [`InvalidDirectory::Different`], and for bytes that have no form.
    pub fn combine(&self, other: &Self) -> Result<Self, InvalidDirectory> {
        let (mut parts, other) = (self.parts()?, other.parts()?);
        if parts.body != other.body {
            return Err(InvalidDirectory::Different);
        }
        for (key, signature) in other.signatures {
            parts.add(key, signature);
        }
        parts.join()
    }

    /// By whose keys it says that it is signed. Nothing is judged.
    ///
    /// # Errors
    /// [`InvalidDirectory`], for bytes that have no form.
    pub fn signers(&self) -> Result<Vec<VerifyingKey>, InvalidDirectory> {
        Ok(self.parts()?.signatures.into_iter().map(|(key, _)| key).collect())
    }

    /// SHA-256 of what is signed: what officers compare before they sign.
    ///
    /// # Errors
    /// [`InvalidDirectory`], for bytes that have no form.
    pub fn digest(&self) -> Result<[u8; 32], InvalidDirectory> {
        let digest = digest(&SHA256, &self.parts()?.body);
        Ok(digest.as_ref().try_into().expect("SHA-256 gives 32 bytes"))
    }

    /// Whether both are of the same entries, whoever signed.
    pub fn same_entries(&self, other: &Self) -> bool {
        matches!((self.parts(), other.parts()), (Ok(one), Ok(other)) if one.body == other.body)
    }

    /// Checks the officers' signatures, then reads. Signatures by keys that are no officer's count for nothing, so that a
    /// directory may be signed by those who leave and those who come.
    ///
    /// # Errors
    /// [`InvalidDirectory`]; the signatures are judged before a byte of the entries is.
    pub fn verify(&self, officers: &Officers) -> Result<Directory, InvalidDirectory> {
        let Parts { body, signatures } = self.parts()?;
        let mut signed = 0;
        for (key, signature) in signatures {
            if officers.keys.binary_search(&key).is_err() {
                continue;
            }
            if !(Signed { body: body.clone(), signature }).is_by(&key, Statement::Directory) {
                return Err(InvalidDirectory::Forged);
            }
            signed += 1;
        }
        if signed < officers.needed {
            return Err(InvalidDirectory::TooFew { signed, needed: officers.needed });
        }
        read(&body)
    }

    /// Reads without asking who signed: what officers are about to sign, and what was verified before it was stored.
    ///
    /// # Errors
    /// [`InvalidDirectory`].
    pub fn read_unverified(&self) -> Result<Directory, InvalidDirectory> {
        read(&self.parts()?.body)
    }

    fn parts(&self) -> Result<Parts, InvalidDirectory> {
        let len = self.0.len();
        if len > DIRECTORY_MAX_BYTES {
            return Err(InvalidDirectory::TooLong(len));
        }
        let (&count, rest) = self.0.split_last().ok_or(InvalidDirectory::TooShort(len))?;
        let count = usize::from(count);
        if count > OFFICERS_MAX {
            return Err(InvalidDirectory::Signatures);
        }
        let body = rest.len().checked_sub(count * SIGNATURE).filter(|body| *body >= 1);
        let (body, signatures) = rest.split_at(body.ok_or(InvalidDirectory::TooShort(len))?);
        let signatures: Vec<_> = signatures.as_chunks::<SIGNATURE>().0.iter().map(signature).collect();
        if signatures.is_sorted_by(|(one, _), (next, _)| one < next) {
            Ok(Parts { body: self.0.slice_ref(body), signatures })
        } else {
            Err(InvalidDirectory::Signatures)
        }
    }
}

/// A key and what it signed.
fn signature(bytes: &[u8; SIGNATURE]) -> (VerifyingKey, [u8; 64]) {
    let (key, signature) = bytes.split_first_chunk::<KEY>().expect("96 bytes begin with 32");
    (VerifyingKey::from_bytes(*key), signature.try_into().expect("and 64 bytes are left"))
}

fn read(body: &Bytes) -> Result<Directory, InvalidDirectory> {
    let (&version, entries) = body.split_first().ok_or(InvalidDirectory::TooShort(0))?;
    if version != VERSION {
        return Err(InvalidDirectory::Format(version));
    }
    Directory::try_from(format::read(body.slice_ref(entries))?)
}

impl Parts {
    /// Takes a signature in; the newer one of the same key.
    fn add(&mut self, key: VerifyingKey, signature: [u8; 64]) {
        match self.signatures.binary_search_by_key(&key, |(key, _)| *key) {
            Ok(at) => self.signatures[at].1 = signature,
            Err(at) => self.signatures.insert(at, (key, signature)),
        }
    }

    fn join(&self) -> Result<SignedDirectory, InvalidDirectory> {
        let len = self.body.len() + self.signatures.len() * SIGNATURE + 1;
        if len > DIRECTORY_MAX_BYTES {
            return Err(InvalidDirectory::TooLong(len));
        }
        let count = u8::try_from(self.signatures.len()).ok().filter(|count| usize::from(*count) <= OFFICERS_MAX);
        let count = count.ok_or(InvalidDirectory::Signatures)?;
        let mut bytes = BytesMut::with_capacity(len);
        bytes.put(self.body.clone());
        for (key, signature) in &self.signatures {
            bytes.put_slice(key.as_bytes());
            bytes.put_slice(signature);
        }
        bytes.put_u8(count);
        Ok(SignedDirectory(bytes.freeze()))
    }
}

impl core::fmt::Debug for SignedDirectory {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "SignedDirectory({} bytes)", self.0.len())
    }
}
