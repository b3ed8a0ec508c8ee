//! The capability: what a node needs to see before it serves a pid, signed by the vault of its cloud.
//!
//! Stored and sent as a version byte, then a protobuf-encoded body; the Ed25519 signature (RFC 8032) covers a domain
//! string and exactly those bytes. A capability holds no key.

use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use bytes::{BufMut as _, Bytes, BytesMut};
use prost::Message as _;
use renkei_ids::{
    CapabilityId, ClassTag, InstTag, InvalidLength, KeyHash, MonthBucket, Pid, RecordId, RecordVersion, UnixMillis,
};

/// Most bytes of an encoded capability.
pub const CAPABILITY_MAX_BYTES: usize = 8 * 1024;
/// Most class tags in one capability.
pub const CLASSES_MAX: usize = 64;
/// Most records that one capability can name: a bulk write takes 64 documents in a call.
pub const RECORDS_MAX: usize = 64;
/// Most bytes of a sealed audit stub.
pub const STUB_MAX_BYTES: usize = 1024;

const FORMAT: u8 = 1;
const DOMAIN: &[u8] = b"renkei capability v1\0";

/// What a capability allows, as a set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scope(u8);

impl Scope {
    /// Nothing.
    pub const NONE: Self = Self(0);
    /// Records and timelines may be read.
    pub const READ: Self = Self(1);
    /// Records may be put and replaced.
    pub const WRITE: Self = Self(2);
    /// Records may be deleted.
    pub const DELETE: Self = Self(4);
    /// Rules may be set and capabilities revoked.
    pub const RULES: Self = Self(8);
    /// Audit rows may be listed.
    pub const AUDIT: Self = Self(16);

    const KNOWN: u8 = 31;

    /// Both sets together.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// What of it is not in the other.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// The set as bits, for encoding.
    pub const fn bits(self) -> u8 {
        self.0
    }

    /// From encoded bits; `None` where one is unknown.
    pub fn from_bits(bits: u32) -> Option<Self> {
        u8::try_from(bits).ok().filter(|bits| bits & !Self::KNOWN == 0).map(Self)
    }

    /// Whether every part of `other` is allowed.
    pub const fn allows(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

/// Why records are asked for. There is no other purpose: an unknown one is refused, not mapped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Purpose {
    /// Treatment of a patient who is present.
    Care = 1,
    /// Emergency treatment.
    Emergency = 2,
    /// The patient's own view.
    Own = 3,
    /// Repair of a wrong link, under dual control.
    Repair = 4,
    /// Report after a breach, under dual control.
    Report = 5,
}

impl Purpose {
    /// From its encoded number; `None` where it is unknown.
    pub fn from_raw(raw: u32) -> Option<Self> {
        [Self::Care, Self::Emergency, Self::Own, Self::Repair, Self::Report]
            .into_iter()
            .find(|purpose| u32::from(*purpose as u8) == raw)
    }
}

/// Months, both ends included, whose records may be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Period {
    /// First month.
    pub from: MonthBucket,
    /// Last month.
    pub to: MonthBucket,
}

impl Period {
    /// Every month.
    pub const ALL: Self = Self { from: MonthBucket::MIN, to: MonthBucket::MAX };

    /// Whether the month lies inside.
    pub fn contains(&self, month: MonthBucket) -> bool {
        self.from <= month && month <= self.to
    }
}

/// One record that a capability names: what a put may store, or all that an own-record read may see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecordGrant {
    /// The record.
    pub record: RecordId,
    /// The version to be stored, or the newest that may be read.
    pub version: RecordVersion,
}

/// What a vault grants to one gateway for one patient.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Capability {
    /// Random id; the unit of revocation.
    pub id: CapabilityId,
    /// The patient.
    pub pid: Pid,
    /// The institution on whose behalf the gateway asks.
    pub institution: InstTag,
    /// Classes of record that may be read or written, at most [`CLASSES_MAX`].
    pub classes: Vec<ClassTag>,
    /// Months that may be read.
    pub period: Period,
    /// What may be done.
    pub scope: Scope,
    /// Why.
    pub purpose: Purpose,
    /// When the vault signed.
    pub issued: UnixMillis,
    /// The first moment at which it is no longer taken.
    pub expires: UnixMillis,
    /// The gateway that may present it: SHA-256 of the key of its certificate.
    pub gateway: KeyHash,
    /// Who asks and why, sealed under the patient's log key; at most [`STUB_MAX_BYTES`].
    pub stub: Bytes,
    /// Records named one by one, at most [`RECORDS_MAX`]. A write needs its record here; a read is limited to them
    /// when there are any.
    pub records: Vec<RecordGrant>,
}

