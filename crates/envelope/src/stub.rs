//! Audit stubs, which say for whom a capability was given, and actors, who used it. Both are for the patient to read.
//!
//! A stub inside its seal: institution 16 | cell 32 | purpose 1 | evidence 1 | binding 16.

use bytes::Bytes;
use renkei_access::{Evidence, Purpose};
use renkei_ids::{BindingId, CapabilityId, InstitutionId, KeyHash, RequestId};
use zeroize::Zeroizing;

use crate::kdf::{Label, derive_key};
use crate::seal::{open, seal};
use crate::secret::secret;
use crate::{InvalidSealed, LogKey, Patient, Random};

const STUB_WRAP: Label = Label("renkei 2026-11 log key to stubs");
const STUB: Label = Label("renkei 2026-11 stub");
const STUB_KEY: Label = Label("renkei 2026-11 stub key");
const ACTOR: Label = Label("renkei 2026-11 actor");
const STUB_BYTES: usize = 66;

secret!(
    /// Seals the actor into the rows made under one capability.
    StubKey
);

/// For whom and why a capability was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stub {
    /// The institution that asked.
    pub institution: InstitutionId,
    /// Through which gateway: SHA-256 of the key of its certificate.
    pub cell: KeyHash,
    /// Why.
    pub purpose: Purpose,
    /// What stood behind the check-in.
    pub evidence: Evidence,
    /// The binding that it went by.
    pub binding: BindingId,
}

impl LogKey {
    /// Seals the stub of one capability.
    pub fn seal_stub(&self, patient: &Patient, capability: CapabilityId, stub: &Stub, source: &dyn Random) -> Bytes {
        seal(&self.stub_wrap_key(), STUB, &parts(patient, &capability), &stub.to_bytes(), source).into()
    }

    /// Opens the stub of one capability.
    ///
    /// # Errors
    /// [`InvalidSealed`], for a stub of another patient or capability too.
    pub fn open_stub(&self, patient: &Patient, capability: CapabilityId, sealed: &[u8]) -> Result<Stub, InvalidSealed> {
        let stub = open(&self.stub_wrap_key(), STUB, &parts(patient, &capability), sealed)?;
        Stub::from_bytes(&stub).ok_or(InvalidSealed::Content("stub"))
    }

    /// The key of the actors of one capability.
    pub fn stub_key(&self, capability: CapabilityId) -> StubKey {
        StubKey::from_bytes(*derive_key(self.expose(), STUB_KEY, &[capability.as_bytes()]))
    }

    fn stub_wrap_key(&self) -> Zeroizing<[u8; 32]> {
        derive_key(self.expose(), STUB_WRAP, &[])
    }
}

fn parts<'a>(patient: &'a Patient, capability: &'a CapabilityId) -> [&'a [u8]; 3] {
    [patient.cloud.as_bytes(), patient.pid.as_bytes(), capability.as_bytes()]
}

impl StubKey {
    /// Seals who acts into the row of one request.
    pub fn seal_actor(&self, patient: &Patient, request: RequestId, actor: &[u8], source: &dyn Random) -> Bytes {
        seal(&self.0, ACTOR, &actor_parts(patient, &request), actor, source).into()
    }

    /// Opens who acted in one request.
    ///
    /// # Errors
    /// [`InvalidSealed`], for another capability, patient or request too.
    pub fn open_actor(
        &self,
        patient: &Patient,
        request: RequestId,
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, InvalidSealed> {
        open(&self.0, ACTOR, &actor_parts(patient, &request), sealed)
    }
}

fn actor_parts<'a>(patient: &'a Patient, request: &'a RequestId) -> [&'a [u8]; 3] {
    [patient.cloud.as_bytes(), patient.pid.as_bytes(), request.as_bytes()]
}

impl Stub {
    fn to_bytes(self) -> Vec<u8> {
        let Self { institution, cell, purpose, evidence, binding } = self;
        let numbers = [purpose as u8, evidence as u8];
        [&institution.as_bytes()[..], cell.as_bytes(), &numbers, binding.as_bytes()].concat()
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let bytes: &[u8; STUB_BYTES] = bytes.try_into().ok()?;
        Some(Self {
            institution: InstitutionId::try_from(&bytes[..16]).ok()?,
            cell: KeyHash::try_from(&bytes[16..48]).ok()?,
            purpose: Purpose::from_raw(bytes[48].into())?,
            evidence: Evidence::from_raw(bytes[49].into())?,
            binding: BindingId::try_from(&bytes[50..]).ok()?,
        })
    }
}
