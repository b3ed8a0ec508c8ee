//! What is founded of a registrar: its log, under its keys. How, is in `peers`.

use std::sync::Arc;

use bytes::Bytes;
use renkei_consensus::{Replica, StateMachine};
use renkei_ids::LogId;
use renkei_peers::Charter;
use renkei_runtime::draw;
use renkei_storage::StorageError;

use crate::keys::Keys;
use crate::machine::{RegistrarMachine, RegistrarView, storage_error};
use crate::state::{self, Command, Founding, Head};

/// Carries out the founding of a registrar.
pub(crate) type Founder = renkei_peers::Founder<RegistrarCharter>;
/// Why a registrar was not founded.
pub(crate) type FoundError = renkei_peers::FoundError<KeeperError>;

/// Why the founding in the state is not one that this registrar can serve.
#[derive(Debug, thiserror::Error)]
pub enum KeeperError {
    /// It was founded with others.
    #[error("the key files are not those that the state was made with")]
    OtherKeys,
    /// It does not read.
    #[error("reading the state")]
    State(#[source] StorageError),
}

/// What a registrar is founded with.
#[derive(Clone, Debug)]
pub(crate) struct RegistrarCharter {
    pub(crate) keys: Arc<Keys>,
}

impl Charter for RegistrarCharter {
    type Error = KeeperError;

    fn machine(&self) -> Arc<dyn StateMachine> {
        Arc::new(RegistrarMachine)
    }

    fn founding(&self) -> Bytes {
        let (key_check, seed_check) = (self.keys.registrar.check(), self.keys.seeds.check());
        Command::Found(Founding { log: LogId::from_bytes(draw()), key_check, seed_check }).encode()
    }

    fn is_founded(&self, replica: &Replica) -> Result<bool, KeeperError> {
        let head = state::head(&RegistrarView(replica.view()));
        let head = head.map_err(|error| KeeperError::State(storage_error(error)))?;
        let Some(Head { key_check, seed_check, .. }) = head else { return Ok(false) };
        match (key_check, seed_check) == (self.keys.registrar.check(), self.keys.seeds.check()) {
            true => Ok(true),
            false => Err(KeeperError::OtherKeys),
        }
    }

    fn keys(&self) -> Bytes {
        Bytes::copy_from_slice(&self.keys.check())
    }
}
