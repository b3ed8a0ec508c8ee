//! Rows for refusals, aggregated under a flood: the check-in log must not grow as fast as somebody can ask.
//!
//! In each minute of group time the first refusals of one asker for one reason have a row each; after that only those
//! whose number is a power of two, and each row says how many before it have none.

use renkei_ids::UnixMillis;

use super::log_row::Who;
use super::store::{StateError, Store, Table, read};
use super::stored::{Stored as _, stored};
use super::verdict::Reason;

const MINUTE_MILLIS: u64 = 60_000;
/// Refusals of a minute that have a row each.
const ROWS_EACH: u32 = 16;

/// A counter as stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counter {
    pub(crate) minute: u64,
    /// Of this minute.
    pub(crate) refused: u32,
    /// Since the last row.
    pub(crate) unlogged: u64,
}

stored!(Counter as CounterMessage {
    #[prost(uint64, tag = "1")] minute: u64,
    #[prost(uint32, tag = "2")] refused: u32,
    #[prost(uint64, tag = "3")] unlogged: u64,
});

/// Counts a refusal. Where it is to have a row: how many before it have none.
pub(crate) fn count<S: Store>(
    store: &mut S,
    who: &Who,
    reason: Reason,
    now: UnixMillis,
) -> Result<Option<u64>, StateError<S::Error>> {
    let key = [&[reason as u8][..], &who.key()].concat();
    let counter: Counter = read(store, (Table::Refusals, "refusals"), &key)?.unwrap_or_default();
    let (counter, row) = counter.counted(now);
    store.put(Table::Refusals, &key, counter.encode());
    Ok(row)
}

impl Counter {
    fn counted(self, now: UnixMillis) -> (Self, Option<u64>) {
        let minute = now.0 / MINUTE_MILLIS;
        let before = if self.minute == minute { self.refused } else { 0 };
        let refused = before.saturating_add(1);
        match refused <= ROWS_EACH || refused.is_power_of_two() {
            true => (Self { minute, refused, unlogged: 0 }, Some(self.unlogged)),
            false => (Self { minute, refused, unlogged: self.unlogged.saturating_add(1) }, None),
        }
    }
}
