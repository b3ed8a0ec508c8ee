//! How a group holds a slot, and which orders change that.
//!
//! An order says what is to become of some slots. It bears a [`Fence`], which grows with every change of the placement:
//! an order that is older than the last one that a slot followed changes nothing, so that one of a deposed controller,
//! however late it comes, neither thaws a slot that was given away nor freezes one that was thawed since. And a slot
//! goes through its states in order: one that is not empty takes no import, one that is not promised is not given away.
//!
//! Why a slot never has two owners, and none is frozen for long, whoever dies:
//!
//! * A freeze *lapses* by itself once group time has passed its end: the slot is served again, in the next round. Nobody
//!   has to order it, so neither an election of the meta group nor a dead controller keeps a slot frozen.
//! * Before the placement may name another group, the source *promises* the slot, in its own log, and only as long as the
//!   freeze has not lapsed there. So lapse and promise are decided in one log: one of them comes first, and what comes
//!   second is refused. A promise never lapses; it ends by an order of a later step, which the placement was decided for.

use renkei_faults::{Mutation, mutated};
use renkei_ids::{Slot, SlotEpoch, UnixMillis};

use crate::apply::load;
use crate::command::SlotChange;
use crate::format;
use crate::keys::{self, Family};
use crate::rows::{InvalidRow, Row};
use crate::store::{ShardError, Store, View};
use crate::verdict::Verdict;

type Result<T, V> = core::result::Result<T, ShardError<<V as View>::Error>>;

/// Group time that a freeze lasts. Part of what the order means: another value would be another kind of order.
pub const FREEZE_MILLIS: u64 = 700;

/// How old an order is. The placement's epoch and stamp at one moment: neither ever shrinks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fence {
    /// Epoch of the slot map.
    pub epoch: SlotEpoch,
    /// Changes of the placement's jobs so far.
    pub stamp: u64,
}

/// What a group does with a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SlotHold {
    /// Reads and writes are served.
    Owned,
    /// Reads and writes are served, and every key that one of them writes or deletes is noted under this round, for the
    /// next round of copying.
    Moving {
        /// From 1, growing by one.
        round: u32,
    },
    /// The slot is about to go to another group: nothing is served, the caller waits. After [`FREEZE_MILLIS`] the slot is
    /// moving again, in the next round.
    Frozen {
        /// The last round that noted keys.
        round: u32,
    },
    /// The slot is promised to another group: nothing is served, the caller waits, and time changes nothing.
    Promised {
        /// The last round that noted keys.
        round: u32,
    },
    /// The slot comes from another group: imports are taken, and nothing is served, the caller waits.
    Incoming,
    /// The slot went to another group; rows of it may be left.
    Gone,
    /// The slot went to another group, and no row of it is left. So is a slot that the group never heard of.
    Purged,
}

impl SlotHold {
    pub(crate) const fn raw(self) -> (u32, u32) {
        match self {
            Self::Owned => (1, 0),
            // What was frozen before freezes lapsed had promised as much.
            Self::Promised { round } => (2, round),
            Self::Gone => (3, 0),
            Self::Moving { round } => (4, round),
            Self::Incoming => (5, 0),
            Self::Purged => (6, 0),
            Self::Frozen { round } => (7, round),
        }
    }

    pub(crate) const fn from_raw(raw: u32, round: u32) -> Option<Self> {
        match (raw, round) {
            (1, 0) => Some(Self::Owned),
            (2, round) => Some(Self::Promised { round }),
            (3, 0) => Some(Self::Gone),
            (4, 1..) => Some(Self::Moving { round }),
            (5, 0) => Some(Self::Incoming),
            (6, 0) => Some(Self::Purged),
            (7, 1..) => Some(Self::Frozen { round }),
            _ => None,
        }
    }

    /// Whether patients are served.
    pub const fn serves(self) -> bool {
        matches!(self, Self::Owned | Self::Moving { .. })
    }

    /// Whether whoever asks should wait rather than look for another group.
    pub const fn is_passing(self) -> bool {
        matches!(self, Self::Frozen { .. } | Self::Promised { .. } | Self::Incoming)
    }

    /// Whether an order may take a slot from this state to `next`. The same state again is one that was stamped anew.
    const fn leads_to(self, next: Self) -> bool {
        match (self, next) {
            (Self::Owned, Self::Owned)
            | (Self::Incoming, Self::Incoming)
            // Activated.
            | (Self::Incoming, Self::Owned)
            // Given away; the target of an abandoned move gives up what it got.
            | (Self::Promised { .. } | Self::Incoming | Self::Gone | Self::Purged, Self::Gone)
            // Only where no row is left that an import would mix with.
            | (Self::Purged, Self::Incoming)
            // Abandoned.
            | (Self::Moving { .. } | Self::Frozen { .. } | Self::Promised { .. }, Self::Owned) => true,
            (Self::Owned, Self::Moving { round }) => round == 1,
            (Self::Moving { round }, Self::Moving { round: next }) => next == round || next == round.saturating_add(1),
            (Self::Moving { round } | Self::Frozen { round }, Self::Frozen { round: next })
            | (Self::Moving { round } | Self::Frozen { round } | Self::Promised { round }, Self::Promised { round: next }) => {
                next == round
            }
            // Thawed: what changes from here on belongs to a round of its own.
            (Self::Frozen { round } | Self::Promised { round }, Self::Moving { round: next }) => {
                next == round.saturating_add(1)
            }
            _ => false,
        }
    }
}

