//! The vault's keys above the patients': epoch key, slot keys, and the key of openings.

use renkei_ids::{CloudId, Slot};

use crate::kdf::{Label, derive_key};
use crate::seal::{SEAL_OVERHEAD, open_secret, seal};
use crate::sealed::sealed_form;
use crate::secret::secret;
use crate::{InvalidSealed, OpeningKey, Random};

const SLOT_KEY: Label = Label("renkei 2026-11 sealed slot key");
const SLOT_WRAP: Label = Label("renkei 2026-11 epoch key to slot keys");
const KEY_FILE: Label = Label("renkei 2026-11 host secret to key files");
const OPENINGS: Label = Label("renkei 2026-11 epoch key to openings");

/// Number of a key epoch, from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyEpoch(pub u32);

secret!(
    /// The epoch key: wraps the slot keys of one epoch. On vault hosts only; never in a log, snapshot or backup.
    EpochKey
);
secret!(
    /// KEK[slot, epoch]: the outer layer of everything in one slot.
    SlotKey
);
secret!(
    /// A secret that only one host can read, such as a systemd credential that its TPM sealed: key files are sealed to
    /// it.
    HostSecret
);
sealed_form!(
    /// A key file's key under the host secret.
    SealedFileKey, SEAL_OVERHEAD + 32
);
sealed_form!(
    /// A slot key under the epoch key.
    SealedSlotKey, SEAL_OVERHEAD + 32
);

impl EpochKey {
    /// Seals a slot key.
    pub fn seal_slot_key(
        &self,
        (cloud, slot, epoch): (CloudId, Slot, KeyEpoch),
        key: &SlotKey,
        source: &dyn Random,
    ) -> SealedSlotKey {
        let (slot, epoch) = (slot.to_be_bytes(), epoch.0.to_be_bytes());
        let parts: [&[u8]; 3] = [cloud.as_bytes(), &slot, &epoch];
        SealedSlotKey::new(seal(&self.slot_wrap_key(), SLOT_KEY, &parts, key.expose(), source))
    }

    /// Opens a slot key.
    ///
    /// # Errors
    /// [`InvalidSealed`], for another epoch key, cloud, slot or epoch too.
    pub fn open_slot_key(
        &self,
        (cloud, slot, epoch): (CloudId, Slot, KeyEpoch),
        sealed: &SealedSlotKey,
    ) -> Result<SlotKey, InvalidSealed> {
        let (slot, epoch) = (slot.to_be_bytes(), epoch.0.to_be_bytes());
        let parts: [&[u8]; 3] = [cloud.as_bytes(), &slot, &epoch];
        open_secret(&self.slot_wrap_key(), SLOT_KEY, &parts, sealed.as_bytes()).map(|key| SlotKey::from_bytes(*key))
    }

    /// The key that openings are sealed under while this epoch lasts.
    pub fn opening_key(&self) -> OpeningKey {
        OpeningKey::from_bytes(*derive_key(&self.0, OPENINGS, &[]))
    }

    fn slot_wrap_key(&self) -> zeroize::Zeroizing<[u8; 32]> {
        derive_key(&self.0, SLOT_WRAP, &[])
    }
}

impl HostSecret {
    /// Seals a key for a file of this purpose and epoch.
    pub fn seal_file_key(
        &self,
        (purpose, epoch): (&str, KeyEpoch),
        key: &[u8; 32],
        source: &dyn Random,
    ) -> SealedFileKey {
        let parts: [&[u8]; 2] = [purpose.as_bytes(), &epoch.0.to_be_bytes()];
        SealedFileKey::new(seal(&derive_key(&self.0, KEY_FILE, &[]), KEY_FILE, &parts, key, source))
    }

    /// Opens the key of a file of this purpose and epoch.
    ///
    /// # Errors
    /// [`InvalidSealed`], for another host, purpose or epoch too.
    pub fn open_file_key(
        &self,
        (purpose, epoch): (&str, KeyEpoch),
        sealed: &SealedFileKey,
    ) -> Result<zeroize::Zeroizing<[u8; 32]>, InvalidSealed> {
        let parts: [&[u8]; 2] = [purpose.as_bytes(), &epoch.0.to_be_bytes()];
        open_secret(&derive_key(&self.0, KEY_FILE, &[]), KEY_FILE, &parts, sealed.as_bytes())
    }
}
