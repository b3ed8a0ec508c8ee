//! Checkpoints, their transfer, and every state that a crash during an install can leave.

use std::fs;
use std::ops::ControlFlow;
use std::path::Path;
use std::thread;

use bytes::Bytes;
use renkei_storage::StorageError;
use renkei_storage::state::{
    Checkpoint, Direction, IncomingSnapshot, InvalidSnapshot, KeyRange, Read, SnapshotFile, StateDb, SystemKey,
    VerifiedSnapshot,
};

use crate::fixture::{BODIES, ROWS, Stop, copy_as_if_killed, open_state};

const MEMBERS: SystemKey = SystemKey::new("members");
const PIECE: usize = 1000;

/// Commit `number`: every family and the system blob say so.
fn commit(db: &StateDb, number: u32) {
    let text = number.to_string();
    let mut staged = db.staged();
    staged.put(ROWS, b"abc", text.clone());
    staged.put(ROWS, format!("row{number:06}").as_bytes(), text.clone());
    staged.put(BODIES, b"body", format!("{number:0200}"));
    db.commit(staged, text.clone().into(), &[(MEMBERS, text.into())]).unwrap();
}

/// The number of the last commit, after checking that nothing of another one is there.
fn committed(db: &StateDb) -> Option<u32> {
    let view = db.view();
    let number = |bytes: Option<Bytes>| Some(str::from_utf8(&bytes?).unwrap().parse::<u32>().unwrap());
    let applied = number(view.applied().unwrap());
    assert_eq!(number(db.system(MEMBERS).unwrap()), applied);
    assert_eq!(number(view.get(ROWS, b"abc").unwrap()), applied);
    assert_eq!(number(view.get(BODIES, b"body").unwrap()), applied);
    let mut rows = 0;
    view.scan(ROWS, &KeyRange::prefix("row"), Direction::Forward, &mut |_, _| {
        rows += 1;
        ControlFlow::Continue(())
    })
    .unwrap();
    assert_eq!(rows, applied.unwrap_or(0));
    applied
}

fn send(from: &Checkpoint, into: &StateDb) -> Result<VerifiedSnapshot, StorageError> {
    let mut incoming = into.receive(from.files().to_vec())?;
    for file in from.files() {
        let mut offset = 0;
        while offset < file.len {
            let piece = from.read_piece(&file.name, offset, PIECE)?;
            incoming.write_piece(&file.name, offset, &piece)?;
            offset += piece.len() as u64;
        }
    }
    assert_eq!(incoming.received_bytes(), from.total_bytes());
    incoming.verify()
}

fn refusal<T: std::fmt::Debug>(result: Result<T, StorageError>) -> InvalidSnapshot {
    match result {
        Err(StorageError::SnapshotRefused(reason)) => reason,
        other => panic!("expected a refusal: {other:?}"),
    }
}

fn exists(dir: &Path, name: &str) -> bool {
    dir.join(name).exists()
}

#[test]
fn a_checkpoint_says_what_it_holds_while_commits_run_beside_it() {
    let dir = tempfile::tempdir().unwrap();
    let db = open_state(&dir.path().join("a"), 1);
    commit(&db, 1);
    let stop = Stop::default();
    thread::scope(|scope| {
        let _stop = stop.on_drop();
        scope.spawn(|| {
            for number in 2.. {
                if stop.asked() {
                    break;
                }
                commit(&db, number);
            }
        });
        for round in 0..6_u64 {
            let checkpoint = db.checkpoint().unwrap();
            let target = open_state(&dir.path().join(format!("b{round}")), round);
            let installed = target.install(send(&checkpoint, &target).unwrap()).unwrap();
            let applied = installed.applied().unwrap();
            assert_eq!(checkpoint.applied(), applied);
            assert_eq!(checkpoint.system(MEMBERS), applied);
            assert!(committed(&installed).is_some());
        }
    });
}

#[test]
fn an_installed_snapshot_replaces_the_content_and_old_views_stay_valid() {
    let dir = tempfile::tempdir().unwrap();
    let (source, target_dir) = (open_state(&dir.path().join("s"), 1), dir.path().join("t"));
    let target = open_state(&target_dir, 2);
    (1..=5).for_each(|number| commit(&source, number));
    commit(&target, 1);
    target.flush().unwrap();
    let old_view = target.view();
    target.checkpoint().unwrap();

    let installed = target.install(send(&source.checkpoint().unwrap(), &target).unwrap()).unwrap();
    assert_eq!(committed(&installed), Some(5));
    assert_eq!(installed.view().digest().unwrap(), source.view().digest().unwrap());
    assert!(installed.latest_checkpoint().is_none(), "an older checkpoint is of no use any more");
    commit(&installed, 6);

    assert!(matches!(target.put_system(MEMBERS, b"x"), Err(StorageError::Replaced { .. })));
    assert!(matches!(target.flush(), Err(StorageError::Replaced { .. })));
    assert!(matches!(target.checkpoint(), Err(StorageError::Replaced { .. })));
    assert!(matches!(target.receive(Vec::new()), Err(StorageError::Replaced { .. })));
    assert_eq!(old_view.get(BODIES, b"body").unwrap().as_deref(), Some(format!("{:0200}", 1).as_bytes()));
    assert!(exists(&target_dir, "gen-1"));
    drop((target, old_view));
    assert!(!exists(&target_dir, "gen-1"), "the old files go with the last view");

    drop(installed);
    assert_eq!(committed(&open_state(&target_dir, 2)), Some(6));
}

