//! Who institutions, insurers and cells are: what the newest directory says that this replica has applied. Everything that
//! the registrar knows of the directory it asks here.

use std::sync::{Arc, PoisonError, RwLock};

use renkei_access::{
    CommitmentKey, DailyVisits, Held, InstitutionKind, InvalidDirectory, Purpose, Scope, SignedDirectory, VerifyingKey,
    name_hash,
};
use renkei_envelope::CellKey;
use renkei_ids::{CellId, CloudId, InstitutionId, PseudonymEpoch, UnixMillis};
use renkei_runtime::{PeerIdentity, Role};
use renkei_wire::{ErrorCode, Refusal};

/// An institution that may ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Asker {
    pub(crate) id: InstitutionId,
    pub(crate) kind: InstitutionKind,
    pub(crate) visits: DailyVisits,
    /// Where what it puts is kept.
    pub(crate) home: CloudId,
    pub(crate) home_cell: CellId,
}

impl Asker {
    /// Everything that an institution of its kind may be given for a purpose.
    pub(crate) fn allows(&self, purpose: Purpose) -> Scope {
        self.kind.allows(purpose)
    }
}

/// An insurer that may register.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Registering {
    /// Its eight digits.
    pub(crate) digits: Arc<str>,
    /// What its statements are checked with.
    pub(crate) keys: Vec<VerifyingKey>,
}

/// What a ticket for a cloud is made with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Audience {
    pub(crate) cloud: CloudId,
    pub(crate) epoch: PseudonymEpoch,
    pub(crate) rotating: bool,
    pub(crate) serving_cell: CellId,
    pub(crate) commitments: CellKey,
}

/// The newest directory that this replica has applied; none before the first. Clones share it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Named(Arc<RwLock<Option<Arc<Held>>>>);

impl Named {
    /// Goes by what the state holds; whether that is another one. A directory that was read before is not read again.
    pub(crate) fn hold(&self, signed: SignedDirectory) -> Result<bool, InvalidDirectory> {
        if self.held().is_ok_and(|held| *held.signed() == signed) {
            return Ok(false);
        }
        let newer = Held::read_back(signed)?;
        tracing::info!(version = %newer.directory().version(), "the directory has changed");
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(newer));
        Ok(true)
    }

    /// The newest one.
    pub(crate) fn held(&self) -> Result<Arc<Held>, Refusal> {
        let held = self.0.read().unwrap_or_else(PoisonError::into_inner).clone();
        held.ok_or(Refusal::new(ErrorCode::DirectoryMissing))
    }

    /// Whether the directory names this key as a registrar's.
    pub(crate) fn names_registrar(&self, key: &VerifyingKey) -> bool {
        self.held().is_ok_and(|held| held.directory().entries().registrars.contains(key))
    }

    /// The institution that calls.
    pub(crate) fn asker(&self, caller: &PeerIdentity, now: UnixMillis) -> Result<Asker, Refusal> {
        if caller.role != Role::Institution {
            return Err(Refusal::new(ErrorCode::RoleNotAllowed));
        }
        let held = self.held()?;
        let directory = held.directory();
        let institution = directory.enrolled(&caller.key_hash).map_err(Refusal::from)?;
        let home = directory.cell(institution.home).ok_or(Refusal::new(ErrorCode::InstitutionNotEnrolled))?;
        Ok(Asker {
            id: institution.id,
            kind: institution.kind,
            visits: directory.visits(institution.id, now).unwrap_or(institution.visits),
            home: home.cloud,
            home_cell: home.id,
        })
    }

    /// The insurer that calls. Its certificate is named by its eight digits, and the directory has the hash of that name.
    pub(crate) fn insurer(&self, caller: &PeerIdentity) -> Result<Registering, Refusal> {
        if caller.role != Role::Insurer {
            return Err(Refusal::new(ErrorCode::RoleNotAllowed));
        }
        let held = self.held()?;
        let insurer = held.directory().enrolled(&caller.key_hash).map_err(Refusal::from)?;
        if insurer.kind != InstitutionKind::Insurer || insurer.name != name_hash(&caller.name) {
            return Err(Refusal::new(ErrorCode::RoleNotAllowed));
        }
        Ok(Registering { digits: Arc::clone(&caller.name), keys: insurer.signing.clone() })
    }

    /// What a ticket of an institution for a cloud is made with.
    pub(crate) fn audience(&self, institution: InstitutionId, cloud: CloudId) -> Result<Audience, Refusal> {
        let held = self.held()?;
        let directory = held.directory();
        let entry = directory.cloud(cloud).ok_or(Refusal::new(ErrorCode::CloudMismatch))?;
        let serving = directory.serving_cell(institution, cloud).map_err(Refusal::from)?;
        let CommitmentKey(key) = serving.commitments;
        Ok(Audience {
            cloud,
            epoch: entry.epoch,
            rotating: entry.rotating,
            serving_cell: serving.id,
            commitments: CellKey::from_bytes(key),
        })
    }
}
