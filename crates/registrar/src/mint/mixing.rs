//! How points are mixed: without I/O, and by a random source that is an argument.

use renkei_ids::Random;
use renkei_pseudonym::BATCH_MAX;

/// Puts things into an order that tells nothing of the one before (Fisher and Yates; the bias of a remainder of 64 bits is
/// below one in 2^50).
pub(super) fn shuffle<T>(things: &mut [T], random: &dyn Random) {
    for last in (1..things.len()).rev() {
        let mut drawn = [0; 8];
        random.fill(&mut drawn);
        let count = u64::try_from(last + 1).expect("a list is shorter than that");
        let at = usize::try_from(u64::from_le_bytes(drawn) % count).expect("it is below the list's length");
        things.swap(at, last);
    }
}

/// Batches of one kind each (tickets of one day share a call), each as even as the others, all in a shuffled order.
pub(super) fn batches<T, K: Ord + Copy>(things: Vec<T>, kind: impl Fn(&T) -> K, random: &dyn Random) -> Vec<Vec<T>> {
    let mut by_kind: std::collections::BTreeMap<K, Vec<T>> = std::collections::BTreeMap::new();
    for thing in things {
        by_kind.entry(kind(&thing)).or_default().push(thing);
    }
    let mut batches = Vec::new();
    for mut things in by_kind.into_values() {
        shuffle(&mut things, random);
        // Two of 33 rather than one of 64 and one of 2, in which there is nobody to be mixed with.
        let count = things.len().div_ceil(BATCH_MAX);
        let size = things.len().div_ceil(count);
        while !things.is_empty() {
            batches.push(things.split_off(things.len().saturating_sub(size)));
        }
    }
    batches
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::sync::atomic::{AtomicU64, Ordering};

    use proptest::prelude::*;

    use super::*;

    /// Splitmix64: the same numbers from the same seed.
    struct Seeded(AtomicU64);

    impl Random for Seeded {
        fn fill(&self, into: &mut [u8]) {
            for chunk in into.chunks_mut(8) {
                let mut z = self.0.fetch_add(0x9E37_79B9_7F4A_7C15, Ordering::Relaxed);
                z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
                z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
                chunk.copy_from_slice(&(z ^ (z >> 31)).to_le_bytes()[..chunk.len()]);
            }
        }
    }

    proptest! {
        #[test]
        fn every_point_is_in_one_batch_of_its_day_and_no_batch_is_over_long_or_nearly_alone(
            things in prop::collection::vec((0_u32..3, any::<u64>()), 0..300),
            seed: u64,
        ) {
            let batches = batches(things.clone(), |(day, _)| *day, &Seeded(seed.into()));
            let mut all: Vec<(u32, u64)> = batches.concat();
            let mut expected = things.clone();
            all.sort_unstable();
            expected.sort_unstable();
            prop_assert_eq!(all, expected);
            for batch in &batches {
                prop_assert!((1..=BATCH_MAX).contains(&batch.len()));
                prop_assert!(batch.iter().all(|(day, _)| *day == batch[0].0));
                let of_day = things.iter().filter(|(day, _)| *day == batch[0].0).count();
                prop_assert!(batch.len() == of_day || batch.len() > BATCH_MAX / 4, "{} of {of_day}", batch.len());
            }
        }
    }

    #[test]
    fn each_order_of_four_comes_about_as_often_as_any_other() {
        let random = Seeded(20_261_129.into());
        let mut counts = std::collections::BTreeMap::<[u8; 4], u32>::new();
        for _ in 0..24_000 {
            let mut things = [0, 1, 2, 3];
            shuffle(&mut things, &random);
            *counts.entry(things).or_default() += 1;
        }
        assert_eq!(counts.len(), 24);
        // 1,000 each, give or take six standard deviations of 31.
        assert!(counts.values().all(|count| (814..=1_186).contains(count)), "{counts:?}");
    }

    #[test]
    fn points_of_two_check_ins_stand_among_each_other() {
        let things: Vec<(u32, char)> = (0..20).map(|at| (0, if at < 10 { 'a' } else { 'b' })).collect();
        let orders: BTreeSet<String> = (0..50)
            .map(|seed| {
                let batches = batches(things.clone(), |(day, _)| *day, &Seeded(seed.into()));
                batches.concat().into_iter().map(|(_, whose)| whose).collect()
            })
            .collect();
        assert!(orders.len() > 45, "orders differ");
        assert!(orders.iter().all(|order| order.contains("ab") && order.contains("ba")), "no order shows two blocks");
    }
}
