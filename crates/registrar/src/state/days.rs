//! Secrets of the days that tickets are minted under, each sealed. One that nobody needs any more is removed by the next
//! one that comes.

use renkei_envelope::{DayUse, SealedDaySecret};
use renkei_ids::{UnixDay, UnixMillis};

use super::command::KeepDay;
use super::rows::Head;
use super::store::{StateError, Store, Table, View, read};
use super::stored::{Stored as _, stored};
use super::verdict::Verdict;
use bytes::Bytes;

/// Days before a new one of which a secret may be left: those that were kept while the leader's clock was ahead, too.
const DAYS_BACK: u32 = 8;

/// A row of [`Table::Days`].
#[derive(Clone, Debug, PartialEq, Eq)]
struct DayRow {
    secret: SealedDaySecret,
}

stored!(DayRow as DayMessage {
    #[prost(bytes = "bytes", tag = "1")] secret: Bytes,
});

/// The sealed secret of a day.
///
/// # Errors
/// Failed storage, or a row that does not read.
pub fn day_secret<V: View>(view: &V, day: UnixDay) -> Result<Option<SealedDaySecret>, StateError<V::Error>> {
    let row: Option<DayRow> = read(view, (Table::Days, "day"), &day.0.to_be_bytes())?;
    Ok(row.map(|row| row.secret))
}

/// Keeps the secret of a day that has none, and removes those of days that are over.
pub(crate) fn keep_day<S: Store>(
    store: &mut S,
    head: &Head,
    command: &KeepDay,
) -> Result<Vec<Verdict>, StateError<S::Error>> {
    let KeepDay { time: _, day, secret } = command;
    if is_over(*day, head.time) {
        return Ok(Vec::new());
    }
    if day_secret(store, *day)?.is_none() {
        store.put(Table::Days, &day.0.to_be_bytes(), DayRow { secret: secret.clone() }.encode());
    }
    for before in (1..=DAYS_BACK).filter_map(|back| day.0.checked_sub(back).map(UnixDay)) {
        if is_over(before, head.time) && day_secret(store, before)?.is_some() {
            store.delete(Table::Days, &before.0.to_be_bytes());
        }
    }
    Ok(Vec::new())
}

fn is_over(day: UnixDay, now: UnixMillis) -> bool {
    now >= DayUse::last_use(day)
}
