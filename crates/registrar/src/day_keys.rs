//! The registrar's ticket keys of each day. The secret of a day is drawn by the leader and lies in the state, sealed, so
//! that every replica has the same one; opened ones are kept in memory until their day's last ticket has ended.

use std::collections::BTreeMap;
use std::sync::Mutex;

use renkei_envelope::{DaySecret, DayUse};
use renkei_ids::{UnixDay, UnixMillis};
use renkei_wire::Refusal;

use crate::keys::Keys;
use crate::serve::damaged;
use crate::state::{View, day_secret};
use renkei_storage::StorageError;

/// Secrets that were opened.
#[derive(Debug, Default)]
pub(crate) struct DayKeys(Mutex<BTreeMap<UnixDay, DaySecret>>);

impl DayKeys {
    /// The secret of a day that the state has; `None` where it has none.
    pub(crate) fn of<V: View<Error = StorageError>>(
        &self,
        view: &V,
        keys: &Keys,
        day: UnixDay,
    ) -> Result<Option<DaySecret>, Refusal> {
        if let Some(secret) = self.opened().get(&day) {
            return Ok(Some(secret.clone()));
        }
        let Some(sealed) = day_secret(view, day).map_err(|error| damaged(&error))? else { return Ok(None) };
        let secret = keys.days.open(day, &sealed).map_err(|error| damaged(&error))?;
        self.opened().insert(day, secret.clone());
        Ok(Some(secret))
    }

    /// Forgets those that nobody needs any more.
    pub(crate) fn forget(&self, now: UnixMillis) {
        self.opened().retain(|day, _| now < DayUse::last_use(*day));
    }

    fn opened(&self) -> std::sync::MutexGuard<'_, BTreeMap<UnixDay, DaySecret>> {
        self.0.lock().expect("nothing panics while it holds the secrets")
    }
}