#[test]
fn one_checkpoint_is_kept_also_over_a_restart_and_stale_ones_are_deleted() {
    let dir = tempfile::tempdir().unwrap();
    let db = open_state(dir.path(), 1);
    commit(&db, 1);
    let first = db.checkpoint().unwrap();
    commit(&db, 2);
    let second = db.checkpoint().unwrap();
    assert!(first.read_piece("CURRENT", 0, 4).is_ok(), "a checkpoint being sent stays");
    assert!(exists(dir.path(), "checkpoint-1"));
    drop(first);
    assert!(!exists(dir.path(), "checkpoint-1") && exists(dir.path(), "checkpoint-2"));
    let files = second.files().to_vec();
    drop((db, second));

    fs::create_dir_all(dir.path().join("checkpoint-3.tmp/db")).unwrap();
    copy_as_if_killed(&dir.path().join("checkpoint-2"), &dir.path().join("checkpoint-1"));
    let db = open_state(dir.path(), 1);
    assert!(!exists(dir.path(), "checkpoint-1") && !exists(dir.path(), "checkpoint-3.tmp"));
    let kept = db.latest_checkpoint().expect("a finished checkpoint survives a restart");
    assert_eq!((kept.files(), kept.applied().as_deref()), (&files[..], Some(&b"2"[..])));
    assert_eq!(db.checkpoint().unwrap().applied().as_deref(), Some(&b"2"[..]));
    drop(kept);
    assert!(!exists(dir.path(), "checkpoint-2") && exists(dir.path(), "checkpoint-3"));
}

#[test]
fn a_checkpoint_that_does_not_read_is_deleted_at_open() {
    let dir = tempfile::tempdir().unwrap();
    let db = open_state(dir.path(), 1);
    commit(&db, 1);
    drop((db.checkpoint().unwrap(), db));
    fs::write(dir.path().join("checkpoint-1/FILES"), "renkei 1\nxx").unwrap();
    let db = open_state(dir.path(), 1);
    assert!(db.latest_checkpoint().is_none() && !exists(dir.path(), "checkpoint-1"));
    assert_eq!(committed(&db), Some(1));
}

#[test]
fn pieces_that_do_not_fit_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let db = open_state(dir.path(), 1);
    let file = |name: &str, content: &[u8]| SnapshotFile {
        name: name.to_owned(),
        len: content.len() as u64,
        sha256: sha256(content),
    };
    let begin = || -> IncomingSnapshot { db.receive(vec![file("CURRENT", b"abcd"), file("000001.sst", b"")]).unwrap() };
    assert_eq!(refusal(db.receive(vec![file("../CURRENT", b"")])), InvalidSnapshot::Name);
    assert_eq!(refusal(begin().write_piece("000002.sst", 0, b"a")), InvalidSnapshot::UnknownFile);
    assert_eq!(refusal(begin().write_piece("CURRENT", 1, b"a")), InvalidSnapshot::OutOfOrder);
    assert_eq!(refusal(begin().write_piece("CURRENT", 0, b"abcde")), InvalidSnapshot::TooLong);
    assert_eq!(refusal(begin().write_piece("CURRENT", 0, b"abce")), InvalidSnapshot::Hash);
    assert_eq!(refusal(begin().verify()), InvalidSnapshot::Incomplete);

    let mut incoming = begin();
    incoming.write_piece("CURRENT", 0, b"ab").unwrap();
    assert_eq!(refusal(incoming.write_piece("CURRENT", 0, b"ab")), InvalidSnapshot::OutOfOrder);
    assert!(matches!(db.receive(Vec::new()), Err(StorageError::ReceiveBusy)));
    assert!(exists(dir.path(), "incoming"));
    drop(incoming);
    assert!(!exists(dir.path(), "incoming"), "an abandoned snapshot is deleted");

    let mut incoming = begin();
    incoming.write_piece("CURRENT", 0, b"ab").unwrap();
    incoming.write_piece("CURRENT", 2, b"cd").unwrap();
    assert!(incoming.verify().is_err(), "it is no database");
    assert!(!exists(dir.path(), "gen-2") && !exists(dir.path(), "incoming"));
    commit(&db, 1);
    assert_eq!(committed(&db), Some(1));
}

fn sha256(content: &[u8]) -> [u8; 32] {
    aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, content).as_ref().try_into().unwrap()
}

/// A replica with commit 1, beside a complete received snapshot with commit 3, as directories on disk.
fn before_install(dir: &Path) {
    let source = open_state(&dir.join("source"), 9);
    (1..=3).for_each(|number| commit(&source, number));
    let target = open_state(&dir.join("replica"), 1);
    commit(&target, 1);
    target.flush().unwrap();
    let received = send(&source.checkpoint().unwrap(), &target).unwrap();
    copy_as_if_killed(&dir.join("replica"), &dir.join("killed"));
    drop(received);
}

