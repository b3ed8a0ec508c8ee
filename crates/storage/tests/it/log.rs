use std::fs;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::Duration;

use bytes::Bytes;
use renkei_ids::{GroupId, NodeId, ReplicaId};
use renkei_storage::log::{Durable, FatalHook, GroupLog, LogBounds, LogDb, LogOptions};
use renkei_storage::{DirOwner, StorageError};

use crate::fixture::{Stop, budget, copy_as_if_killed, log_owner, open_log};

const NO_LIMIT: usize = usize::MAX;

fn entries(texts: &[&str]) -> Vec<Bytes> {
    texts.iter().map(|text| Bytes::copy_from_slice(text.as_bytes())).collect()
}

fn ignored() -> Durable {
    Box::new(|done| done.expect("the write is expected to succeed"))
}

/// A callback, and where its result arrives.
fn awaited() -> (Durable, mpsc::Receiver<io::Result<()>>) {
    let (sender, receiver) = mpsc::channel();
    (Box::new(move |done| drop(sender.send(done))), receiver)
}

fn wait(done: &mpsc::Receiver<io::Result<()>>) -> io::Result<()> {
    done.recv_timeout(Duration::from_secs(60)).expect("every callback is called")
}

fn append_durably(log: &GroupLog, first: u64, texts: &[&str]) {
    let (durable, done) = awaited();
    log.append(first, entries(texts), durable).unwrap();
    wait(&done).unwrap();
}

fn group(db: &LogDb, group: u32) -> GroupLog {
    db.group(GroupId(group), ReplicaId(9)).unwrap()
}

#[test]
fn entries_are_readable_when_append_returns() {
    let dir = tempfile::tempdir().unwrap();
    let log = group(&open_log(dir.path(), 1 << 20), 0);
    for index in 0..200 {
        log.append(index, entries(&["e"]), ignored()).unwrap();
        assert_eq!(log.read(index..index + 1, NO_LIMIT).unwrap(), entries(&["e"]));
        assert_eq!(log.bounds().last, Some(index));
    }
}

#[test]
fn gaps_and_overlaps_are_refused_and_change_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let log = group(&open_log(dir.path(), 1 << 20), 0);
    append_durably(&log, 5, &["a", "b"]);
    let before = log.bounds();
    for first in [0, 4, 5, 6, 8, u64::MAX] {
        let refused = log.append(first, entries(&["x"]), Box::new(|_| panic!("called after a refusal")));
        assert!(
            matches!(refused, Err(StorageError::NotContiguous { expected: 7, found, .. }) if found == first),
            "{refused:?}"
        );
    }
    assert_eq!(log.bounds(), before);
    log.purge(9, Bytes::new());
    assert!(matches!(log.append(7, entries(&["x"]), ignored()), Err(StorageError::NotContiguous { expected: 10, .. })));
    append_durably(&log, 10, &["c"]);
}

#[test]
fn callbacks_come_in_the_order_of_the_calls() {
    let dir = tempfile::tempdir().unwrap();
    let db = open_log(dir.path(), 1 << 20);
    let (first, second) = (group(&db, 1), group(&db, 2));
    let order = Arc::new(Mutex::new(Vec::new()));
    let note = |step: u32| -> Durable {
        let order = Arc::clone(&order);
        Box::new(move |done| {
            done.unwrap();
            order.lock().unwrap().push(step);
        })
    };
    for round in 0..50_u32 {
        let index = u64::from(round);
        first.append(index, entries(&["a"]), note(5 * round)).unwrap();
        second.append(index, entries(&["b"]), note(5 * round + 1)).unwrap();
        first.save_vote(Bytes::from_static(b"v"), note(5 * round + 2));
        second.truncate_after(Some(index), note(5 * round + 3));
        second.append(index + 1, Vec::new(), note(5 * round + 4)).unwrap();
    }
    db.shutdown();
    assert_eq!(*order.lock().unwrap(), (0..250).collect::<Vec<_>>());
}