/// How a slot stands in a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SlotState {
    /// What the last order made of it. What the group does with it is told by [`at`](Self::at).
    pub hold: SlotHold,
    /// The order that said so.
    pub fence: Fence,
    /// Group time at which a freeze lapses; `None` unless frozen.
    lapses: Option<UnixMillis>,
}

impl SlotState {
    /// A slot that the group never heard of.
    pub(crate) const UNKNOWN: Self = Self::new(SlotHold::Purged, Fence { epoch: SlotEpoch(0), stamp: 0 });

    /// Any state but a freeze, which has an end.
    pub(crate) const fn new(hold: SlotHold, fence: Fence) -> Self {
        Self { hold, fence, lapses: None }
    }

    /// A state that begins at a moment of group time.
    fn begun(hold: SlotHold, fence: Fence, time: UnixMillis) -> Self {
        let freezes = matches!(hold, SlotHold::Frozen { .. });
        Self { hold, fence, lapses: freezes.then(|| time.plus_millis(FREEZE_MILLIS)) }
    }

    /// What the group does with the slot at a moment of group time. A freeze that has lapsed is the next round.
    pub fn at(&self, time: UnixMillis) -> SlotHold {
        match (self.hold, self.lapses) {
            (SlotHold::Frozen { round }, Some(lapses)) if lapses <= time => {
                SlotHold::Moving { round: round.saturating_add(1) }
            }
            (hold, _) => hold,
        }
    }

    /// Whether the slot has followed this very order, whatever followed from it since.
    fn has_followed(&self, next: SlotHold, fence: Fence) -> bool {
        let done = match (self.hold, next) {
            // What is purged was given up first, and what is promised was frozen first, under this very order.
            (SlotHold::Purged, SlotHold::Gone) => true,
            (SlotHold::Promised { round }, SlotHold::Frozen { round: next }) => round == next,
            (hold, next) => hold == next,
        };
        done && self.fence == fence
    }

    /// Whether an order comes later than the last one: it is newer, or the second half of one step, which freezes a slot
    /// and has it promised.
    fn is_before(&self, next: SlotHold, fence: Fence) -> bool {
        let second_half = match (self.hold, next) {
            (SlotHold::Frozen { round }, SlotHold::Promised { round: next }) => round == next,
            _ => false,
        };
        self.fence < fence || (second_half && self.fence == fence)
    }

    /// What an order makes of the slot at a moment of group time; `None` where the slot cannot go from here to there.
    fn ordered(&self, next: SlotHold, fence: Fence, time: UnixMillis) -> Option<Self> {
        let here = if mutated(Mutation::LapsedFreezePromised) { self.hold } else { self.at(time) };
        match (here, next) {
            // A step that is done again neither takes a promise back, for somebody may go by it already, nor begins the
            // freeze anew.
            (SlotHold::Promised { round } | SlotHold::Frozen { round }, SlotHold::Frozen { round: next })
                if next == round =>
            {
                Some(Self { fence, ..*self })
            }
            _ => here.leads_to(next).then(|| Self::begun(next, fence, time)),
        }
    }
}

impl Row for SlotState {
    const NAME: &'static str = "slot state";

    fn encode(&self) -> bytes::Bytes {
        let Self { hold, fence: Fence { epoch, stamp }, lapses } = self;
        let (hold, round) = hold.raw();
        let lapses_ms = lapses.map(|lapses| lapses.0);
        format::encode(&pb::SlotState { hold, epoch: epoch.0, stamp: *stamp, round, lapses_ms })
    }

    fn decode(bytes: &bytes::Bytes) -> core::result::Result<Self, InvalidRow> {
        let pb::SlotState { hold, epoch, stamp, round, lapses_ms } = format::decode(bytes)?;
        let hold = SlotHold::from_raw(hold, round).ok_or(InvalidRow)?;
        if matches!(hold, SlotHold::Frozen { .. }) != lapses_ms.is_some() {
            return Err(InvalidRow);
        }
        Ok(Self { hold, fence: Fence { epoch: SlotEpoch(epoch), stamp }, lapses: lapses_ms.map(UnixMillis) })
    }
}

/// How a slot stands.
pub(crate) fn state<V: View>(view: &V, slot: Slot) -> Result<SlotState, V> {
    Ok(load(view, Family::System, &keys::slot_state(slot))?.unwrap_or(SlotState::UNKNOWN))
}

