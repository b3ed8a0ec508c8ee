use std::ops::ControlFlow;
use std::thread;
use std::time::Instant;

use bytes::Bytes;
use renkei_storage::state::{Direction, Family, FamilySpec, KeyRange, Read, StateDb, SystemKey, Tier, View};
use renkei_storage::{MemoryBudget, StorageError};

use crate::fixture::{BODIES, FAMILIES, LOCAL, ROWS, budget, copy_as_if_killed, open_state, replica_owner};

const MEMBERS: SystemKey = SystemKey::new("members");

fn put(db: &StateDb, applied: &str, pairs: &[(Family, &str, &str)]) {
    let mut staged = db.staged();
    for (family, key, value) in pairs {
        staged.put(*family, key.as_bytes(), Bytes::copy_from_slice(value.as_bytes()));
    }
    db.commit(staged, Bytes::copy_from_slice(applied.as_bytes()), &[]).unwrap();
}

fn get(read: &impl Read, family: Family, key: &str) -> Option<String> {
    let value = read.get(family, key.as_bytes()).unwrap()?;
    Some(String::from_utf8(value.to_vec()).unwrap())
}

fn keys(read: &impl Read, family: Family, range: &KeyRange, direction: Direction) -> Vec<String> {
    let mut keys = Vec::new();
    read.scan(family, range, direction, &mut |key, _| {
        keys.push(String::from_utf8(key.to_vec()).unwrap());
        ControlFlow::Continue(())
    })
    .unwrap();
    keys
}

#[test]
fn a_view_does_not_see_what_is_committed_after_it_and_outlives_the_handle() {
    let dir = tempfile::tempdir().unwrap();
    let db = open_state(dir.path(), 1);
    put(&db, "1", &[(ROWS, "abc1", "old"), (BODIES, "b", "old")]);
    let view = db.view();
    put(&db, "2", &[(ROWS, "abc1", "new"), (ROWS, "abc2", "new"), (BODIES, "b", "new")]);
    db.flush().unwrap();
    let later = db.view();
    drop(db);
    let read = |view: View| {
        thread::spawn(move || {
            let applied = view.applied().unwrap().unwrap();
            (get(&view, ROWS, "abc1"), keys(&view, ROWS, &KeyRange::all(), Direction::Reverse), applied)
        })
        .join()
        .unwrap()
    };
    assert_eq!(read(view), (Some("old".into()), vec!["abc1".into()], Bytes::from_static(b"1")));
    assert_eq!(read(later), (Some("new".into()), vec!["abc2".into(), "abc1".into()], Bytes::from_static(b"2")));
}

#[test]
fn replicas_with_a_row_in_each_family_leave_the_memtable_budget_to_the_data() {
    const REPLICAS: u64 = 24;
    let dir = tempfile::tempdir().unwrap();
    // The smallest process: families that grew by RocksDB's own megabyte would take four times the share.
    let budget = MemoryBudget::new(0);
    let open = |replica: u64| {
        let dir = dir.path().join(replica.to_string());
        let db = StateDb::open(&dir, &replica_owner(replica), FAMILIES, &budget).unwrap();
        put(&db, "1", &[(ROWS, "abc1", "row"), (BODIES, "b", "body"), (LOCAL, "l", "local")]);
        db
    };
    let replicas: Vec<StateDb> = (1..=REPLICAS).map(open).collect();
    let (used, share) = (budget.state_memtable_used_bytes(), budget.state_memtable_bytes());
    assert!(used > 0 && used <= share / 4, "{used} of {share} bytes");
    assert!(replicas.iter().all(|db| db.unflushed().unwrap().bytes > 0), "and nothing was flushed");
}

#[test]
fn a_crash_loses_unflushed_data_together_with_its_marker() {
    let dir = tempfile::tempdir().unwrap();
    let live = dir.path().join("live");
    let db = open_state(&live, 1);
    let commit = |applied: &'static str, value: &'static str| {
        let mut staged = db.staged();
        for family in [ROWS, BODIES, LOCAL] {
            staged.put(family, b"key", value);
        }
        db.commit(staged, Bytes::from_static(applied.as_bytes()), &[(MEMBERS, Bytes::from_static(b"m"))]).unwrap();
    };
    let mut expected = None;
    for (step, (applied, value)) in [("1", "one"), ("2", "two"), ("3", "three")].into_iter().enumerate() {
        commit(applied, value);
        let before = dir.path().join(format!("before-{step}"));
        copy_as_if_killed(&live, &before);
        check_recovered(&before, expected);
        db.flush().unwrap();
        expected = Some((applied, value));
        let after = dir.path().join(format!("after-{step}"));
        copy_as_if_killed(&live, &after);
        check_recovered(&after, expected);
    }
}