#[test]
fn what_a_callback_confirmed_survives_a_kill() {
    let dir = tempfile::tempdir().unwrap();
    let db = open_log(&dir.path().join("live"), 1 << 20);
    let log = group(&db, 1);
    append_durably(&log, 0, &["a", "b", "c"]);
    let (durable, done) = awaited();
    log.truncate_after(Some(1), durable);
    wait(&done).unwrap();
    log.save_committed(Bytes::from_static(b"c1"));
    log.purge(0, Bytes::from_static(b"p0"));
    let (durable, done) = awaited();
    log.save_vote(Bytes::from_static(b"v1"), durable);
    wait(&done).unwrap();

    copy_as_if_killed(&dir.path().join("live"), &dir.path().join("killed"));
    let killed = group(&open_log(&dir.path().join("killed"), 1 << 20), 1);
    assert_eq!(killed.bounds(), LogBounds { first: Some(1), last: Some(1), purged_through: Some(0) });
    assert_eq!(killed.read(1..9, NO_LIMIT).unwrap(), entries(&["b"]));
    assert_eq!(killed.vote().as_deref(), Some(&b"v1"[..]));
    assert_eq!(killed.committed().as_deref(), Some(&b"c1"[..]));
    assert_eq!(killed.purge_marker().as_deref(), Some(&b"p0"[..]));
}

#[test]
fn concurrent_groups_share_syncs() {
    const GROUPS: u32 = 16;
    const APPENDS: u64 = 40;
    let dir = tempfile::tempdir().unwrap();
    let db = open_log(dir.path(), 1 << 20);
    thread::scope(|scope| {
        for number in 0..GROUPS {
            let log = group(&db, number);
            scope.spawn(move || {
                for index in 0..APPENDS {
                    append_durably(&log, index, &["payload"]);
                }
            });
        }
    });
    let stats = db.stats();
    assert_eq!(stats.operations, u64::from(GROUPS) * APPENDS);
    // Each group waits for each of its appends, so fewer syncs than that would be a lie.
    assert!(stats.syncs >= APPENDS, "{} syncs for {APPENDS} appends in a row", stats.syncs);
    assert!(stats.syncs < stats.operations / 2, "{} syncs for {} operations", stats.syncs, stats.operations);
    assert!(stats.batch_operations_max > 1 && stats.sync_p50 <= stats.sync_p99);
}

#[test]
fn appends_truncations_and_votes_are_synced_each() {
    let dir = tempfile::tempdir().unwrap();
    let db = open_log(dir.path(), 1 << 20);
    let log = group(&db, 0);
    append_durably(&log, 0, &["a", "b"]);
    let (durable, done) = awaited();
    log.truncate_after(Some(0), durable);
    wait(&done).unwrap();
    let (durable, done) = awaited();
    log.save_vote(Bytes::from_static(b"v"), durable);
    wait(&done).unwrap();
    let (durable, done) = awaited();
    log.truncate_after(Some(5), durable);
    wait(&done).unwrap();
    assert_eq!(db.stats().syncs, 3, "and a truncation past the end writes nothing");
}

#[test]
fn a_read_never_mixes_what_stood_before_and_after_a_truncation() {
    const ENTRIES: u64 = 8;
    const ROUNDS: u32 = 300;
    let dir = tempfile::tempdir().unwrap();
    let log = group(&open_log(dir.path(), 0), 0);
    let version = |round: u32| vec![Bytes::copy_from_slice(&round.to_be_bytes()); 8];
    log.append(0, version(0), ignored()).unwrap();
    let stop = Stop::default();
    thread::scope(|scope| {
        let ending = stop.on_drop();
        let readers: Vec<_> = (0..2)
            .map(|_| {
                scope.spawn(|| {
                    let mut seen = 0_u64;
                    while !stop.asked() {
                        let entries = log.read(0..ENTRIES, NO_LIMIT).unwrap();
                        assert!(entries.windows(2).all(|pair| pair[0] == pair[1]), "{entries:?}");
                        seen += 1;
                    }
                    seen
                })
            })
            .collect();
        for round in 1..=ROUNDS {
            log.truncate_after(None, ignored());
            let (durable, done) = awaited();
            log.append(0, version(round), durable).unwrap();
            // Some rounds overtake the writer thread, some read from the database.
            if round % 2 == 0 {
                wait(&done).unwrap();
            }
        }
        drop(ending);
        for reader in readers {
            assert!(reader.join().unwrap() > 0);
        }
    });
    assert_eq!(log.read(0..ENTRIES, NO_LIMIT).unwrap(), version(ROUNDS));
}

