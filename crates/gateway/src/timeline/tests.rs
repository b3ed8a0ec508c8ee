use proptest::option;
use proptest::prelude::*;
use renkei_ids::{CloudId, Pid};

use super::*;

fn patient(n: u8) -> Patient {
    Patient { cloud: CloudId::from_bytes([1; 16]), pid: Pid::from_bytes([n; 16]) }
}

fn key() -> impl Strategy<Value = SortKey> {
    (any::<u16>(), "[0-9]{0,4}(-[0-9]{2}){0,2}", any::<[u8; 16]>()).prop_map(|(month, date, record)| SortKey {
        month: MonthBucket::from_raw(month),
        date,
        record: RecordId::from_bytes(record),
    })
}

fn place() -> impl Strategy<Value = Place> {
    (option::of((any::<u16>(), any::<[u8; 16]>())), option::of(key())).prop_map(|(after, last)| Place {
        after: after.map(|(month, record)| TimelinePosition {
            month: MonthBucket::from_raw(month),
            record: RecordId::from_bytes(record),
        }),
        last,
    })
}

proptest! {
    #[test]
    fn a_place_reads_back_for_the_same_patient_institution_and_query_only(place in place(), at: prop::sample::Index) {
        let (mine, others) = (ReferenceKey::from_bytes([1; 32]), ReferenceKey::from_bytes([2; 32]));
        let query = query_digest(&Category::EVERY, None, None);
        let token = place.seal(&mine, &patient(1), &query);
        prop_assert!(token.len() <= renkei_wire::limits::CONTINUATION_MAX_BYTES);
        prop_assert!(Place::open(&mine, &patient(1), &query, &token) == Ok(place));
        prop_assert!(Place::open(&others, &patient(1), &query, &token).is_err());
        prop_assert!(Place::open(&mine, &patient(2), &query, &token).is_err());
        let narrower = query_digest(&[Category::Vaccination], None, None);
        prop_assert!(Place::open(&mine, &patient(1), &narrower, &token).is_err());
        let mut spoilt = token.to_vec();
        let at = at.index(spoilt.len());
        spoilt[at] ^= 1;
        prop_assert!(Place::open(&mine, &patient(1), &query, &spoilt).is_err());
    }

    #[test]
    fn any_bytes_are_a_place_or_none(bytes in prop::collection::vec(any::<u8>(), 0..120)) {
        if let Some(place) = Place::decode(&bytes) {
            prop_assert!(place.encode() == bytes);
        }
    }

    /// Pages cut from the sorted entries anywhere give each entry once, in order: what continuations rest on.
    #[test]
    fn going_on_behind_a_key_misses_and_repeats_nothing(mut keys in prop::collection::vec(key(), 0..40), cut: usize) {
        keys.sort_unstable();
        keys.dedup_by(|one, other| one == other);
        let cut = cut % (keys.len() + 1);
        let last = keys[..cut].last();
        let behind: Vec<_> = keys.iter().filter(|key| last.is_none_or(|last| *key > last)).cloned().collect();
        prop_assert!(behind == keys[cut..]);
        prop_assert!(keys.windows(2).all(|pair| pair[0].month >= pair[1].month));
    }
}

#[test]
fn a_query_is_told_from_every_other() {
    let month = |raw| Some(MonthBucket::from_raw(raw));
    let every = &Category::EVERY[..];
    let queries = [
        query_digest(every, None, None),
        query_digest(&every[..1], None, None),
        query_digest(every, month(1), None),
        query_digest(every, None, month(1)),
        query_digest(every, month(1), month(1)),
    ];
    let distinct: std::collections::BTreeSet<_> = queries.into_iter().collect();
    assert_eq!(distinct.len(), queries.len());
}