#[test]
fn a_crash_at_each_step_of_an_install_is_undone_or_finished() {
    type Step = fn(&Path);
    let states: [(&str, Step, u32); 6] = [
        ("half received", |dir| fs::remove_file(dir.join("incoming/CURRENT")).unwrap(), 1),
        ("received", |_| (), 1),
        ("renamed", |dir| fs::rename(dir.join("incoming"), dir.join("gen-2")).unwrap(), 1),
        (
            "pointer staged",
            |dir| {
                fs::rename(dir.join("incoming"), dir.join("gen-2")).unwrap();
                fs::write(dir.join("GENERATION.tmp"), "renkei 1\ngeneration 2\n").unwrap();
            },
            1,
        ),
        (
            "installed",
            |dir| {
                fs::rename(dir.join("incoming"), dir.join("gen-2")).unwrap();
                fs::write(dir.join("GENERATION"), "renkei 1\ngeneration 2\n").unwrap();
            },
            3,
        ),
        (
            "old files half deleted",
            |dir| {
                fs::rename(dir.join("incoming"), dir.join("gen-2")).unwrap();
                fs::write(dir.join("GENERATION"), "renkei 1\ngeneration 2\n").unwrap();
                fs::remove_file(dir.join("gen-1/CURRENT")).unwrap();
            },
            3,
        ),
    ];
    for (name, step, expected) in states {
        let dir = tempfile::tempdir().unwrap();
        before_install(dir.path());
        let killed = dir.path().join("killed");
        step(&killed);
        for opening in ["first", "second"] {
            assert_eq!(committed(&open_state(&killed, 1)), Some(expected), "{name}, {opening} opening");
        }
        let left = fs::read_dir(&killed).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut left: Vec<_> = left.collect();
        left.sort();
        let generation = if expected == 3 { "gen-2" } else { "gen-1" };
        assert_eq!(left, ["GENERATION", "OWNER", generation], "{name}");
    }
}

#[test]
fn a_lost_generation_file_is_an_error_and_deletes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let owner = crate::fixture::replica_owner(1);
    drop(open_state(dir.path(), 1));
    fs::remove_file(dir.path().join("GENERATION")).unwrap();
    let refused = StateDb::open(dir.path(), &owner, crate::fixture::FAMILIES, &crate::fixture::budget());
    assert!(refused.as_ref().is_err_and(StorageError::is_corruption), "{refused:?}");
    assert!(exists(dir.path(), "gen-1/CURRENT"));
}

#[test]
fn a_damaged_table_is_corruption_and_never_an_answer() {
    let dir = tempfile::tempdir().unwrap();
    let db = open_state(dir.path(), 1);
    commit(&db, 1);
    db.flush().unwrap();
    drop(db);
    let generation = dir.path().join("gen-1");
    for entry in fs::read_dir(&generation).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "sst") {
            let mut bytes = fs::read(&path).unwrap();
            bytes[3] ^= 0x40;
            fs::write(&path, bytes).unwrap();
        }
    }
    let owner = crate::fixture::replica_owner(1);
    let opened = StateDb::open(dir.path(), &owner, crate::fixture::FAMILIES, &crate::fixture::budget());
    let error = match opened {
        Err(error) => error,
        Ok(db) => db.view().get(ROWS, b"abc").expect_err("a damaged block has no answer"),
    };
    assert!(error.is_corruption(), "{error:?}");
}

#[test]
fn a_snapshot_that_its_sender_has_damaged_is_refused_before_it_counts() {
    let dir = tempfile::tempdir().unwrap();
    let sender = open_state(&dir.path().join("sender"), 1);
    commit(&sender, 1);
    commit(&sender, 2);
    let made = sender.checkpoint().unwrap();
    let receiver = open_state(&dir.path().join("receiver"), 2);
    commit(&receiver, 1);
    let mut damaged = 0;
    for table in made.files().iter().filter(|file| file.name.ends_with(".sst")) {
        // Announced as it was read from the damaged disk, so that its hash is right.
        let mut files = made.files().to_vec();
        let mut bytes = made.read_piece(&table.name, 0, usize::MAX).unwrap().to_vec();
        bytes[3] ^= 0x40;
        let announced = files.iter_mut().find(|file| file.name == table.name).unwrap();
        announced.sha256 = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &bytes).as_ref().try_into().unwrap();
        let mut incoming = receiver.receive(files.clone()).unwrap();
        for file in &files {
            let good = made.read_piece(&file.name, 0, usize::MAX).unwrap();
            incoming.write_piece(&file.name, 0, if file.name == table.name { &bytes } else { &good }).unwrap();
        }
        let refused = incoming.verify().unwrap_err();
        assert!(refused.is_corruption(), "{}: {refused:?}", table.name);
        damaged += 1;
    }
    assert!(damaged > 0, "there was no table to damage");
    assert_eq!(committed(&receiver), Some(1));
}
