//! Budgets: how much an institution and each of its people may ask, by minute and by day of group time.
//!
//! Counters lie in the state, so that neither a restart nor a new leader resets one. Limits come with each command and
//! follow from the size of the institution. Breadth, the number of different people asked for in a day, is counted with
//! the institution; its breach locks it (see `attend`).

use renkei_access::{DailyVisits, Evidence, Limit, Purpose};
use renkei_ids::{ActorTag, InstitutionId, UnixMillis};

use super::store::{StateError, Store, Table, read};
use super::stored::{Stored as _, stored};

const MINUTE_MILLIS: u64 = 60_000;
pub(crate) const DAY_MILLIS: u64 = 86_400_000;

/// The limits of one institution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Check-ins on one purpose and evidence.
    pub check_ins: Limit,
    /// Eligibility of single persons.
    pub eligibility: Limit,
    /// Eligibility of many persons in one call.
    pub bulk: Limit,
    /// Whatever led to nobody: a guess is one of these.
    pub failures: Limit,
    /// Renewals under grants.
    pub renewals: Limit,
    /// Everything that one of its people asks, but for bulk and renewals.
    pub actor: Limit,
    /// Different persons in a day who were not checked in there before. One more locks the institution.
    pub breadth: u32,
}

impl Limits {
    /// The defaults for an institution of this size: twice its visits of a usual day.
    ///
    /// A patient is asked for twice before being checked in, tickets of ten minutes are renewed for two hours, and a card is
    /// misread or a number mistyped once in ten visits. The least of each lets an institution of five visits a day live.
    pub const fn of(visits: DailyVisits) -> Self {
        let breadth = 3 * visits.get();
        Self {
            check_ins: visits.limit(20, 40),
            eligibility: visits.limit(40, 80),
            bulk: visits.limit(40, 400),
            failures: visits.limit(1, 20),
            renewals: visits.limit(240, 480),
            actor: visits.limit(20, 80),
            breadth: if breadth < 60 { 60 } else { breadth },
        }
    }
}

stored!(Limit as LimitMessage {
    #[prost(uint32, tag = "1")] minute: u32,
    #[prost(uint32, tag = "2")] day: u32,
});
stored!(Limits as LimitsMessage {
    #[prost(message, optional, tag = "1")] check_ins: Option<LimitMessage>,
    #[prost(message, optional, tag = "2")] eligibility: Option<LimitMessage>,
    #[prost(message, optional, tag = "3")] bulk: Option<LimitMessage>,
    #[prost(message, optional, tag = "4")] failures: Option<LimitMessage>,
    #[prost(message, optional, tag = "5")] renewals: Option<LimitMessage>,
    #[prost(message, optional, tag = "6")] actor: Option<LimitMessage>,
    #[prost(uint32, tag = "7")] breadth: u32,
});

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Use {
    CheckIn(Purpose, Evidence),
    Eligibility,
    Bulk,
    Renewal,
}

/// A counter as stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counter {
    pub(crate) minute: u64,
    pub(crate) minute_used: u32,
    pub(crate) day: u64,
    pub(crate) day_used: u32,
}

stored!(Counter as CounterMessage {
    #[prost(uint64, tag = "1")] minute: u64,
    #[prost(uint32, tag = "2")] minute_used: u32,
    #[prost(uint64, tag = "3")] day: u64,
    #[prost(uint32, tag = "4")] day_used: u32,
});

/// Why a use is refused: milliseconds until the window that is used up ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct UsedUp {
    pub(crate) retry_after_millis: u64,
}

/// Counts one use on every axis, or on none where one is used up. The budget of failures must have room too, whether
/// this use fails or not: else the answer of the last one would tell.
pub(crate) fn charge<S: Store>(
    store: &mut S,
    limits: &Limits,
    what: Use,
    (institution, actor): (InstitutionId, ActorTag),
    now: UnixMillis,
) -> Result<Result<(), UsedUp>, StateError<S::Error>> {
    let by_institution = |axis: u8, rest: [u8; 2]| [&[axis][..], institution.as_bytes(), &rest].concat();
    let by_actor = [&[1][..], institution.as_bytes(), actor.as_bytes()].concat();
    let mut axes = match what {
        Use::CheckIn(purpose, evidence) => {
            vec![(by_institution(2, [purpose as u8, evidence as u8]), limits.check_ins), (by_actor, limits.actor)]
        }
        Use::Eligibility => vec![(by_institution(3, [0, 0]), limits.eligibility), (by_actor, limits.actor)],
        Use::Bulk => vec![(by_institution(4, [0, 0]), limits.bulk)],
        Use::Renewal => vec![(by_institution(5, [0, 0]), limits.renewals)],
    };
    let mut charged = Vec::with_capacity(axes.len());
    let mut refused: Option<UsedUp> = None;
    for (key, limit) in axes.drain(..) {
        match counter(store, &key)?.charged(limit, now) {
            Ok(counter) => charged.push((key, counter)),
            // The longest wait, so that a retry after it is not refused by another axis that is used up now.
            Err(used_up) => refused = refused.max(Some(used_up)),
        }
    }
    let failures = counter(store, &failures_key(institution))?.charged(limits.failures, now);
    if let Some(used_up) = refused.max(failures.err()) {
        return Ok(Err(used_up));
    }
    for (key, counter) in charged {
        store.put(Table::Budgets, &key, counter.encode());
    }
    Ok(Ok(()))
}

/// Counts a failure. [`charge`] has seen that there is room.
pub(crate) fn count_failure<S: Store>(
    store: &mut S,
    limits: &Limits,
    institution: InstitutionId,
    now: UnixMillis,
) -> Result<(), StateError<S::Error>> {
    let key = failures_key(institution);
    if let Ok(counter) = counter(store, &key)?.charged(limits.failures, now) {
        store.put(Table::Budgets, &key, counter.encode());
    }
    Ok(())
}

fn failures_key(institution: InstitutionId) -> Vec<u8> {
    [&[6][..], institution.as_bytes()].concat()
}

fn counter<S: Store>(store: &S, key: &[u8]) -> Result<Counter, StateError<S::Error>> {
    Ok(read(store, (Table::Budgets, "budget"), key)?.unwrap_or_default())
}

impl Counter {
    /// One more use now, or the reason against.
    fn charged(self, limit: Limit, now: UnixMillis) -> Result<Self, UsedUp> {
        let (minute, day) = (now.0 / MINUTE_MILLIS, now.0 / DAY_MILLIS);
        let minute_used = if self.minute == minute { self.minute_used } else { 0 };
        let day_used = if self.day == day { self.day_used } else { 0 };
        if day_used >= limit.day {
            return Err(UsedUp { retry_after_millis: DAY_MILLIS - now.0 % DAY_MILLIS });
        }
        if minute_used >= limit.minute {
            return Err(UsedUp { retry_after_millis: MINUTE_MILLIS - now.0 % MINUTE_MILLIS });
        }
        Ok(Self { minute, minute_used: minute_used + 1, day, day_used: day_used + 1 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_grow_with_the_institution_and_let_the_smallest_live() {
        let of = |visits| Limits::of(DailyVisits::new(visits).expect("a size"));
        let small = of(5);
        assert_eq!(small.check_ins, Limit { minute: 10, day: 40 });
        assert_eq!((small.failures, small.breadth), (Limit { minute: 5, day: 20 }, 60));
        let large = of(3_000);
        assert_eq!(large.check_ins, Limit { minute: 150, day: 6_000 });
        assert_eq!((large.failures, large.breadth), (Limit { minute: 7, day: 300 }, 9_000));
    }
}
