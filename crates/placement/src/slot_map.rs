//! Which group a slot belongs to.

use renkei_ids::{GroupId, SLOTS, Slot};

/// Consecutive slots of one group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SlotRange {
    /// First slot.
    pub first: Slot,
    /// Last slot.
    pub last: Slot,
    /// Its group.
    pub group: GroupId,
}

/// The group of every slot: total by construction.
#[derive(Clone, PartialEq, Eq)]
pub struct SlotMap(Vec<GroupId>);

/// Ranges that are no map.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSlotMap {
    /// A range does not start where the one before it ended.
    #[error("slot {0} is in no range or in two")]
    Broken(u32),
    /// A range ends before it starts.
    #[error("a range of slots ends before its first, {0}")]
    Backward(Slot),
}

impl SlotMap {
    /// Slots dealt out evenly to groups, in consecutive runs. `None` without a group.
    pub fn even(groups: &[GroupId]) -> Option<Self> {
        let count = groups.len();
        if count == 0 {
            return None;
        }
        Some(Self((0..usize::from(SLOTS)).map(|slot| groups[slot * count / usize::from(SLOTS)]).collect()))
    }

    /// A map from ranges in ascending order that cover every slot once.
    ///
    /// # Errors
    /// [`InvalidSlotMap`].
    pub fn from_ranges(ranges: &[SlotRange]) -> Result<Self, InvalidSlotMap> {
        let mut groups: Vec<GroupId> = Vec::with_capacity(usize::from(SLOTS));
        for range in ranges {
            let next = u32::try_from(groups.len()).unwrap_or(u32::MAX);
            if range.last < range.first {
                return Err(InvalidSlotMap::Backward(range.first));
            }
            if u32::from(range.first.get()) != next {
                return Err(InvalidSlotMap::Broken(next.min(u32::from(range.first.get()))));
            }
            groups.resize(usize::from(range.last.get()) + 1, range.group);
        }
        match u32::try_from(groups.len()) {
            Ok(len) if len == u32::from(SLOTS) => Ok(Self(groups)),
            len => Err(InvalidSlotMap::Broken(len.unwrap_or(u32::MAX))),
        }
    }

    /// The group of a slot.
    pub fn group_of(&self, slot: Slot) -> GroupId {
        self.0[usize::from(slot.get())]
    }

    /// The same map but for one range.
    #[must_use]
    pub(crate) fn with(&self, range: &SlotRange) -> Self {
        let inside = |slot: &Slot| range.first <= *slot && *slot <= range.last;
        Self(Slot::all().zip(&self.0).map(|(slot, group)| if inside(&slot) { range.group } else { *group }).collect())
    }

    /// The same map as ranges, ascending, as few as can be.
    pub fn ranges(&self) -> Vec<SlotRange> {
        let mut ranges: Vec<SlotRange> = Vec::new();
        for (slot, group) in Slot::all().zip(&self.0) {
            match ranges.last_mut() {
                Some(range) if range.group == *group => range.last = slot,
                _ => ranges.push(SlotRange { first: slot, last: slot, group: *group }),
            }
        }
        ranges
    }

    /// First and last slot of each run that belongs to a group.
    pub fn ranges_of(&self, group: GroupId) -> Vec<(Slot, Slot)> {
        self.ranges().into_iter().filter(|range| range.group == group).map(|range| (range.first, range.last)).collect()
    }
}

impl core::fmt::Debug for SlotMap {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_list().entries(self.ranges()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn range(first: u32, last: u32, group: u32) -> SlotRange {
        let slot = |raw| Slot::try_from(raw).unwrap();
        SlotRange { first: slot(first), last: slot(last), group: GroupId(group) }
    }

    #[test]
    fn gaps_overlaps_and_backward_ranges_are_refused() {
        let refused = |ranges: &[SlotRange]| SlotMap::from_ranges(ranges).unwrap_err();
        assert_eq!(refused(&[]), InvalidSlotMap::Broken(0));
        assert_eq!(refused(&[range(1, 4095, 1)]), InvalidSlotMap::Broken(0));
        assert_eq!(refused(&[range(0, 9, 1), range(11, 4095, 1)]), InvalidSlotMap::Broken(10));
        assert_eq!(refused(&[range(0, 9, 1), range(9, 4095, 1)]), InvalidSlotMap::Broken(9));
        assert_eq!(refused(&[range(0, 4094, 1)]), InvalidSlotMap::Broken(4095));
        assert_eq!(refused(&[range(5, 4, 1)]), InvalidSlotMap::Backward(Slot::try_from(5).unwrap()));
        assert!(SlotMap::even(&[]).is_none());
    }

    proptest! {
        #[test]
        fn an_even_map_is_even_and_reads_back(groups in 1_u32..65) {
            let ids: Vec<_> = (1..=groups).map(GroupId).collect();
            let map = SlotMap::even(&ids).unwrap();
            prop_assert_eq!(SlotMap::from_ranges(&map.ranges()), Ok(map.clone()));
            let sizes: Vec<_> = ids.iter().map(|id| Slot::all().filter(|slot| map.group_of(*slot) == *id).count()).collect();
            prop_assert!(sizes.iter().max().unwrap() - sizes.iter().min().unwrap() <= 1);
            prop_assert_eq!(map.ranges().len(), ids.len());
        }
    }
}
