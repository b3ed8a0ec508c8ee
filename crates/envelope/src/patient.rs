//! A patient's own keys: what the pseudonym opens, and what follows from it.

use renkei_ids::{CloudId, Pid};

use crate::kdf::{Label, derive_key};
use crate::seal::{SEAL_OVERHEAD, open, open_secret, seal};
use crate::sealed::sealed_form;
use crate::secret::secret;
use crate::{Class, ClassKey, InvalidSealed, Random, SlotKey, TagKey};

const SEED_WRAP: Label = Label("renkei 2026-11 pseudonym to seed");
const SEED: Label = Label("renkei 2026-11 sealed seed");
const NAME_WRAP: Label = Label("renkei 2026-11 seed to patient keys");
const PATIENT_KEY: Label = Label("renkei 2026-11 sealed patient key");
const LOG_KEY: Label = Label("renkei 2026-11 sealed log key");
const OUTER: Label = Label("renkei 2026-11 outer layer");
const CLASS_WRAP: Label = Label("renkei 2026-11 patient key to class keys");
const CLASS_KEY: Label = Label("renkei 2026-11 sealed class key");
const NO_CLASS_KEY: Label = Label("renkei 2026-11 no class key");
const TAGS: Label = Label("renkei 2026-11 tags");
const INDEX: Label = Label("renkei 2026-11 pseudonym index");

/// A patient's place: what every sealed form of theirs is bound to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patient {
    /// The cloud.
    pub cloud: CloudId,
    /// The patient in it.
    pub pid: Pid,
}

secret!(
    /// P_C: a patient's pseudonym in one cloud. In a vault while a ticket is open, never stored.
    Pseudonym
);
secret!(
    /// hash(P_C): under what a vault finds the patient. It opens nothing.
    PseudonymHash
);
secret!(
    /// S: random, constant. Opens the patient's own keys together with the slot's.
    PatientSeed
);
secret!(
    /// W: opens class keys and makes tags. Deleted with the patient.
    PatientKey
);
secret!(
    /// LK: seals audit stubs. Outlives [`PatientKey`].
    LogKey
);
sealed_form!(
    /// S under the pseudonym.
    SealedSeed, SEAL_OVERHEAD + 32
);
sealed_form!(
    /// W under S, and that under the slot's key.
    WrappedPatientKey, 2 * SEAL_OVERHEAD + 32
);
sealed_form!(
    /// LK under S, and that under the slot's key.
    WrappedLogKey, 2 * SEAL_OVERHEAD + 32
);
sealed_form!(
    /// CK under W, and that under the slot's key.
    WrappedClassKey, 2 * SEAL_OVERHEAD + 32
);

impl Patient {
    fn parts(&self) -> [&[u8]; 2] {
        [self.cloud.as_bytes(), self.pid.as_bytes()]
    }
}

impl Pseudonym {
    /// Under what the patient is found in this cloud's index.
    pub fn hash(&self, cloud: CloudId) -> PseudonymHash {
        PseudonymHash::from_bytes(*derive_key(&self.0, INDEX, &[cloud.as_bytes()]))
    }

    /// Seals S for those who present this pseudonym.
    pub fn seal_seed(&self, patient: &Patient, seed: &PatientSeed, source: &dyn Random) -> SealedSeed {
        SealedSeed::new(seal(&self.seed_key(), SEED, &patient.parts(), seed.expose(), source))
    }

    /// Opens S.
    ///
    /// # Errors
    /// [`InvalidSealed`], for another pseudonym or patient too.
    pub fn open_seed(&self, patient: &Patient, sealed: &SealedSeed) -> Result<PatientSeed, InvalidSealed> {
        let seed = open_secret(&self.seed_key(), SEED, &patient.parts(), sealed.as_bytes())?;
        Ok(PatientSeed::from_bytes(*seed))
    }

    fn seed_key(&self) -> zeroize::Zeroizing<[u8; 32]> {
        derive_key(&self.0, SEED_WRAP, &[])
    }
}

impl PatientSeed {
    /// Wraps W in both layers.
    pub fn wrap_patient_key(
        &self,
        patient: &Patient,
        slot: &SlotKey,
        key: &PatientKey,
        source: &dyn Random,
    ) -> WrappedPatientKey {
        WrappedPatientKey::new(self.wrap(PATIENT_KEY, patient, slot, key.expose(), source))
    }