#[test]
fn purge_and_committed_force_no_sync() {
    let dir = tempfile::tempdir().unwrap();
    let db = open_log(dir.path(), 1 << 20);
    let log = group(&db, 0);
    append_durably(&log, 0, &["a", "b"]);
    let synced = db.stats().syncs;
    log.purge(0, Bytes::from_static(b"p"));
    log.save_committed(Bytes::from_static(b"c"));
    db.shutdown();
    let stats = db.stats();
    assert_eq!((stats.syncs, stats.operations), (synced, 3));
}

#[test]
fn reads_keep_to_the_byte_limit_but_give_at_least_one_entry() {
    for tail_bytes in [0, 1 << 20] {
        let dir = tempfile::tempdir().unwrap();
        let log = group(&open_log(dir.path(), tail_bytes), 0);
        append_durably(&log, 1, &["aaaa", "bbbb", "cccc"]);
        append_durably(&log, 4, &["dddd"]);
        let count = |start, max| log.read(start..10, max).unwrap().len();
        assert_eq!((count(1, 0), count(1, 7), count(1, 8), count(2, NO_LIMIT)), (1, 1, 2, 3));
        assert_eq!((count(0, NO_LIMIT), count(5, NO_LIMIT)), (0, 0));
        assert_eq!(log.read(2..3, NO_LIMIT).unwrap(), entries(&["bbbb"]));
    }
}

#[test]
fn the_tails_keep_to_their_limit_and_every_entry_stays_readable() {
    const LIMIT: usize = 256 << 10;
    let dir = tempfile::tempdir().unwrap();
    let db = open_log(dir.path(), LIMIT);
    let logs = [group(&db, 0), group(&db, 1)];
    for index in 0..64 {
        for log in &logs {
            let (durable, done) = awaited();
            log.append(index, vec![Bytes::from(vec![u8::try_from(index).unwrap(); 20_000])], durable).unwrap();
            wait(&done).unwrap();
        }
    }
    db.shutdown();
    assert!(db.stats().tail_bytes <= LIMIT as u64, "{} kept", db.stats().tail_bytes);
    for log in &logs {
        let all = log.read(0..64, NO_LIMIT).unwrap();
        assert!(all.len() == 64 && all.iter().enumerate().all(|(index, entry)| usize::from(entry[0]) == index));
    }
}

#[test]
fn a_dropped_log_is_gone_and_its_neighbours_are_not() {
    let dir = tempfile::tempdir().unwrap();
    let db = open_log(dir.path(), 1 << 20);
    let logs = [group(&db, 1), group(&db, 2), group(&db, 3)];
    for log in &logs {
        append_durably(log, 0, &["a", "b"]);
        log.save_vote(Bytes::from_static(b"v"), ignored());
    }
    db.drop_group(GroupId(2), ReplicaId(9)).unwrap();
    assert!(matches!(logs[1].append(2, entries(&["x"]), ignored()), Err(StorageError::LogDropped { .. })));
    assert!(matches!(logs[1].read(0..1, NO_LIMIT), Err(StorageError::LogDropped { .. })));
    drop((db, logs));
    let db = open_log(dir.path(), 1 << 20);
    for (number, last, vote) in [(1, Some(1), true), (2, None, false), (3, Some(1), true)] {
        let log = group(&db, number);
        assert_eq!((log.bounds().last, log.vote().is_some()), (last, vote), "group {number}");
    }
}

#[test]
fn the_first_write_error_reaches_hook_and_callbacks_and_stops_the_log() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("log");
    let hooked = Arc::new(AtomicU64::new(0));
    let fatal: FatalHook = Arc::new({
        let hooked = Arc::clone(&hooked);
        move |error| {
            assert!(matches!(error, StorageError::Engine { .. }), "{error:?}");
            hooked.fetch_add(1, Ordering::SeqCst);
        }
    });
    let db = LogDb::open(&path, &LogOptions::new(log_owner(), budget()), fatal).unwrap();
    let log = group(&db, 0);
    append_durably(&log, 0, &["kept"]);

    // The directory goes away under the database: the next write-ahead log cannot be made.
    fs::rename(path.join("db"), dir.path().join("gone")).unwrap();
    let (first_error, index) = (1..1000_u64)
        .find_map(|index| {
            let (durable, done) = awaited();
            log.append(index, vec![Bytes::from(vec![1; 64 << 10])], durable).unwrap();
            wait(&done).err().map(|error| (error, index))
        })
        .expect("a database without a directory fails sooner or later");
    assert!(first_error.to_string().contains("cannot write"), "{first_error}");
    assert_eq!(hooked.load(Ordering::SeqCst), 1);

    let written = db.stats().batches;
    let refused = log.append(index + 1, entries(&["x"]), ignored());
    assert!(matches!(refused, Err(StorageError::LogFailed)), "{refused:?}");
    let (durable, done) = awaited();
    log.save_vote(Bytes::from_static(b"v"), durable);
    assert!(wait(&done).is_err());
    db.shutdown();
    assert_eq!((db.stats().batches, hooked.load(Ordering::SeqCst)), (written, 1));
}