/// All families, the system blobs and the marker are of one commit, or none is there.
fn check_recovered(dir: &std::path::Path, expected: Option<(&str, &str)>) {
    let db = open_state(dir, 1);
    let applied = db.applied().unwrap();
    assert_eq!(applied.as_deref(), expected.map(|(applied, _)| applied.as_bytes()));
    assert_eq!(db.system(MEMBERS).unwrap().is_some(), expected.is_some());
    for family in [ROWS, BODIES, LOCAL] {
        assert_eq!(get(&db.view(), family, "key").as_deref(), expected.map(|(_, value)| value));
    }
}

#[test]
fn an_orderly_close_keeps_everything() {
    let dir = tempfile::tempdir().unwrap();
    let db = open_state(dir.path(), 1);
    put(&db, "7", &[(ROWS, "abc", "value")]);
    db.put_system(MEMBERS, b"three").unwrap();
    drop(db);
    let db = open_state(dir.path(), 1);
    assert_eq!(db.applied().unwrap().as_deref(), Some(&b"7"[..]));
    assert_eq!(db.system(MEMBERS).unwrap().as_deref(), Some(&b"three"[..]));
    assert_eq!(get(&db.view(), ROWS, "abc").as_deref(), Some("value"));
}

#[test]
fn a_dropped_batch_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let db = open_state(dir.path(), 1);
    let mut staged = db.staged();
    staged.put(ROWS, b"abc", "value");
    assert_eq!(get(&staged, ROWS, "abc").as_deref(), Some("value"));
    drop(staged);
    assert_eq!(get(&db.view(), ROWS, "abc"), None);
    assert_eq!(db.applied().unwrap(), None);
}

#[test]
fn a_view_of_memory_only_would_block_until_the_answer_is_cached() {
    let dir = tempfile::tempdir().unwrap();
    let db = open_state(dir.path(), 1);
    let large = "x".repeat(5000);
    put(&db, "1", &[(ROWS, "abc1", "value"), (BODIES, "b", &large)]);
    let cached = db.view().with_tier(Tier::CacheOnly);
    assert_eq!(get(&cached, ROWS, "abc1").as_deref(), Some("value"), "memtables are memory");
    db.flush().unwrap();
    drop((cached, db));

    // A new budget has an empty cache.
    let db = open_state(dir.path(), 1);
    let cached = db.view().with_tier(Tier::CacheOnly);
    let scan = |view: &View| view.scan(ROWS, &KeyRange::all(), Direction::Forward, &mut |_, _| ControlFlow::Break(()));
    assert!(matches!(cached.get(ROWS, b"abc1"), Err(StorageError::WouldBlock)));
    assert!(matches!(scan(&cached), Err(StorageError::WouldBlock)));
    let view = cached.clone().with_tier(Tier::Disk);
    assert_eq!(get(&view, ROWS, "abc1").as_deref(), Some("value"));
    assert_eq!(get(&cached, ROWS, "abc1").as_deref(), Some("value"), "it is cached now");
    scan(&cached).unwrap();
    assert_eq!(get(&view, BODIES, "b"), Some(large));
    assert!(matches!(cached.get(BODIES, b"b"), Err(StorageError::WouldBlock)), "blob files are never cached");
}

