//! Rows for refusals, aggregated under a flood: the log of openings must not grow as fast as somebody can ask.
//!
//! In each minute of group time the first refusals of one gateway for one institution and reason have a row each; after
//! that only those whose number is a power of two, and each row says how many before it have none. So a flood of a million
//! in a minute is some thirty rows, none of it is uncounted, and it hides nothing of other institutions.

use renkei_ids::{InstitutionId, KeyHash, UnixMillis};

use super::apply::StateError;
use super::format::{decode, encode};
use super::store::{Store, Table};
use super::verdict::Reason;

const MINUTE_MILLIS: u64 = 60_000;
/// Refusals of a minute that have a row each.
const ROWS_EACH: u32 = 16;

/// A counter as stored.
#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
pub(crate) struct Counter {
    #[prost(uint64, tag = "1")]
    minute: u64,
    /// Of this minute.
    #[prost(uint32, tag = "2")]
    refused: u32,
    /// Since the last row.
    #[prost(uint64, tag = "3")]
    pub(crate) unlogged: u64,
}

/// Counts a refusal. Where it is to have a row: how many before it have none.
pub(crate) fn count<S: Store>(
    store: &mut S,
    (gateway, institution, reason): (&KeyHash, &InstitutionId, Reason),
    now: UnixMillis,
) -> Result<Option<u64>, StateError<S::Error>> {
    let key = [&[reason as u8][..], institution.as_bytes(), gateway.as_bytes()].concat();
    let counter = match store.get(Table::Refusals, &key).map_err(StateError::Store)? {
        None => Counter::default(),
        Some(bytes) => decode(&bytes).map_err(|_| StateError::Corrupt { row: "refusals" })?,
    };
    let (counter, row) = counter.counted(now);
    store.put(Table::Refusals, &key, encode(&counter));
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
