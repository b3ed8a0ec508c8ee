//! What is opened, kept until it ends: one opening for a visit, however many requests it brings.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use prometheus::IntGauge;
use renkei_access::Ticket;
use renkei_envelope::{Class, ClassKey, Patient, RecordKey, Reference};
use renkei_ids::{ClassTag, InstitutionId, MonthBucket, RecordId, RecordVersion, UnixMillis};
use renkei_wire::vault::Opened;
use renkei_wire::{ErrorCode, Refusal};
use tokio::sync::OnceCell;

/// Patients kept at once: some 10 KiB of keys each.
const OPENINGS_MAX: usize = 8_192;
/// An opening is not used in its last moments: the verifier's clock has no leeway.
const RESERVE_MILLIS: u64 = 2_000;

/// A patient who is being served, and the keys for it. Keys are zeroised when the last request has dropped it.
#[derive(Debug)]
pub(crate) struct OpenedPatient {
    pub(crate) patient: Patient,
    pub(crate) opened: Opened,
    /// What it was opened by; `None` in builds for development.
    pub(crate) ticket: Option<Box<Ticket>>,
}

impl OpenedPatient {
    /// The class that a tag stands for.
    pub(crate) fn class(&self, tag: ClassTag) -> Option<Class> {
        self.opened.classes.iter().find(|grant| grant.tag == tag).map(|grant| grant.class)
    }

    /// The key of a class and year, if it was given.
    fn class_key(&self, class: Class, year: u16) -> Option<&ClassKey> {
        let grant = self.opened.classes.iter().find(|grant| grant.class == class)?;
        grant.keys.iter().find(|(of, _)| *of == year).map(|(_, key)| key)
    }

    /// The key of one part of a version of a record.
    ///
    /// # Errors
    /// `integrity_failed` where the opening gives none for the class and year: the node answered outside of what it was
    /// asked.
    pub(crate) fn record_key(
        &self,
        class: Class,
        month: MonthBucket,
        record: RecordId,
        version: RecordVersion,
    ) -> Result<RecordKey, Refusal> {
        let key = self.class_key(class, month.year()).ok_or(Refusal::new(ErrorCode::IntegrityFailed))?;
        Ok(key.record_key(record, version))
    }

    /// The record that a reference means.
    ///
    /// # Errors
    /// `reference_invalid`, for a reference of another institution or patient too.
    pub(crate) fn record(&self, reference: &Reference) -> Result<RecordId, Refusal> {
        self.opened.reference_key.open(&self.patient, reference).map_err(|_| Refusal::new(ErrorCode::ReferenceInvalid))
    }
}

/// Names an opening: the institution, and the hash of the ticket (of the pseudonym, in builds for development).
pub(crate) type Key = (InstitutionId, [u8; 32]);

type Cell = Arc<OnceCell<Arc<OpenedPatient>>>;

/// The openings. Clones share them.
#[derive(Clone, Debug)]
pub(crate) struct Openings {
    held: Arc<Mutex<HashMap<Key, Held>>>,
    gauge: IntGauge,
}

#[derive(Debug)]
struct Held {
    cell: Cell,
    /// Of an opening under way, when it was asked for.
    ends: UnixMillis,
}

impl Openings {
    pub(crate) fn new(gauge: IntGauge) -> Self {
        Self { held: Arc::default(), gauge }
    }

    /// The opening, or what `open` makes of it. Of many callers one opens, and the others wait for it; when it fails the
    /// next one tries. `stale` is never given again.
    pub(crate) async fn get(
        &self,
        key: Key,
        now: UnixMillis,
        stale: Option<&Arc<OpenedPatient>>,
        open: impl Future<Output = Result<OpenedPatient, Refusal>>,
    ) -> Result<Arc<OpenedPatient>, Refusal> {
        let cell = self.cell(key, now, stale);
        let opened = cell.get_or_try_init(|| async { open.await.map(Arc::new) }).await?;
        let mut held = self.lock();
        if let Some(held) = held.get_mut(&key).filter(|held| Arc::ptr_eq(&held.cell, &cell)) {
            held.ends = opened.opened.expires;
        }
        Ok(Arc::clone(opened))
    }

    fn cell(&self, key: Key, now: UnixMillis, stale: Option<&Arc<OpenedPatient>>) -> Cell {
        let mut held = self.lock();
        if let Some(known) = held.get(&key) {
            let usable = known.cell.get().is_none_or(|opened| {
                now.plus_millis(RESERVE_MILLIS) < opened.opened.expires
                    && stale.is_none_or(|stale| !Arc::ptr_eq(stale, opened))
            });
            if usable {
                return Arc::clone(&known.cell);
            }
        }
        if held.len() >= OPENINGS_MAX {
            held.retain(|_, held| held.ends > now);
            // All in use: the one that ends first makes room.
            if held.len() >= OPENINGS_MAX
                && let Some(first) = held.iter().min_by_key(|(_, held)| held.ends).map(|(key, _)| *key)
            {
                held.remove(&first);
            }
        }
        let cell = Cell::default();
        held.insert(key, Held { cell: Arc::clone(&cell), ends: now.plus_millis(60_000) });
        self.gauge.set(i64::try_from(held.len()).unwrap_or(i64::MAX));
        cell
    }

    /// Drops what has ended.
    pub(crate) fn sweep(&self, now: UnixMillis) {
        let mut held = self.lock();
        held.retain(|_, held| held.ends > now);
        self.gauge.set(i64::try_from(held.len()).unwrap_or(i64::MAX));
    }

    /// Drops what was opened for institutions that are not served any more.
    pub(crate) fn forget(&self, gone: impl Fn(InstitutionId) -> bool) {
        let mut held = self.lock();
        held.retain(|(institution, _), _| !gone(*institution));
        self.gauge.set(i64::try_from(held.len()).unwrap_or(i64::MAX));
    }

    /// Nothing that holds the lock can panic half way through a change.
    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<Key, Held>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
