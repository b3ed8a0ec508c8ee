//! Openings: what a vault gives a gateway to present again with puts, deletes and stubs, so that no vault keeps state
//! for a patient who is being served. Only a vault can read one, and only for the gateway that it names.
//!
//! Inside its seal: pid 16 | S 32 | institution 16 | binding 16 | gateway 32 | purpose 1 | evidence 1 | scope 1 |
//! classes 1 | expires 8, big-endian.

use bytes::Bytes;
use renkei_access::{Evidence, Purpose, Scope};
use renkei_ids::{BindingId, CloudId, InstitutionId, KeyHash, Pid, UnixMillis};
use zeroize::Zeroizing;

use crate::kdf::Label;
use crate::seal::{open, seal};
use crate::secret::secret;
use crate::{ClassSet, InvalidSealed, PatientSeed, Random};

const OPENING: Label = Label("renkei 2026-11 opening");
const OPENING_BYTES: usize = 124;

secret!(
    /// Seals openings for as long as an epoch lasts. It stays in the vault.
    OpeningKey
);

/// A patient's opening.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opening {
    /// The patient.
    pub pid: Pid,
    /// S, so that the pseudonym is not needed again.
    pub seed: PatientSeed,
    /// On whose behalf.
    pub institution: InstitutionId,
    /// The binding that the check-in went by.
    pub binding: BindingId,
    /// The gateway that may present it.
    pub gateway: KeyHash,
    /// Why.
    pub purpose: Purpose,
    /// What stood behind the check-in.
    pub evidence: Evidence,
    /// What for.
    pub scope: Scope,
    /// Classes of record.
    pub classes: ClassSet,
    /// The first moment at which it is no longer taken.
    pub expires: UnixMillis,
}

impl OpeningKey {
    /// Seals an opening of this cloud.
    pub fn seal(&self, cloud: CloudId, opening: &Opening, source: &dyn Random) -> Bytes {
        seal(&self.0, OPENING, &[cloud.as_bytes()], &opening.to_bytes(), source).into()
    }

    /// Reads an opening of this cloud. Who may present it, and until when, is for the caller to judge.
    ///
    /// # Errors
    /// [`InvalidSealed`], for an opening of another epoch or cloud too.
    pub fn open(&self, cloud: CloudId, sealed: &[u8]) -> Result<Opening, InvalidSealed> {
        let opening = open(&self.0, OPENING, &[cloud.as_bytes()], sealed)?;
        Opening::from_bytes(&opening).ok_or(InvalidSealed::Content("opening"))
    }
}

impl Opening {
    fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let Self { pid, seed, institution, binding, gateway, purpose, evidence, scope, classes, expires } = self;
        let numbers = [*purpose as u8, *evidence as u8, scope.bits(), classes.bits()];
        let parts: [&[u8]; 7] = [
            pid.as_bytes(),
            seed.expose(),
            institution.as_bytes(),
            binding.as_bytes(),
            gateway.as_bytes(),
            &numbers,
            &expires.0.to_be_bytes(),
        ];
        Zeroizing::new(parts.concat())
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let bytes: &[u8; OPENING_BYTES] = bytes.try_into().ok()?;
        Some(Self {
            pid: Pid::try_from(&bytes[..16]).ok()?,
            seed: PatientSeed::try_from(&bytes[16..48]).ok()?,
            institution: InstitutionId::try_from(&bytes[48..64]).ok()?,
            binding: BindingId::try_from(&bytes[64..80]).ok()?,
            gateway: KeyHash::try_from(&bytes[80..112]).ok()?,
            purpose: Purpose::from_raw(bytes[112].into())?,
            evidence: Evidence::from_raw(bytes[113].into())?,
            scope: Scope::from_bits(bytes[114].into())?,
            classes: ClassSet::from_bits(bytes[115])?,
            expires: UnixMillis(u64::from_be_bytes(*bytes[116..].first_chunk()?)),
        })
    }
}
