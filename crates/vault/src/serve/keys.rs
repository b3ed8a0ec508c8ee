//! Unwrapping: from the epoch key and what the state holds to a patient's keys.

use std::fmt;

use bytes::Bytes;
use renkei_access::SigningKey;
use renkei_envelope::{
    Class, ClassKey, EpochKey, InvalidSealed, KeyEpoch, LogKey, Opening, OpeningKey, Patient, PatientKey, PatientSeed,
    SlotKey, Stub, StubKey, TagKey, WrappedClassKey,
};
use renkei_ids::{CapabilityId, CloudId, Pid, Slot};
use renkei_runtime::Chain;
use renkei_storage::StorageError;
use renkei_wire::{ErrorCode, Refusal};

use crate::machine::{VaultView, storage_error};
use crate::random::SystemRandom;
use crate::state::{self, PatientRow, StateError};

/// The vault's own keys.
pub(crate) struct Keys {
    pub(crate) epoch: KeyEpoch,
    pub(crate) epoch_key: EpochKey,
    pub(crate) opening: OpeningKey,
    pub(crate) signing: SigningKey,
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keys").field("epoch", &self.epoch).finish_non_exhaustive()
    }
}

/// A patient's keys, unwrapped for as long as one answer takes.
pub(super) struct PatientKeys {
    pub(super) patient: Patient,
    slot: SlotKey,
    key: PatientKey,
    log: LogKey,
    pub(super) tags: TagKey,
}

/// Why no keys were unwrapped.
#[derive(Debug, thiserror::Error)]
pub(super) enum UnwrapError {
    #[error("reading the state")]
    State(#[source] StorageError),
    #[error("opening a sealed key of the state")]
    Sealed(#[from] InvalidSealed),
    #[error("the patient has no keys any more")]
    Gone,
}

impl From<StateError<StorageError>> for UnwrapError {
    fn from(error: StateError<StorageError>) -> Self {
        Self::State(storage_error(error))
    }
}

impl From<UnwrapError> for Refusal {
    /// A state that does not read stops the process, for a vault that cannot read must not decide.
    fn from(error: UnwrapError) -> Self {
        match &error {
            UnwrapError::Gone => return Self::new(ErrorCode::OpeningInvalid),
            UnwrapError::State(source) if source.is_corruption() => {
                tracing::error!(error = %Chain(&error), "a stored row does not read");
                renkei_runtime::abort("read the vault's state");
            }
            UnwrapError::State(_) | UnwrapError::Sealed(_) => {}
        }
        tracing::error!(error = %Chain(&error), "keys not unwrapped");
        Self::new(ErrorCode::InternalIo)
    }
}

impl Keys {
    /// The key of a slot.
    pub(super) fn slot(&self, cloud: CloudId, view: &VaultView, slot: Slot) -> Result<SlotKey, UnwrapError> {
        let sealed = state::slot_key(view, slot)?.ok_or(UnwrapError::Gone)?;
        Ok(self.epoch_key.open_slot_key((cloud, slot, self.epoch), &sealed)?)
    }

    /// A patient's keys, for those who hold S.
    pub(super) fn patient(
        &self,
        cloud: CloudId,
        view: &VaultView,
        pid: Pid,
        seed: &PatientSeed,
    ) -> Result<PatientKeys, UnwrapError> {
        let patient = Patient { cloud, pid };
        let slot = self.slot(cloud, view, pid.slot())?;
        let PatientRow { patient_key, log_key } = state::patient_row(view, &pid)?.ok_or(UnwrapError::Gone)?;
        let key = seed.open_patient_key(&patient, &slot, &patient_key)?;
        let log = seed.open_log_key(&patient, &slot, &log_key)?;
        let tags = key.tag_key();
        Ok(PatientKeys { patient, slot, key, log, tags })
    }
}

impl PatientKeys {
    /// CK of a class and year, or what stands for one that does not exist.
    pub(super) fn class_key(&self, view: &VaultView, class: Class, year: u16) -> Result<ClassKey, UnwrapError> {
        match state::wrapped_class_key(view, &self.patient.pid, class, year)? {
            Some(wrapped) => Ok(self.key.open_class_key(&self.patient, &self.slot, (class, year), &wrapped)?),
            None => Ok(self.key.no_class_key(class, year)),
        }
    }

    /// A new CK in its layers, where there is none yet.
    pub(super) fn new_class_key(
        &self,
        view: &VaultView,
        class: Class,
        year: u16,
    ) -> Result<Option<WrappedClassKey>, UnwrapError> {
        if state::wrapped_class_key(view, &self.patient.pid, class, year)?.is_some() {
            return Ok(None);
        }
        let key = ClassKey::random(&SystemRandom);
        Ok(Some(self.key.wrap_class_key(&self.patient, &self.slot, (class, year), &key, &SystemRandom)))
    }

    pub(super) fn seal_stub(&self, capability: CapabilityId, opening: &Opening) -> Bytes {
        let stub = Stub {
            institution: opening.institution,
            cell: opening.gateway,
            purpose: opening.purpose,
            evidence: opening.evidence,
            binding: opening.binding,
        };
        self.log.seal_stub(&self.patient, capability, &stub, &SystemRandom)
    }

    pub(super) fn open_stub(&self, capability: CapabilityId, sealed: &[u8]) -> Result<Stub, InvalidSealed> {
        self.log.open_stub(&self.patient, capability, sealed)
    }

    pub(super) fn stub_key(&self, capability: CapabilityId) -> StubKey {
        self.log.stub_key(capability)
    }
}