/// A capability and its signature, as they travel.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SignedCapability {
    /// Version byte and encoded body.
    pub body: Bytes,
    /// Ed25519 signature over the domain string and the body.
    pub signature: [u8; 64],
}

/// Bytes that are no capability.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidCapability {
    /// More than [`CAPABILITY_MAX_BYTES`].
    #[error("capability of {0} bytes is over the limit")]
    TooLong(usize),
    /// The signature does not hold under any key of this cloud's vault.
    #[error("signature of the capability does not hold")]
    Signature,
    /// A format version this build does not read.
    #[error("capability format {0} is unknown")]
    Format(u8),
    /// No protobuf message, or one without a part that must be there.
    #[error("capability has no readable {0}")]
    Malformed(&'static str),
    /// A field of the wrong length.
    #[error("capability field: {0}")]
    Length(#[from] InvalidLength),
}

/// Why a valid capability does not serve here and now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CapabilityRefusal {
    /// The gateway that presents it is not the one it names.
    #[error("capability names another gateway")]
    OtherGateway,
    /// Its end has come.
    #[error("capability has expired")]
    Expired,
    /// It was issued more than [`Capability::ISSUE_LEEWAY_MILLIS`] ahead of the verifier's clock.
    #[error("capability is not valid yet")]
    NotYetValid,
    /// Its scope does not hold the operation.
    #[error("capability does not allow this operation")]
    Scope,
}

impl Capability {
    /// How far ahead of the verifier's clock an issue time may lie.
    pub const ISSUE_LEEWAY_MILLIS: u64 = 60_000;

    /// Encodes and signs.
    ///
    /// # Errors
    /// When the result would be over [`CAPABILITY_MAX_BYTES`] or a list over its limit.
    pub fn sign(&self, key: &SigningKey) -> Result<SignedCapability, InvalidCapability> {
        self.check_limits()?;
        let message = format::Body::from(self);
        let mut body = BytesMut::with_capacity(1 + message.encoded_len());
        body.put_u8(FORMAT);
        message.encode(&mut body).expect("a BytesMut grows as needed");
        if body.len() > CAPABILITY_MAX_BYTES {
            return Err(InvalidCapability::TooLong(body.len()));
        }
        let signature = key.sign(&body);
        Ok(SignedCapability { body: body.freeze(), signature })
    }

    /// Whether this gateway may use it now for `needed`. Expiry is by the verifier's clock, without leeway.
    ///
    /// # Errors
    /// The first reason against.
    pub fn admits(&self, presenter: &KeyHash, now: UnixMillis, needed: Scope) -> Result<(), CapabilityRefusal> {
        if self.gateway != *presenter {
            return Err(CapabilityRefusal::OtherGateway);
        }
        if now >= self.expires {
            return Err(CapabilityRefusal::Expired);
        }
        if self.issued > now.plus_millis(Self::ISSUE_LEEWAY_MILLIS) {
            return Err(CapabilityRefusal::NotYetValid);
        }
        if !self.scope.allows(needed) {
            return Err(CapabilityRefusal::Scope);
        }
        Ok(())
    }

    /// Whether a record may be read under it: its class, month and, where records are named, its id.
    pub fn covers(&self, class: ClassTag, month: MonthBucket, record: RecordId) -> bool {
        self.classes.contains(&class)
            && self.period.contains(month)
            && (self.records.is_empty() || self.records.iter().any(|grant| grant.record == record))
    }

    /// Whether a put may store this version of this record under it.
    pub fn grants_write(&self, record: RecordId, version: RecordVersion) -> bool {
        self.records.contains(&RecordGrant { record, version })
    }

