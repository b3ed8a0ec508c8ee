//! Takes a newer directory into the log, and reads the one that is there.

use std::sync::{Arc, Mutex, PoisonError};

use renkei_access::{Held, SignedDirectory};
use renkei_wire::{ErrorCode, Refusal};

use super::Vault;
use super::keys::UnwrapError;
use crate::machine::VaultView;
use crate::state::{self, Command, Verdicts};

/// The newest directory that was read from the state, so that it is read once.
#[derive(Debug, Default)]
pub(crate) struct ReadDirectory(Mutex<Option<Arc<Held>>>);

impl ReadDirectory {
    /// The directory in the state; `None` before the first.
    pub(super) fn of(&self, view: &VaultView) -> Result<Option<Arc<Held>>, UnwrapError> {
        let Some(version) = state::head(view)?.and_then(|head| head.directory) else { return Ok(None) };
        let known = self.lock().clone().filter(|held| held.directory().version() == version);
        if known.is_some() {
            return Ok(known);
        }
        let read = state::directory(view)?.map(Arc::new);
        self.lock().clone_from(&read);
        Ok(read)
    }

    /// Nothing that holds the lock can panic.
    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Arc<Held>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Vault {
    /// The newest directory that this replica has applied.
    pub(crate) fn directory(&self) -> Result<Option<Arc<Held>>, Refusal> {
        Ok(self.read_directory.of(&VaultView(self.replica()?.view()))?)
    }

    /// Puts a directory, whose signatures were judged, into the log.
    pub(crate) async fn direct(&self, directory: &SignedDirectory) -> Result<(), Refusal> {
        let replica = self.replica()?;
        let elsewhere = || self.not_leader(replica.leader_hint().map(|(_, vault)| vault));
        let under = replica.leadership().ok_or_else(elsewhere)?;
        let time = self.clocks.stamp().ok_or(Refusal::new(ErrorCode::ClockOff))?;
        let command = Command::Direct { time, signed: directory.as_bytes().clone() };
        let reply = replica.propose(under, command.encode()).await.map_err(|error| self.not_recorded(error))?;
        match Verdicts::decode(&reply) {
            Ok(Verdicts::Directed) => Ok(()),
            Ok(Verdicts::NotDirected) => Err(Refusal::new(ErrorCode::DirectoryNotNewer)),
            Ok(Verdicts::NotFounded) => Err(Refusal::new(ErrorCode::NotBootstrapped)),
            Ok(Verdicts::Decided(_) | Verdicts::Again | Verdicts::Malformed) | Err(_) => {
                Err(Refusal::new(ErrorCode::InternalIo))
            }
        }
    }
}
