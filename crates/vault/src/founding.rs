//! What is founded of a vault: its slots and their keys, under the epoch key. How, is in `peers`.

use std::sync::Arc;

use bytes::Bytes;
use renkei_consensus::{Replica, StateMachine};
use renkei_envelope::{KeyEpoch, SlotKey};
use renkei_ids::{CloudId, LogId, Slot};
use renkei_peers::Charter;
use renkei_storage::StorageError;

use crate::machine::{VaultMachine, VaultView, storage_error};
use crate::random::{SystemRandom, draw};
use crate::serve::Keys;
use crate::state::{self, Command, Founding, Head};

/// Carries out the founding of a vault.
pub(crate) type Founder = renkei_peers::Founder<VaultCharter>;
/// Why a vault was not founded.
pub(crate) type FoundError = renkei_peers::FoundError<KeeperError>;

/// Why the founding in the state is not one that this vault can serve.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each message says what its fields are")]
pub enum KeeperError {
    #[error("the epoch key of epoch {} does not open the slot keys of epoch {}", given.0, stored.0)]
    OtherEpochKey { given: KeyEpoch, stored: KeyEpoch },
    #[error("reading the state")]
    State(#[source] StorageError),
}

/// What a vault is founded with.
#[derive(Clone, Debug)]
pub(crate) struct VaultCharter {
    pub(crate) cloud: CloudId,
    pub(crate) keys: Arc<Keys>,
}

impl Charter for VaultCharter {
    type Error = KeeperError;

    fn machine(&self) -> Arc<dyn StateMachine> {
        Arc::new(VaultMachine)
    }

    fn founding(&self) -> Bytes {
        let (key, epoch) = (&self.keys.epoch_key, self.keys.epoch);
        let seal = |slot| key.seal_slot_key((self.cloud, slot, epoch), &SlotKey::random(&SystemRandom), &SystemRandom);
        let slots = Slot::all().map(seal).collect();
        Command::Found(Founding { log: LogId::from_bytes(draw()), epoch, slots }).encode()
    }

    fn is_founded(&self, replica: &Replica) -> Result<bool, KeeperError> {
        let view = VaultView(replica.view());
        let unread = |error| KeeperError::State(storage_error(error));
        let Some(Head { epoch: stored, .. }) = state::head(&view).map_err(unread)? else { return Ok(false) };
        let first = Slot::all().next().expect("there are 4,096");
        let sealed = state::slot_key(&view, first).map_err(unread)?;
        let opens = |sealed| self.keys.epoch_key.open_slot_key((self.cloud, first, stored), sealed).is_ok();
        match sealed.as_ref().is_some_and(opens) {
            true => Ok(true),
            false => Err(KeeperError::OtherEpochKey { given: self.keys.epoch, stored }),
        }
    }

    fn keys(&self) -> Bytes {
        compared(self.keys.signing.verifying_key().as_bytes(), self.keys.epoch.0)
    }
}

/// What two vaults compare of their keys: the signing key and the epoch of the epoch key.
pub(crate) fn compared(signing_key: &[u8; 32], key_epoch: u32) -> Bytes {
    [&signing_key[..], &key_epoch.to_be_bytes()].concat().into()
}
