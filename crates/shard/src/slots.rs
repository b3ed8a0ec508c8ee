//! How a group holds a slot, and which orders change that.
//!
//! An order says what is to become of some slots. It bears a [`Fence`], which grows with every change of the placement:
//! an order that is older than the last one that a slot followed changes nothing, so that one of a deposed controller,
//! however late it comes, neither thaws a slot that was given away nor freezes one that was thawed since. And a slot
//! goes through its states in order: one that is not empty takes no import, one that is not frozen is not given away.

use renkei_ids::{Slot, SlotEpoch};

use crate::apply::load;
use crate::command::SlotChange;
use crate::format;
use crate::keys::{self, Family};
use crate::rows::{InvalidRow, Row};
use crate::store::{ShardError, Store, View};
use crate::verdict::Verdict;

type Result<T, V> = core::result::Result<T, ShardError<<V as View>::Error>>;

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
    /// The slot is on its way to another group: nothing is served, the caller waits.
    Frozen {
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
            Self::Frozen { round } => (2, round),
            Self::Gone => (3, 0),
            Self::Moving { round } => (4, round),
            Self::Incoming => (5, 0),
            Self::Purged => (6, 0),
        }
    }

    pub(crate) const fn from_raw(raw: u32, round: u32) -> Option<Self> {
        match (raw, round) {
            (1, 0) => Some(Self::Owned),
            (2, round) => Some(Self::Frozen { round }),
            (3, 0) => Some(Self::Gone),
            (4, 1..) => Some(Self::Moving { round }),
            (5, 0) => Some(Self::Incoming),
            (6, 0) => Some(Self::Purged),
            _ => None,
        }
    }

    /// Whether patients are served.
    pub const fn serves(self) -> bool {
        matches!(self, Self::Owned | Self::Moving { .. })
    }

    /// Whether whoever asks should wait rather than look for another group.
    pub const fn is_passing(self) -> bool {
        matches!(self, Self::Frozen { .. } | Self::Incoming)
    }

    /// Whether an order may take a slot from this state to `next`. The same state again is one that was stamped anew.
    const fn leads_to(self, next: Self) -> bool {
        match (self, next) {
            (Self::Owned, Self::Owned)
            | (Self::Incoming, Self::Incoming)
            // Activated.
            | (Self::Incoming, Self::Owned)
            // Given away; the target of an abandoned move gives up what it got.
            | (Self::Frozen { .. } | Self::Incoming | Self::Gone | Self::Purged, Self::Gone)
            // Only where no row is left that an import would mix with.
            | (Self::Purged, Self::Incoming)
            // Abandoned.
            | (Self::Moving { .. } | Self::Frozen { .. }, Self::Owned) => true,
            (Self::Owned, Self::Moving { round }) => round == 1,
            (Self::Moving { round }, Self::Moving { round: next }) => next == round || next == round + 1,
            (Self::Moving { round } | Self::Frozen { round }, Self::Frozen { round: next }) => next == round,
            // Thawed: what changes from here on belongs to a round of its own.
            (Self::Frozen { round }, Self::Moving { round: next }) => next == round + 1,
            _ => false,
        }
    }
}

/// How a slot stands in a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SlotState {
    /// What the group does with it.
    pub hold: SlotHold,
    /// The order that said so.
    pub fence: Fence,
}

impl SlotState {
    /// A slot that the group never heard of.
    pub(crate) const UNKNOWN: Self = Self { hold: SlotHold::Purged, fence: Fence { epoch: SlotEpoch(0), stamp: 0 } };
}

impl Row for SlotState {
    const NAME: &'static str = "slot state";

    fn encode(&self) -> bytes::Bytes {
        let Self { hold, fence: Fence { epoch, stamp } } = self;
        let (hold, round) = hold.raw();
        format::encode(&pb::SlotState { hold, epoch: epoch.0, stamp: *stamp, round })
    }

    fn decode(bytes: &bytes::Bytes) -> core::result::Result<Self, InvalidRow> {
        let pb::SlotState { hold, epoch, stamp, round } = format::decode(bytes)?;
        Ok(Self {
            hold: SlotHold::from_raw(hold, round).ok_or(InvalidRow)?,
            fence: Fence { epoch: SlotEpoch(epoch), stamp },
        })
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
pub(crate) fn take_first<S: Store>(store: &mut S, change: &SlotChange) {
    let SlotChange { fence, hold: held, ranges } = change;
    for slot in slots_of(ranges) {
        hold(store, slot, &SlotState { hold: *held, fence: *fence });
    }
}

/// Follows an order for all of its slots or for none.
pub(crate) fn change<S: Store>(store: &mut S, change: &SlotChange) -> Result<Verdict, S> {
    let SlotChange { fence, hold: next, ranges } = change;
    let wanted = SlotState { hold: *next, fence: *fence };
    let mut behind = Vec::new();
    for slot in slots_of(ranges) {
        let known = state(store, slot)?;
        // What is purged was given up first, under this very order.
        let purged_since = SlotState { hold: SlotHold::Gone, ..known };
        if known == wanted || (known.hold == SlotHold::Purged && purged_since == wanted) {
            continue;
        }
        if known.fence >= *fence {
            return Ok(Verdict::Fenced);
        }
        if !known.hold.leads_to(*next) {
            return Ok(Verdict::OutOfOrder);
        }
        behind.push(slot);
    }
    behind.into_iter().for_each(|slot| hold(store, slot, &wanted));
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
            (0_u32..5).prop_map(|round| SlotHold::Frozen { round }),
            Just(SlotHold::Incoming),
            Just(SlotHold::Gone),
            Just(SlotHold::Purged),
        ]
    }

    proptest! {
        #[test]
        fn a_state_reads_back(hold in arb_hold(), epoch: u64, stamp: u64) {
            let state = SlotState { hold, fence: Fence { epoch: SlotEpoch(epoch), stamp } };
            prop_assert_eq!(SlotState::decode(&state.encode()), Ok(state));
        }

        #[test]
        fn no_order_serves_a_slot_whose_rows_are_not_all_there(from in arb_hold(), next in arb_hold()) {
            let whole = from.serves() || matches!(from, SlotHold::Frozen { .. } | SlotHold::Incoming);
            if from.leads_to(next) && next.serves() {
                prop_assert!(whole, "{:?} to {:?}", from, next);
            }
        }
    }
}
