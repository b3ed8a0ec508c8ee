//! Day secrets: what the ticket keys of one day grow from. Each is drawn when its day is first needed, lies in a sealed file
//! so that a restart loses no ticket, and is destroyed when the day's last ticket has ended.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use renkei_envelope::{DaySecret, DayUse, HostSecret};
use renkei_ids::{UnixDay, UnixMillis};

use crate::disk;
use crate::key_file::{self, KeyFileError, TICKETS};
use crate::random::SystemRandom;

const PREFIX: &str = "tickets-";
const SUFFIX: &str = ".key";

/// Why day secrets are not there.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each message says what its fields are")]
pub enum DaysError {
    #[error("reading or removing a file in {}", dir.display())]
    Directory {
        dir: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("reading or writing the secret of a day")]
    KeyFile(#[from] KeyFileError),
}

/// The secrets of the days that are in use.
#[derive(Debug)]
pub(crate) struct Days {
    dir: PathBuf,
    host: HostSecret,
    secrets: Mutex<BTreeMap<UnixDay, DaySecret>>,
}

impl Days {
    /// Reads what is there of the days in use, and destroys the rest.
    pub(crate) fn open(dir: &Path, host: HostSecret, now: UnixMillis) -> Result<Self, DaysError> {
        let days = Self { dir: dir.to_owned(), host, secrets: Mutex::default() };
        days.purge(now)?;
        for day in days.on_disk()? {
            let secret = key_file::read(&days.path(day), (TICKETS, day.0), &days.host)?;
            days.secrets().insert(day, DaySecret::from_bytes(*secret));
        }
        Ok(days)
    }

    /// The secret of a day, drawn if the day has none; `None` where the day is not to be used so now.
    pub(crate) fn secret(&self, day: UnixDay, what: DayUse, now: UnixMillis) -> Result<Option<DaySecret>, DaysError> {
        if !what.allows(day, now) {
            return Ok(None);
        }
        let mut secrets = self.secrets();
        if let Some(secret) = secrets.get(&day) {
            return Ok(Some(secret.clone()));
        }
        // Of a day that is over nothing was sealed if it has none.
        if now >= DayUse::last_draw(day) {
            return Ok(None);
        }
        let secret = DaySecret::random(&SystemRandom);
        key_file::write(&self.path(day), (TICKETS, day.0), secret.expose(), &self.host)?;
        secrets.insert(day, secret.clone());
        Ok(Some(secret))
    }

    /// Destroys the secrets of days whose last ticket has ended.
    pub(crate) fn purge(&self, now: UnixMillis) -> Result<(), DaysError> {
        let over = |day: &UnixDay| now >= DayUse::last_use(*day);
        self.secrets().retain(|day, _| !over(day));
        for day in self.on_disk()?.into_iter().filter(over) {
            disk::remove(&self.path(day)).map_err(|source| self.failed(source))?;
        }
        Ok(())
    }

    fn on_disk(&self) -> Result<Vec<UnixDay>, DaysError> {
        let entries = std::fs::read_dir(&self.dir).map_err(|source| self.failed(source))?;
        let mut days = Vec::new();
        for entry in entries {
            let name = entry.map_err(|source| self.failed(source))?.file_name();
            let number = name.to_str().and_then(|name| name.strip_prefix(PREFIX)?.strip_suffix(SUFFIX));
            days.extend(number.and_then(|number| number.parse().ok()).map(UnixDay));
        }
        Ok(days)
    }

    fn path(&self, UnixDay(day): UnixDay) -> PathBuf {
        self.dir.join(format!("{PREFIX}{day}{SUFFIX}"))
    }

    fn failed(&self, source: io::Error) -> DaysError {
        DaysError::Directory { dir: self.dir.clone(), source }
    }

    fn secrets(&self) -> std::sync::MutexGuard<'_, BTreeMap<UnixDay, DaySecret>> {
        self.secrets.lock().expect("nothing panics while it holds the secrets")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: UnixDay = UnixDay(20_000);

    fn open(dir: &Path, now: UnixMillis) -> Days {
        Days::open(dir, HostSecret::from_bytes([1; 32]), now).unwrap()
    }

    /// So many milliseconds after the day begins.
    fn at(millis: i64) -> UnixMillis {
        UnixMillis(DAY.begins().0.saturating_add_signed(millis))
    }

    #[test]
    fn a_restart_keeps_a_days_secret_and_its_end_destroys_it() {
        let dir = tempfile::tempdir().unwrap();
        let secret = open(dir.path(), at(0)).secret(DAY, DayUse::Mint, at(0)).unwrap().unwrap();
        let days = open(dir.path(), at(5));
        assert!(days.secret(DAY, DayUse::Fetch, at(5)).unwrap().unwrap() == secret);
        let next = days.secret(UnixDay(DAY.0 + 1), DayUse::Fetch, at(86_400_000)).unwrap().unwrap();
        assert!(next != secret, "each day has its own");

        let over = DayUse::last_use(DAY);
        days.purge(UnixMillis(over.0 - 1)).unwrap();
        assert!(days.secret(DAY, DayUse::Fetch, UnixMillis(over.0 - 1)).unwrap().unwrap() == secret);
        days.purge(over).unwrap();
        assert!(days.secret(DAY, DayUse::Fetch, over).unwrap().is_none());
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1, "only the next day's file is left");
        assert!(open(dir.path(), over).secret(UnixDay(DAY.0 + 1), DayUse::Mint, over).unwrap().unwrap() == next);
    }

    #[test]
    fn no_secret_is_drawn_for_a_day_that_is_over() {
        let dir = tempfile::tempdir().unwrap();
        let days = open(dir.path(), at(86_400_000 + 60_000));
        assert!(days.secret(DAY, DayUse::Fetch, at(86_400_000 + 60_000)).unwrap().is_none());
    }

    #[test]
    fn another_hosts_secret_opens_no_day() {
        let dir = tempfile::tempdir().unwrap();
        open(dir.path(), at(0)).secret(DAY, DayUse::Mint, at(0)).unwrap().unwrap();
        assert!(Days::open(dir.path(), HostSecret::from_bytes([2; 32]), at(0)).is_err());
    }
}
