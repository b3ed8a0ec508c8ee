//! Who institutions, insurers and cells are: the directory that officers sign, read from a file and read again when that
//! changes. Everything that the registrar knows of the directory it asks here.

use std::io;
use std::path::PathBuf;
use std::sync::{Arc, RwLock};
use std::time::SystemTime;

use bytes::Bytes;
use renkei_access::{
    CommitmentKey, DailyVisits, Held, InstitutionKind, NotTaken, Officers, Purpose, Scope, SignedDirectory,
    VerifyingKey, name_hash,
};
use renkei_envelope::CellKey;
use renkei_ids::{CellId, CloudId, InstitutionId, PseudonymEpoch, UnixMillis};
use renkei_runtime::{Chain, PeerIdentity, Role};
use renkei_wire::{ErrorCode, Refusal};

/// Why there is no directory.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each message says what its fields are")]
pub enum DirectoryError {
    #[error("reading {}", path.display())]
    Read {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("taking the directory {}", path.display())]
    NotTaken {
        path: PathBuf,
        #[source]
        source: NotTaken,
    },
}

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

/// The newest directory that was taken. Clones share it.
#[derive(Clone, Debug)]
pub(crate) struct Named(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    path: PathBuf,
    officers: Officers,
    held: RwLock<Taken>,
}

#[derive(Debug)]
struct Taken {
    directory: Arc<Held>,
    /// When the file was written that was looked at last.
    written: Option<SystemTime>,
}

impl Named {
    /// Reads the file.
    pub(crate) fn open(path: PathBuf, officers: Officers, now: UnixMillis) -> Result<Self, DirectoryError> {
        let (bytes, written) = read(&path).map_err(|source| DirectoryError::Read { path: path.clone(), source })?;
        let held = Held::judge(SignedDirectory::from_bytes(bytes), &officers, None, now)
            .map_err(|source| DirectoryError::NotTaken { path: path.clone(), source })?;
        let held = RwLock::new(Taken { directory: Arc::new(held), written });
        Ok(Self(Arc::new(Shared { path, officers, held })))
    }

    /// Takes a newer directory, if there is one. What is no newer one is told of once, and changes nothing.
    pub(crate) fn look(&self, now: UnixMillis) {
        let Shared { path, officers, held } = &*self.0;
        let before = {
            let taken = held.read().expect("nothing panics while it holds the directory");
            let written = std::fs::metadata(path).and_then(|meta| meta.modified()).ok();
            if written == taken.written {
                return;
            }
            Arc::clone(&taken.directory)
        };
        let (judged, written) = match read(path) {
            Ok((bytes, written)) => {
                (Held::judge(SignedDirectory::from_bytes(bytes), officers, Some(&before), now), written)
            }
            Err(error) => return tracing::warn!(error = %Chain(&error), "the directory cannot be read"),
        };
        let mut taken = held.write().expect("nothing panics while it holds the directory");
        taken.written = written;
        match judged {
            Ok(newer) => {
                tracing::info!(version = %newer.directory().version(), "the directory has changed");
                taken.directory = Arc::new(newer);
            }
            Err(NotTaken::Known) => {}
            Err(error) => tracing::warn!(error = %Chain(&error), "the directory's file is not taken"),
        }
    }

    fn held(&self) -> Arc<Held> {
        Arc::clone(&self.0.held.read().expect("nothing panics while it holds the directory").directory)
    }

    /// Whether the directory names this key as a registrar's.
    pub(crate) fn names_registrar(&self, key: &VerifyingKey) -> bool {
        self.held().directory().entries().registrars.contains(key)
    }

    /// The institution that calls.
    pub(crate) fn asker(&self, caller: &PeerIdentity, now: UnixMillis) -> Result<Asker, Refusal> {
        if caller.role != Role::Institution {
            return Err(Refusal::new(ErrorCode::RoleNotAllowed));
        }
        let held = self.held();
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
        let held = self.held();
        let insurer = held.directory().enrolled(&caller.key_hash).map_err(Refusal::from)?;
        if insurer.kind != InstitutionKind::Insurer || insurer.name != name_hash(&caller.name) {
            return Err(Refusal::new(ErrorCode::RoleNotAllowed));
        }
        Ok(Registering { digits: Arc::clone(&caller.name), keys: insurer.signing.clone() })
    }

    /// What a ticket of an institution for a cloud is made with.
    pub(crate) fn audience(&self, institution: InstitutionId, cloud: CloudId) -> Result<Audience, Refusal> {
        let held = self.held();
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

fn read(path: &PathBuf) -> io::Result<(Bytes, Option<SystemTime>)> {
    let written = std::fs::metadata(path)?.modified().ok();
    Ok((std::fs::read(path)?.into(), written))
}
