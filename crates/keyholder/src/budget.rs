//! Budgets: how many points one registrar may have translated for one cloud, by minute and by day.
//!
//! What is used is counted in memory, and a little more than that is on the disk before an answer leaves: uses are taken from
//! the disk's count in blocks of a hundredth of the limit. After a restart the whole block counts as used, so that no restart
//! or crash refills a budget, and one costs a hundredth of it at most. Time only grows here: a clock that is set back refills
//! nothing, and one that is set forward and back leaves its budgets where they were at the latest moment.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use renkei_ids::{CloudId, UnixMillis};

use crate::disk;

mod format;

/// Pairs of registrar and cloud that are told apart.
const ROWS_MAX: usize = 1_024;
const MINUTE_MILLIS: u64 = 60_000;
const DAY_MILLIS: u64 = 86_400_000;
/// A block is the limit divided by this.
const BLOCKS: u32 = 100;

/// How many points may be translated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limit {
    /// In a minute.
    pub(crate) minute: u32,
    /// In a day, which begins at 00:00 UTC.
    pub(crate) day: u32,
}

/// What a charge gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Charged {
    /// So many of those asked for.
    pub(crate) granted: u32,
    /// Milliseconds until the window that is used up ends.
    pub(crate) retry_after_millis: u64,
}

/// Why budgets are not there. Without them nothing is translated.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BudgetError {
    #[error("reading {}", path.display())]
    Read {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("writing {}", path.display())]
    Write {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("{} holds no budgets of this version", path.display())]
    Format { path: PathBuf },
    #[error("{ROWS_MAX} pairs of registrar and cloud are counted, and no more")]
    Full,
}

/// Every budget of this key holder.
#[derive(Debug)]
pub(crate) struct Budgets {
    path: PathBuf,
    rows: BTreeMap<Key, Row>,
}

type Key = (Arc<str>, CloudId);

/// One window's use, and what of it the disk says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Window {
    /// Number of the minute or day.
    at: u64,
    used: u32,
    stored: u32,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Row {
    minute: Window,
    day: Window,
}

impl Budgets {
    /// Reads what is used up; nothing, where there is no file yet.
    pub(crate) fn open(path: &Path) -> Result<Self, BudgetError> {
        let rows = match std::fs::read(path) {
            Ok(bytes) => format::read(&bytes).ok_or_else(|| BudgetError::Format { path: path.to_owned() })?,
            Err(source) if source.kind() == std::io::ErrorKind::NotFound => BTreeMap::new(),
            Err(source) => return Err(BudgetError::Read { path: path.to_owned(), source }),
        };
        Ok(Self { path: path.to_owned(), rows })
    }

    /// Counts up to `asked` translations; when this returns, the disk says so too.
    pub(crate) fn charge(
        &mut self,
        registrar: &Arc<str>,
        cloud: CloudId,
        (asked, limit): (u32, Limit),
        now: UnixMillis,
    ) -> Result<Charged, BudgetError> {
        let key = (Arc::clone(registrar), cloud);
        if self.rows.len() >= ROWS_MAX && !self.rows.contains_key(&key) {
            return Err(BudgetError::Full);
        }
        let row = self.rows.entry(key.clone()).or_default();
        row.minute.roll(now.0 / MINUTE_MILLIS);
        row.day.roll(now.0 / DAY_MILLIS);
        let left = [(limit.minute, row.minute), (limit.day, row.day)].map(|(limit, it)| limit.saturating_sub(it.used));
        let granted = asked.min(left[0]).min(left[1]);
        let until = |next: u64, length: u64| next.saturating_mul(length).saturating_sub(now.0).max(1);
        let retry_after_millis =
            if left[1] < asked { until(row.day.at + 1, DAY_MILLIS) } else { until(row.minute.at + 1, MINUTE_MILLIS) };
        let on_disk = (row.minute.stored, row.day.stored);
        let grown = [row.minute.charge(granted, limit.minute), row.day.charge(granted, limit.day)];
        if grown.contains(&true)
            && let Err(source) = disk::replace(&self.path, &format::write(&self.rows))
        {
            // What the disk was not told of is asked of it again before the next answer.
            let row = self.rows.entry(key).or_default();
            (row.minute.stored, row.day.stored) = on_disk;
            return Err(BudgetError::Write { path: self.path.clone(), source });
        }
        Ok(Charged { granted, retry_after_millis })
    }
}

impl Window {
    /// Begins anew in a later window, never in an earlier one.
    fn roll(&mut self, now: u64) {
        if now > self.at {
            *self = Self { at: now, used: 0, stored: 0 };
        }
    }

    /// Counts, and says whether the disk has to be told.
    fn charge(&mut self, count: u32, limit: u32) -> bool {
        self.used += count;
        let block = (limit / BLOCKS).max(1);
        let enough = self.used <= self.stored;
        if !enough {
            self.stored = self.used.div_ceil(block).saturating_mul(block).min(limit.max(self.used));
        }
        !enough
    }
}

#[cfg(test)]
mod tests;