    fn check_limits(&self) -> Result<(), InvalidCapability> {
        if self.classes.len() > CLASSES_MAX {
            return Err(InvalidCapability::Malformed("class list within its limit"));
        }
        if self.records.len() > RECORDS_MAX {
            return Err(InvalidCapability::Malformed("record list within its limit"));
        }
        if self.stub.len() > STUB_MAX_BYTES {
            return Err(InvalidCapability::Malformed("stub within its limit"));
        }
        Ok(())
    }
}

impl SignedCapability {
    /// Checks the signature, then reads the body.
    ///
    /// # Errors
    /// [`InvalidCapability`]; the signature is judged before a byte of the body is.
    pub fn verify(&self, keys: &[VerifyingKey]) -> Result<Capability, InvalidCapability> {
        if self.body.len() > CAPABILITY_MAX_BYTES {
            return Err(InvalidCapability::TooLong(self.body.len()));
        }
        if !keys.iter().any(|key| key.verifies(&self.body, &self.signature)) {
            return Err(InvalidCapability::Signature);
        }
        let (&version, rest) = self.body.split_first().ok_or(InvalidCapability::Malformed("format version"))?;
        if version != FORMAT {
            return Err(InvalidCapability::Format(version));
        }
        let body = format::Body::decode(self.body.slice_ref(rest)).map_err(|_| InvalidCapability::Malformed("body"))?;
        let capability = Capability::try_from(body)?;
        capability.check_limits()?;
        Ok(capability)
    }
}

/// The vault's key for capabilities. Only a vault holds one.
pub struct SigningKey(Ed25519KeyPair);

impl core::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("SigningKey(..)")
    }
}

impl SigningKey {
    /// The key that grows from a 32-byte seed.
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self(Ed25519KeyPair::from_seed_unchecked(seed).expect("every 32-byte string is an Ed25519 seed"))
    }

    /// What nodes check with.
    pub fn verifying_key(&self) -> VerifyingKey {
        let bytes = self.0.public_key().as_ref().try_into().expect("an Ed25519 public key has 32 bytes");
        VerifyingKey(bytes)
    }

    fn sign(&self, body: &[u8]) -> [u8; 64] {
        self.0.sign(&signed_bytes(body)).as_ref().try_into().expect("an Ed25519 signature has 64 bytes")
    }
}

/// The public half of a [`SigningKey`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct VerifyingKey([u8; 32]);

impl VerifyingKey {
    /// The key that these bytes are. Whether they name a point shows when a signature is checked.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// From 64 hexadecimal digits, as configuration holds it.
    pub fn from_hex(text: &str) -> Option<Self> {
        if text.len() != 64 || !text.is_ascii() {
            return None;
        }
        let mut bytes = [0; 32];
        for (byte, digits) in bytes.iter_mut().zip(text.as_bytes().as_chunks::<2>().0) {
            let digits = core::str::from_utf8(digits).ok().filter(|digits| !digits.starts_with('+'))?;
            *byte = u8::from_str_radix(digits, 16).ok()?;
        }
        Some(Self(bytes))
    }

    /// As 64 hexadecimal digits.
    pub fn to_hex(&self) -> String {
        self.0
            .iter()
            .flat_map(|byte| [byte >> 4, byte & 15])
            .map(|digit| char::from(b"0123456789abcdef"[usize::from(digit)]))
            .collect()
    }

    fn verifies(&self, body: &[u8], signature: &[u8; 64]) -> bool {
        UnparsedPublicKey::new(&ED25519, self.0).verify(&signed_bytes(body), signature).is_ok()
    }
}

fn signed_bytes(body: &[u8]) -> Vec<u8> {
    [DOMAIN, body].concat()
}

