//! For which clouds a patient gets tickets: those that she was written in, and decoys, so that the list tells nothing.
//!
//! The list has two clouds, four, or all, and only grows: a cloud that was once in it stays, or its going would show that
//! it had been a decoy. Whose list is protected has all of them.

use aws_lc_rs::digest::{SHA256, digest};
use renkei_ids::CloudId;

const DOMAIN: &[u8] = b"renkei 2026-11 decoy clouds\0";

/// The clouds to name, ascending: every one of `real` and of those `listed` before, and as many decoys as the next size
/// takes. Decoys are drawn by `seed`, the same at each time.
pub(crate) fn padded(
    seed: [u8; 16],
    real: &[CloudId],
    listed: &[CloudId],
    clouds: &[CloudId],
    all: bool,
) -> Vec<CloudId> {
    let mut named: Vec<CloudId> = [real, listed].concat();
    if all {
        named.extend(clouds);
    }
    named.sort_unstable();
    named.dedup();
    let mut others: Vec<CloudId> = clouds.iter().filter(|cloud| !named.contains(cloud)).copied().collect();
    others.sort_by_cached_key(|cloud| draw(seed, *cloud));
    others.dedup();
    let every = named.len() + others.len();
    let size = [2, 4].into_iter().find(|size| named.len() <= *size).map_or(every, |size| size.min(every));
    let missing = size - named.len();
    named.extend(others.into_iter().take(missing));
    named.sort_unstable();
    named
}

fn draw(seed: [u8; 16], cloud: CloudId) -> [u8; 32] {
    let drawn = digest(&SHA256, &[DOMAIN, &seed, cloud.as_bytes()].concat());
    drawn.as_ref().try_into().expect("SHA-256 gives 32 bytes")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn cloud(number: u8) -> CloudId {
        CloudId::from_bytes([number; 16])
    }

    proptest! {
        #[test]
        fn a_list_has_two_four_or_all_and_only_grows(
            seed: [u8; 16],
            count in 1_u8..10,
            visits in prop::collection::vec(0_u8..10, 1..8),
        ) {
            let clouds: Vec<CloudId> = (0..count).map(cloud).collect();
            let (mut written, mut listed) = (Vec::new(), Vec::new());
            for visit in visits {
                written.push(cloud(visit % count));
                let list = padded(seed, &written, &listed, &clouds, false);
                prop_assert!([2, 4, clouds.len()].contains(&list.len()), "{} of {}", list.len(), count);
                prop_assert!(list.is_sorted() && written.iter().chain(&listed).all(|cloud| list.contains(cloud)));
                // The same each time, whatever order the clouds come in.
                let reversed: Vec<CloudId> = clouds.iter().rev().copied().collect();
                prop_assert_eq!(&padded(seed, &written, &listed, &reversed, false), &list);
                prop_assert_eq!(padded(seed, &written, &list, &clouds, false), list.clone());
                prop_assert_eq!(padded(seed, &written, &listed, &clouds, true).len(), clouds.len());
                listed = list;
            }
        }
    }

    #[test]
    fn decoys_differ_from_person_to_person() {
        let clouds: Vec<CloudId> = (0..9).map(cloud).collect();
        let lists: std::collections::BTreeSet<Vec<CloudId>> =
            (0..64).map(|seed| padded([seed; 16], &[cloud(0)], &[], &clouds, false)).collect();
        assert_eq!(lists.len(), 8, "each of the other clouds is somebody's decoy");
    }
}
