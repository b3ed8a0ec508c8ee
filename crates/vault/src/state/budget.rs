//! Budgets: how much may be opened and written, by minute and by day of group time.
//!
//! Each use is counted on three axes: who asks (institution, purpose, evidence), through which cell, and for which slot.
//! Counters lie in the state, so that neither a restart nor a new leader resets one; limits come with each command.

use bytes::Bytes;
use renkei_access::{Evidence, Limit, Purpose};
use renkei_ids::{InstitutionId, KeyHash, Slot, UnixMillis};

use super::apply::StateError;
use super::format::{decode, encode};
use super::store::{Store, Table, View};

const MINUTE_MILLIS: u64 = 60_000;
const DAY_MILLIS: u64 = 86_400_000;

/// The limits in force when a command was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Openings by one (institution, purpose, evidence).
    pub open_asker: Limit,
    /// The same, where the evidence serves emergencies only.
    pub open_emergency: Limit,
    /// Openings through one gateway.
    pub open_cell: Limit,
    /// Openings of patients in one slot.
    pub open_slot: Limit,
    /// Puts and deletes by one (institution, purpose, evidence).
    pub write_asker: Limit,
    /// Puts and deletes through one gateway.
    pub write_cell: Limit,
    /// Puts and deletes for patients in one slot.
    pub write_slot: Limit,
}

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Use {
    /// A patient: the first opening of a ticket.
    Open = 1,
    Write = 2,
    Stubs = 3,
    /// Another opening of the same ticket, which says nothing of how many patients are opened.
    Again = 4,
}

/// Who asks, through what and for which slot.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asker {
    pub(crate) institution: InstitutionId,
    pub(crate) purpose: Purpose,
    pub(crate) evidence: Evidence,
    pub(crate) gateway: KeyHash,
    pub(crate) slot: Slot,
    /// What the directory lets the institution open; `None` for the limit of the command.
    pub(crate) breadth: Option<Limit>,
}

/// A counter as stored.
#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
pub(crate) struct Counter {
    #[prost(uint64, tag = "1")]
    minute: u64,
    #[prost(uint32, tag = "2")]
    minute_used: u32,
    #[prost(uint64, tag = "3")]
    day: u64,
    #[prost(uint32, tag = "4")]
    day_used: u32,
}

/// Why a use is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct UsedUp {
    /// Milliseconds until the last of the windows that are used up ends, so that a retry after it is not refused by another
    /// axis that is used up now.
    pub(crate) retry_after_millis: u64,
    /// Whether it is the asker's own budget that is used up.
    pub(crate) by_asker: bool,
}

/// Counts one use on every axis, or on none where one is used up.
pub(crate) fn charge<S: Store>(
    store: &mut S,
    limits: &Limits,
    what: Use,
    asker: &Asker,
    now: UnixMillis,
) -> Result<Result<(), UsedUp>, StateError<S::Error>> {
    let mut charged = Vec::with_capacity(3);
    let mut refused: Option<UsedUp> = None;
    for ((key, limit), by_asker) in axes(limits, what, asker).into_iter().zip([true, false, false]) {
        match counter(store, &key)?.charged(limit, now) {
            Ok(counter) => charged.push((key, counter)),
            Err(wait) => {
                let before = refused.unwrap_or(UsedUp { retry_after_millis: 0, by_asker: false });
                let retry_after_millis = before.retry_after_millis.max(wait);
                refused = Some(UsedUp { retry_after_millis, by_asker: before.by_asker || by_asker });
            }
        }
    }
    if let Some(used_up) = refused {
        return Ok(Err(used_up));
    }
    for (key, counter) in charged {
        store.put(Table::Budgets, &key, encode(&counter));
    }
    Ok(Ok(()))
}

fn axes(limits: &Limits, what: Use, asker: &Asker) -> [(Vec<u8>, Limit); 3] {
    let Asker { institution, purpose, evidence, gateway, slot, breadth } = asker;
    let by_asker = match what {
        Use::Write => limits.write_asker,
        Use::Open | Use::Again | Use::Stubs => {
            let of_no_size = if evidence.is_emergency() { limits.open_emergency } else { limits.open_asker };
            breadth.unwrap_or(of_no_size)
        }
    };
    let (by_cell, by_slot) = match what {
        Use::Write => (limits.write_cell, limits.write_slot),
        Use::Open | Use::Again | Use::Stubs => (limits.open_cell, limits.open_slot),
    };
    let key = |axis: u8, parts: &[&[u8]]| [&[what as u8, axis][..], &parts.concat()].concat();
    [
        (key(1, &[institution.as_bytes(), &[*purpose as u8, *evidence as u8]]), by_asker),
        (key(2, &[gateway.as_bytes()]), by_cell),
        (key(3, &[&slot.to_be_bytes()]), by_slot),
    ]
}

fn counter<V: View>(view: &V, key: &[u8]) -> Result<Counter, StateError<V::Error>> {
    match view.get(Table::Budgets, key).map_err(StateError::Store)? {
        None => Ok(Counter::default()),
        Some(bytes) => decode(&bytes).map_err(|_| StateError::Corrupt { row: "budget" }),
    }
}

impl Counter {
    /// One more use now, or the milliseconds until there may be one.
    fn charged(self, limit: Limit, now: UnixMillis) -> Result<Self, u64> {
        let (minute, day) = (now.0 / MINUTE_MILLIS, now.0 / DAY_MILLIS);
        let minute_used = if self.minute == minute { self.minute_used } else { 0 };
        let day_used = if self.day == day { self.day_used } else { 0 };
        if day_used >= limit.day {
            return Err(DAY_MILLIS - now.0 % DAY_MILLIS);
        }
        if minute_used >= limit.minute {
            return Err(MINUTE_MILLIS - now.0 % MINUTE_MILLIS);
        }
        Ok(Self { minute, minute_used: minute_used + 1, day, day_used: day_used + 1 })
    }
}

impl Limits {
    pub(crate) fn to_bytes(self) -> Bytes {
        let limits = [
            self.open_asker,
            self.open_emergency,
            self.open_cell,
            self.open_slot,
            self.write_asker,
            self.write_cell,
            self.write_slot,
        ];
        limits.iter().flat_map(|limit| [limit.minute, limit.day]).flat_map(u32::to_be_bytes).collect()
    }

    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (words, []) = bytes.as_chunks::<4>() else { return None };
        let words: &[[u8; 4]; 14] = words.try_into().ok()?;
        let limit =
            |at: usize| Limit { minute: u32::from_be_bytes(words[2 * at]), day: u32::from_be_bytes(words[2 * at + 1]) };
        Some(Self {
            open_asker: limit(0),
            open_emergency: limit(1),
            open_cell: limit(2),
            open_slot: limit(3),
            write_asker: limit(4),
            write_cell: limit(5),
            write_slot: limit(6),
        })
    }
}