impl From<&Capability> for format::Body {
    fn from(capability: &Capability) -> Self {
        let Capability {
            id,
            pid,
            institution,
            classes,
            period,
            scope,
            purpose,
            issued,
            expires,
            gateway,
            stub,
            records,
        } = capability;
        Self {
            id: Bytes::copy_from_slice(id.as_bytes()),
            pid: Bytes::copy_from_slice(pid.as_bytes()),
            institution: Bytes::copy_from_slice(institution.as_bytes()),
            classes: classes.iter().map(|class| Bytes::copy_from_slice(class.as_bytes())).collect(),
            from_month: u32::from(period.from.raw()),
            to_month: u32::from(period.to.raw()),
            scope: u32::from(scope.0),
            purpose: u32::from(*purpose as u8),
            issued_ms: issued.0,
            expires_ms: expires.0,
            gateway: Bytes::copy_from_slice(gateway.as_bytes()),
            stub: stub.clone(),
            records: records
                .iter()
                .map(|grant| format::Record {
                    id: Bytes::copy_from_slice(grant.record.as_bytes()),
                    version: grant.version.get(),
                })
                .collect(),
        }
    }
}

impl TryFrom<format::Body> for Capability {
    type Error = InvalidCapability;

    fn try_from(body: format::Body) -> Result<Self, InvalidCapability> {
        let format::Body {
            id,
            pid,
            institution,
            classes,
            from_month,
            to_month,
            scope,
            purpose,
            issued_ms,
            expires_ms,
            gateway,
            stub,
            records,
        } = body;
        let month = |raw: u32| {
            u16::try_from(raw).map(MonthBucket::from_raw).map_err(|_| InvalidCapability::Malformed("period"))
        };
        Ok(Self {
            id: CapabilityId::try_from(&id[..])?,
            pid: Pid::try_from(&pid[..])?,
            institution: InstTag::try_from(&institution[..])?,
            classes: classes.iter().map(|class| ClassTag::try_from(&class[..])).collect::<Result<_, _>>()?,
            period: Period { from: month(from_month)?, to: month(to_month)? },
            scope: Scope::from_bits(scope).ok_or(InvalidCapability::Malformed("scope"))?,
            purpose: Purpose::from_raw(purpose).ok_or(InvalidCapability::Malformed("purpose"))?,
            issued: UnixMillis(issued_ms),
            expires: UnixMillis(expires_ms),
            gateway: KeyHash::try_from(&gateway[..])?,
            stub,
            records: records.into_iter().map(RecordGrant::try_from).collect::<Result<_, _>>()?,
        })
    }
}

impl TryFrom<format::Record> for RecordGrant {
    type Error = InvalidCapability;

    fn try_from(record: format::Record) -> Result<Self, InvalidCapability> {
        let format::Record { id, version } = record;
        Ok(Self {
            record: RecordId::try_from(&id[..])?,
            version: RecordVersion::new(version).ok_or(InvalidCapability::Malformed("record version"))?,
        })
    }
}

mod format {
    use bytes::Bytes;

    #[derive(Clone, PartialEq, Eq, prost::Message)]
    pub(super) struct Body {
        #[prost(bytes = "bytes", tag = "1")]
        pub(super) id: Bytes,
        #[prost(bytes = "bytes", tag = "2")]
        pub(super) pid: Bytes,
        #[prost(bytes = "bytes", tag = "3")]
        pub(super) institution: Bytes,
        #[prost(bytes = "bytes", repeated, tag = "4")]
        pub(super) classes: Vec<Bytes>,
        #[prost(uint32, tag = "5")]
        pub(super) from_month: u32,
        #[prost(uint32, tag = "6")]
        pub(super) to_month: u32,
        #[prost(uint32, tag = "7")]
        pub(super) scope: u32,
        #[prost(uint32, tag = "8")]
        pub(super) purpose: u32,
        #[prost(uint64, tag = "9")]
        pub(super) issued_ms: u64,
        #[prost(uint64, tag = "10")]
        pub(super) expires_ms: u64,
        #[prost(bytes = "bytes", tag = "11")]
        pub(super) gateway: Bytes,
        #[prost(bytes = "bytes", tag = "12")]
        pub(super) stub: Bytes,
        #[prost(message, repeated, tag = "13")]
        pub(super) records: Vec<Record>,
    }

    #[derive(Clone, PartialEq, Eq, prost::Message)]
    pub(super) struct Record {
        #[prost(bytes = "bytes", tag = "1")]
        pub(super) id: Bytes,
        #[prost(uint32, tag = "2")]
        pub(super) version: u32,
    }
}

#[cfg(test)]
mod tests;