/// The state that all slots of a range share; `None` where they differ.
pub(crate) fn common_state<V: View>(view: &V, (first, last): (Slot, Slot)) -> Result<Option<SlotState>, V> {
    let shared = state(view, first)?;
    for slot in Slot::all().filter(|slot| first < *slot && *slot <= last) {
        if state(view, slot)? != shared {
            return Ok(None);
        }
    }
    Ok(Some(shared))
}

pub(crate) fn hold<S: Store>(store: &mut S, slot: Slot, state: &SlotState) {
    store.put(Family::System, &keys::slot_state(slot), state.encode());
}

/// The first slots of a group that was just founded: nobody held them before.
pub(crate) fn take_first<S: Store>(store: &mut S, change: &SlotChange, time: UnixMillis) {
    let SlotChange { fence, hold: held, ranges } = change;
    for slot in slots_of(ranges) {
        hold(store, slot, &SlotState::begun(*held, *fence, time));
    }
}

/// Follows an order for all of its slots or for none, at a moment of group time.
pub(crate) fn change<S: Store>(store: &mut S, change: &SlotChange, time: UnixMillis) -> Result<Verdict, S> {
    let SlotChange { fence, hold: next, ranges } = change;
    let mut behind = Vec::new();
    for slot in slots_of(ranges) {
        let known = state(store, slot)?;
        if known.has_followed(*next, *fence) {
            continue;
        }
        if !known.is_before(*next, *fence) {
            return Ok(Verdict::Fenced);
        }
        let Some(wanted) = known.ordered(*next, *fence, time) else { return Ok(Verdict::OutOfOrder) };
        behind.push((slot, wanted));
    }
    behind.iter().for_each(|(slot, wanted)| hold(store, *slot, wanted));
    Ok(Verdict::Changed)
}

fn slots_of(ranges: &[(Slot, Slot)]) -> impl Iterator<Item = Slot> {
    Slot::all().filter(|slot| ranges.iter().any(|(first, last)| first <= slot && slot <= last))
}

mod pb {
    #[derive(Clone, PartialEq, Eq, prost::Message)]
    pub(super) struct SlotState {
        #[prost(uint32, tag = "1")]
        pub(super) hold: u32,
        #[prost(uint64, tag = "2")]
        pub(super) epoch: u64,
        #[prost(uint64, tag = "3")]
        pub(super) stamp: u64,
        #[prost(uint32, tag = "4")]
        pub(super) round: u32,
        #[prost(uint64, optional, tag = "5")]
        pub(super) lapses_ms: Option<u64>,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn arb_hold() -> impl Strategy<Value = SlotHold> {
        prop_oneof![
            Just(SlotHold::Owned),
            (1_u32..5).prop_map(|round| SlotHold::Moving { round }),
            (1_u32..5).prop_map(|round| SlotHold::Frozen { round }),
            (0_u32..5).prop_map(|round| SlotHold::Promised { round }),
            Just(SlotHold::Incoming),
            Just(SlotHold::Gone),
            Just(SlotHold::Purged),
        ]
    }

    fn arb_state() -> impl Strategy<Value = SlotState> {
        (arb_hold(), 0_u64..4, 0_u64..4, 0_u64..2_000).prop_map(|(hold, epoch, stamp, time)| {
            let state = SlotState::new(hold, Fence { epoch: SlotEpoch(epoch), stamp });
            let lapses = matches!(hold, SlotHold::Frozen { .. }).then_some(UnixMillis(time));
            SlotState { lapses, ..state }
        })
    }

    proptest! {
        #[test]
        fn a_state_reads_back(state in arb_state()) {
            prop_assert_eq!(SlotState::decode(&state.encode()), Ok(state));
        }

        #[test]
        fn no_order_serves_a_slot_whose_rows_are_not_all_there(from in arb_hold(), next in arb_hold()) {
            let whole = from.serves()
                || matches!(from, SlotHold::Frozen { .. } | SlotHold::Promised { .. } | SlotHold::Incoming);
            if from.leads_to(next) && next.serves() {
                prop_assert!(whole, "{:?} to {:?}", from, next);
            }
        }

        #[test]
        fn a_slot_is_given_away_on_a_promise_only_and_promised_only_while_it_is_not_served(
            state in arb_state(), next in arb_hold(), time in 0_u64..2_000,
        ) {
            let time = UnixMillis(time);
            let Some(after) = state.ordered(next, Fence { epoch: SlotEpoch(9), stamp: 9 }, time) else { return Ok(()) };
            if after.hold == SlotHold::Gone {
                prop_assert!(!state.at(time).serves() && !matches!(state.hold, SlotHold::Frozen { .. }), "{:?}", state);
            }
            if let (SlotHold::Frozen { .. }, SlotHold::Promised { .. }) = (state.hold, after.hold) {
                prop_assert!(!state.at(time).serves(), "{:?}", state);
            }
            // A freeze ends no later for being ordered again.
            if matches!(next, SlotHold::Frozen { .. }) && state.hold == next {
                prop_assert_eq!(after.lapses, state.lapses);
            }
        }
    }
}