#[test]
fn scans_stop_when_told_and_empty_ranges_are_empty() {
    let dir = tempfile::tempdir().unwrap();
    let db = open_state(dir.path(), 1);
    put(&db, "1", &[(ROWS, "abc1", ""), (ROWS, "abc2", ""), (ROWS, "abd1", "")]);
    let view = db.view();
    let mut seen = 0;
    view.scan(ROWS, &KeyRange::prefix("abc"), Direction::Forward, &mut |_, _| {
        seen += 1;
        ControlFlow::Break(())
    })
    .unwrap();
    assert_eq!(seen, 1);
    for direction in [Direction::Forward, Direction::Reverse] {
        assert!(keys(&view, ROWS, &KeyRange::between("b", "a"), direction).is_empty());
        assert!(keys(&db.staged(), ROWS, &KeyRange::between("a", "a"), direction).is_empty());
    }
    assert!(matches!(view.get(Family::new(9), b"a"), Err(StorageError::UnknownFamily(9))));
}

#[test]
fn unflushed_tells_since_when_and_forgets_at_a_flush() {
    let dir = tempfile::tempdir().unwrap();
    let db = open_state(dir.path(), 1);
    db.flush().unwrap();
    assert_eq!(db.unflushed().unwrap().since, None);
    let before = Instant::now();
    put(&db, "1", &[(ROWS, "abc", "value")]);
    let first = db.unflushed().unwrap();
    put(&db, "2", &[(ROWS, "abc", "other")]);
    let second = db.unflushed().unwrap();
    assert!(first.bytes > 0 && first.since.is_some_and(|since| since >= before));
    assert_eq!(second.since, first.since);
    db.flush().unwrap();
    let flushed = db.unflushed().unwrap();
    assert_eq!((flushed.bytes, flushed.since), (0, None));
}

#[test]
fn a_directory_of_another_replica_and_an_unknown_family_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    drop(open_state(dir.path(), 1));
    let foreign = StateDb::open(dir.path(), &replica_owner(2), FAMILIES, &budget());
    assert!(matches!(foreign, Err(StorageError::ForeignDirectory { .. })));
    assert!(matches!(StateDb::destroy(dir.path(), &replica_owner(2)), Err(StorageError::ForeignDirectory { .. })));
    assert!(StateDb::open(dir.path(), &replica_owner(1), &FAMILIES[..2], &budget()).is_err());
    StateDb::destroy(dir.path(), &replica_owner(1)).unwrap();
    assert!(!dir.path().exists());
    StateDb::destroy(dir.path(), &replica_owner(1)).unwrap();
}

#[test]
fn a_family_that_is_new_is_created_empty() {
    const BEFORE: &[FamilySpec] = &[FAMILIES[0]];
    let dir = tempfile::tempdir().unwrap();
    let db = StateDb::open(dir.path(), &replica_owner(1), BEFORE, &budget()).unwrap();
    put(&db, "1", &[(ROWS, "abc", "kept")]);
    drop(db);
    let db = open_state(dir.path(), 1);
    assert_eq!(get(&db.view(), ROWS, "abc").as_deref(), Some("kept"));
    assert!(keys(&db.view(), LOCAL, &KeyRange::all(), Direction::Forward).is_empty());
}

#[test]
fn equal_content_has_an_equal_digest_however_it_came_about() {
    let dir = tempfile::tempdir().unwrap();
    let (left, right) = (open_state(&dir.path().join("l"), 1), open_state(&dir.path().join("r"), 2));
    let large = "x".repeat(500);
    put(&left, "1", &[(ROWS, "abc", "1"), (ROWS, "abd", "2"), (BODIES, "b", &large)]);
    put(&right, "1", &[(ROWS, "zzz", "gone"), (ROWS, "abd", "old")]);
    right.flush().unwrap();
    let mut staged = right.staged();
    staged.delete(ROWS, b"zzz");
    right.commit(staged, Bytes::from_static(b"2"), &[]).unwrap();
    put(&right, "3", &[(BODIES, "b", &large), (ROWS, "abd", "2"), (ROWS, "abc", "1"), (LOCAL, "own", "x")]);
    let digest = left.view().digest().unwrap();
    assert_eq!(right.view().digest().unwrap(), digest);
    for (family, key, value) in [(ROWS, "abc", "2"), (ROWS, "abe", ""), (BODIES, "abc", "1")] {
        let changed = open_state(&dir.path().join(format!("{key}{value}")), 3);
        put(&changed, "1", &[(ROWS, "abc", "1"), (ROWS, "abd", "2"), (BODIES, "b", &large), (family, key, value)]);
        assert_ne!(changed.view().digest().unwrap(), digest, "{key} {value}");
    }
}