    /// Opens W.
    ///
    /// # Errors
    /// [`InvalidSealed`], for another seed, slot key or patient too.
    pub fn open_patient_key(
        &self,
        patient: &Patient,
        slot: &SlotKey,
        wrapped: &WrappedPatientKey,
    ) -> Result<PatientKey, InvalidSealed> {
        self.unwrap(PATIENT_KEY, patient, slot, wrapped.as_bytes()).map(|key| PatientKey::from_bytes(*key))
    }

    /// Wraps LK in both layers.
    pub fn wrap_log_key(&self, patient: &Patient, slot: &SlotKey, key: &LogKey, source: &dyn Random) -> WrappedLogKey {
        WrappedLogKey::new(self.wrap(LOG_KEY, patient, slot, key.expose(), source))
    }

    /// Opens LK.
    ///
    /// # Errors
    /// [`InvalidSealed`], for another seed, slot key or patient too.
    pub fn open_log_key(
        &self,
        patient: &Patient,
        slot: &SlotKey,
        wrapped: &WrappedLogKey,
    ) -> Result<LogKey, InvalidSealed> {
        self.unwrap(LOG_KEY, patient, slot, wrapped.as_bytes()).map(|key| LogKey::from_bytes(*key))
    }

    fn wrap(&self, name: Label, patient: &Patient, slot: &SlotKey, key: &[u8; 32], source: &dyn Random) -> Vec<u8> {
        let inner = seal(&self.name_key(name), name, &patient.parts(), key, source);
        seal(slot.expose(), OUTER, &outer_parts(name, patient), &inner, source)
    }

    fn unwrap(
        &self,
        name: Label,
        patient: &Patient,
        slot: &SlotKey,
        wrapped: &[u8],
    ) -> Result<zeroize::Zeroizing<[u8; 32]>, InvalidSealed> {
        let inner = open(slot.expose(), OUTER, &outer_parts(name, patient), wrapped)?;
        open_secret(&self.name_key(name), name, &patient.parts(), &inner)
    }

    fn name_key(&self, Label(name): Label) -> zeroize::Zeroizing<[u8; 32]> {
        derive_key(&self.0, NAME_WRAP, &[name.as_bytes()])
    }
}

fn outer_parts(Label(name): Label, patient: &Patient) -> [&[u8]; 3] {
    [name.as_bytes(), patient.cloud.as_bytes(), patient.pid.as_bytes()]
}

impl PatientKey {
    /// The key of the patient's tags.
    pub fn tag_key(&self) -> TagKey {
        TagKey::from_bytes(*derive_key(&self.0, TAGS, &[]))
    }

    /// What is given for a class and year without records: a key that nobody has sealed under, like any other to those
    /// who do not hold records.
    pub fn no_class_key(&self, class: Class, year: u16) -> ClassKey {
        ClassKey::from_bytes(*derive_key(&self.0, NO_CLASS_KEY, &[&class.to_bytes(), &year.to_be_bytes()]))
    }

    /// Wraps CK in both layers.
    pub fn wrap_class_key(
        &self,
        patient: &Patient,
        slot: &SlotKey,
        (class, year): (Class, u16),
        key: &ClassKey,
        source: &dyn Random,
    ) -> WrappedClassKey {
        let (class, year) = (class.to_bytes(), year.to_be_bytes());
        let parts = class_parts(patient, &class, &year);
        let inner = seal(&self.class_wrap_key(), CLASS_KEY, &parts, key.expose(), source);
        WrappedClassKey::new(seal(slot.expose(), CLASS_KEY, &parts, &inner, source))
    }

    /// Opens CK.
    ///
    /// # Errors
    /// [`InvalidSealed`], for another patient key, slot key, patient, class or year too.
    pub fn open_class_key(
        &self,
        patient: &Patient,
        slot: &SlotKey,
        (class, year): (Class, u16),
        wrapped: &WrappedClassKey,
    ) -> Result<ClassKey, InvalidSealed> {
        let (class, year) = (class.to_bytes(), year.to_be_bytes());
        let parts = class_parts(patient, &class, &year);
        let inner = open(slot.expose(), CLASS_KEY, &parts, wrapped.as_bytes())?;
        open_secret(&self.class_wrap_key(), CLASS_KEY, &parts, &inner).map(|key| ClassKey::from_bytes(*key))
    }

    fn class_wrap_key(&self) -> zeroize::Zeroizing<[u8; 32]> {
        derive_key(&self.0, CLASS_WRAP, &[])
    }
}

fn class_parts<'a>(patient: &'a Patient, class: &'a [u8; 2], year: &'a [u8; 2]) -> [&'a [u8]; 4] {
    [patient.cloud.as_bytes(), patient.pid.as_bytes(), class, year]
}
