//! Staged writes and views against an ordered map.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use bytes::Bytes;
use proptest::prelude::*;
use renkei_storage::MemoryBudget;
use renkei_storage::log::SimulatedDisk;
use renkei_storage::state::{Direction, Family, KeyRange, Read, Staged, StateDb};

use crate::fixture::{BODIES, ROWS, budget, open_state_on};

type Model = BTreeMap<(Family, Vec<u8>), Vec<u8>>;

#[derive(Clone, Debug)]
enum Step {
    Put(Family, Vec<u8>, Vec<u8>),
    Delete(Family, Vec<u8>),
    Commit,
    Flush,
}

fn family() -> impl Strategy<Value = Family> {
    prop_oneof![Just(ROWS), Just(BODIES)]
}

/// Few and short, so that keys meet; some shorter than the filter's prefix, some at the end of all keys.
fn key() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(prop_oneof![Just(0_u8), Just(1), Just(2), Just(0xFF)], 0..6)
}

fn step() -> impl Strategy<Value = Step> {
    let value = prop_oneof![prop::collection::vec(any::<u8>(), 0..8), prop::collection::vec(any::<u8>(), 200..201),];
    prop_oneof![
        6 => (family(), key(), value).prop_map(|(family, key, value)| Step::Put(family, key, value)),
        3 => (family(), key()).prop_map(|(family, key)| Step::Delete(family, key)),
        1 => Just(Step::Commit),
        1 => Just(Step::Flush),
    ]
}

fn range() -> impl Strategy<Value = KeyRange> {
    prop_oneof![
        key().prop_map(KeyRange::prefix),
        key().prop_map(KeyRange::from),
        (key(), key()).prop_map(|(start, end)| KeyRange::between(start, end)),
        Just(KeyRange::all()),
    ]
}

fn scan(read: &impl Read, family: Family, range: &KeyRange, direction: Direction) -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut pairs = Vec::new();
    read.scan(family, range, direction, &mut |key, value| {
        pairs.push((key.to_vec(), value.to_vec()));
        ControlFlow::Continue(())
    })
    .unwrap();
    pairs
}

fn compare(read: &impl Read, model: &Model, ranges: &[KeyRange], keys: &[Vec<u8>]) -> Result<(), TestCaseError> {
    for family in [ROWS, BODIES] {
        for key in keys {
            let expected = model.get(&(family, key.clone())).map(|value| Bytes::copy_from_slice(value));
            prop_assert_eq!(read.get(family, key).unwrap(), expected);
        }
        for range in ranges {
            let inside = scan(&Everything(model), family, range, Direction::Forward);
            prop_assert_eq!(scan(read, family, range, Direction::Forward), inside.clone());
            let reversed: Vec<_> = inside.into_iter().rev().collect();
            prop_assert_eq!(scan(read, family, range, Direction::Reverse), reversed);
        }
    }
    Ok(())
}

/// The model behind the same trait; a range is only asked what it contains.
struct Everything<'a>(&'a Model);

impl Read for Everything<'_> {
    fn get(&self, family: Family, key: &[u8]) -> Result<Option<Bytes>, renkei_storage::StorageError> {
        Ok(self.0.get(&(family, key.to_vec())).map(|value| Bytes::copy_from_slice(value)))
    }

    fn scan(
        &self,
        family: Family,
        range: &KeyRange,
        _: Direction,
        visit: &mut dyn FnMut(&[u8], &[u8]) -> ControlFlow<()>,
    ) -> Result<(), renkei_storage::StorageError> {
        for ((of, key), value) in self.0 {
            if *of == family && range.contains(key) && visit(key, value).is_break() {
                break;
            }
        }
        Ok(())
    }
}

fn commit(db: &StateDb, staged: Staged<'_>) {
    db.commit(staged, Bytes::from_static(b"a"), &[]).unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn staged_writes_are_seen_at_once_and_views_see_commits_only(
        steps in prop::collection::vec(step(), 1..60),
        ranges in prop::collection::vec(range(), 4),
        keys in prop::collection::vec(key(), 6),
        simulated in any::<bool>(),
    ) {
        let dir = tempfile::tempdir().unwrap();
        let budget = if simulated { MemoryBudget::simulated(SimulatedDisk::new(None)) } else { budget() };
        let db = open_state_on(dir.path(), 1, &budget);
        let mut now = Model::new();
        let mut committed = Model::new();
        let mut staged = db.staged();
        for step in steps {
            match step {
                Step::Put(family, key, value) => {
                    staged.put(family, &key, value.clone());
                    now.insert((family, key), value);
                }
                Step::Delete(family, key) => {
                    staged.delete(family, &key);
                    now.remove(&(family, key));
                }
                Step::Commit => {
                    commit(&db, std::mem::replace(&mut staged, db.staged()));
                    committed = now.clone();
                }
                Step::Flush => db.flush().unwrap(),
            }
        }
        compare(&staged, &now, &ranges, &keys)?;
        compare(&db.view(), &committed, &ranges, &keys)?;
        commit(&db, staged);
        compare(&db.view(), &now, &ranges, &keys)?;
    }
}
