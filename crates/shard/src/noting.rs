//! Notes which keys change in a slot that is being copied.

use bytes::Bytes;
use renkei_ids::Slot;

use crate::keys::{self, Family};
use crate::slots::SlotHold;
use crate::store::{Direction, Store, View, Visit};

/// A store that notes every key written or deleted, while the slot that the writes are about is moving. The one
/// mechanism for all families: whatever a command does to a patient goes through it.
pub(crate) struct Noting<'a, S> {
    store: &'a mut S,
    slot: Slot,
    round: Option<u32>,
}

impl<'a, S: Store> Noting<'a, S> {
    /// Writes about one slot, held so.
    pub(crate) fn new(store: &'a mut S, slot: Slot, hold: SlotHold) -> Self {
        let round = match hold {
            SlotHold::Moving { round } => Some(round),
            _ => None,
        };
        Self { store, slot, round }
    }

    fn note(&mut self, family: Family, key: &[u8]) {
        debug_assert!(key.starts_with(&self.slot.to_be_bytes()), "a command about a patient writes in her slot");
        if let Some(round) = self.round {
            self.store.put(Family::System, &keys::noted(self.slot, round, family, key), Bytes::new());
        }
    }
}

impl<S: Store> View for Noting<'_, S> {
    type Error = S::Error;

    fn get(&self, family: Family, key: &[u8]) -> Result<Option<Bytes>, S::Error> {
        self.store.get(family, key)
    }

    fn scan(
        &self,
        family: Family,
        first: &[u8],
        end: &[u8],
        direction: Direction,
        visit: &mut Visit<'_>,
    ) -> Result<(), S::Error> {
        self.store.scan(family, first, end, direction, visit)
    }
}

impl<S: Store> Store for Noting<'_, S> {
    fn put(&mut self, family: Family, key: &[u8], value: Bytes) {
        self.note(family, key);
        self.store.put(family, key, value);
    }

    fn delete(&mut self, family: Family, key: &[u8]) {
        self.note(family, key);
        self.store.delete(family, key);
    }
}