#[test]
fn a_log_directory_of_another_node_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    drop(open_log(dir.path(), 0));
    let other = DirOwner { node: NodeId(2), ..log_owner() };
    let refused = LogDb::open(dir.path(), &LogOptions::new(other, budget()), Arc::new(|_| ()));
    assert!(matches!(refused, Err(StorageError::ForeignDirectory { .. })));
}

#[test]
fn bytes_after_follows_appends_purges_and_a_reopen() {
    let dir = tempfile::tempdir().unwrap();
    let db = open_log(dir.path(), 0);
    let log = group(&db, 0);
    // Bytes that do not compress, so that the size on disk is comparable.
    let mut state = 1_u64;
    let mut noise = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state.to_be_bytes()[0]
    };
    for index in 0..100 {
        log.append(index, vec![(0..100_000).map(|_| noise()).collect::<Vec<u8>>().into()], ignored()).unwrap();
    }
    let near = |bytes: u64, expected: u64| bytes.abs_diff(expected) <= 600_000;
    assert!(near(log.bytes_after(49), 5_000_000), "{}", log.bytes_after(49));
    log.purge(79, Bytes::new());
    assert!(near(log.bytes_after(0), 2_000_000), "{}", log.bytes_after(0));
    drop((db, log));
    let log = group(&open_log(dir.path(), 0), 0);
    assert!(near(log.bytes_after(89), 1_000_000), "{}", log.bytes_after(89));
}

/// The newest write-ahead log below a log's directory.
fn newest_wal(dir: &std::path::Path) -> std::path::PathBuf {
    let files = fs::read_dir(dir.join("db")).unwrap().map(|entry| entry.unwrap().path());
    files.filter(|path| path.extension().is_some_and(|ending| ending == "log")).max().unwrap()
}

#[test]
fn a_log_that_was_cut_or_damaged_is_refused_and_one_that_a_crash_tore_is_not() {
    let dir = tempfile::tempdir().unwrap();
    let (live, open) = (dir.path().join("live"), |path: &std::path::Path| {
        LogDb::open(path, &LogOptions::new(log_owner(), budget()), Arc::new(|_: &StorageError| {}))
    });
    let db = open(&live).unwrap();
    for index in 0..20 {
        append_durably(&group(&db, 1), index, &["an entry of some length"]);
    }
    let killed = |name: &str, change: &dyn Fn(&std::path::Path, Vec<u8>)| {
        let copy = dir.path().join(name);
        copy_as_if_killed(&live, &copy);
        let wal = newest_wal(&copy);
        let bytes = fs::read(&wal).unwrap();
        change(&wal, bytes);
        open(&copy)
    };
    let cut = killed("cut", &|wal, bytes| fs::write(wal, &bytes[..bytes.len() / 2]).unwrap());
    assert!(matches!(cut, Err(StorageError::LogCut { .. })), "{cut:?}");
    assert!(cut.unwrap_err().is_corruption());
    let flipped = killed("flipped", &|wal, mut bytes| {
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        fs::write(wal, bytes).unwrap();
    });
    assert!(matches!(flipped, Err(StorageError::LogCut { .. })), "{flipped:?}");
    let gone = killed("gone", &|wal, _| fs::remove_file(wal).unwrap());
    assert!(gone.is_err(), "{gone:?}");
    let torn = killed("torn", &|wal, mut bytes| {
        bytes.extend([0x5A; 40]);
        fs::write(wal, bytes).unwrap();
    });
    assert_eq!(group(&torn.unwrap(), 1).bounds().last, Some(19), "what was never synced may be torn");
}
