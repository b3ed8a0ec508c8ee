//! What a simulated disk keeps and what it loses.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use renkei_ids::{GroupId, ReplicaId};
use renkei_storage::MemoryBudget;
use renkei_storage::log::{LogChange, SimulatedDisk};
use renkei_storage::state::Read;

use crate::fixture::{ROWS, open_log_on, open_state_on};

const LOG: (GroupId, ReplicaId) = (GroupId(1), ReplicaId(1));

fn entries(count: u8) -> Vec<Bytes> {
    (0..count).map(|number| Bytes::copy_from_slice(&[number])).collect()
}

#[test]
fn entries_are_read_at_once_and_durable_when_they_are_written() {
    let dir = tempfile::tempdir().unwrap();
    let seen = Arc::new(AtomicUsize::new(0));
    let observed = Arc::clone(&seen);
    let disk = SimulatedDisk::new(Some(Arc::new(move |_, _, change| {
        if let LogChange::Appended { entries, .. } = change {
            observed.fetch_add(entries.len(), Ordering::Relaxed);
        }
    })));
    let told = Arc::new(AtomicUsize::new(0));
    let tell = |count| {
        let told = Arc::clone(&told);
        Box::new(move |done: std::io::Result<()>| {
            done.unwrap();
            told.fetch_add(count, Ordering::Relaxed);
        })
    };
    let budget = MemoryBudget::simulated(disk);
    let db = open_log_on(dir.path(), 0, budget.clone());
    let log = db.group(LOG.0, LOG.1).unwrap();
    log.append(0, entries(3), tell(3)).unwrap();
    assert_eq!((log.read(0..3, usize::MAX).unwrap(), seen.load(Ordering::Relaxed)), (entries(3), 3));
    assert_eq!(told.load(Ordering::Relaxed), 0, "told before it was written");
    db.queued_writes().unwrap().written();
    assert_eq!(told.load(Ordering::Relaxed), 3);
    // Queued, and under way, when the process ends.
    log.append(3, entries(1), tell(1)).unwrap();
    let under_way = db.queued_writes().unwrap();
    log.append(4, entries(1), tell(1)).unwrap();
    drop((under_way, log, db));
    let db = open_log_on(dir.path(), 0, budget);
    let log = db.group(LOG.0, LOG.1).unwrap();
    assert_eq!(log.bounds().last, Some(2));
    assert_eq!(log.read(0..9, usize::MAX).unwrap(), entries(3));
    assert_eq!(told.load(Ordering::Relaxed), 3);
}

#[test]
fn a_power_cut_loses_what_no_sync_stood_behind_from_its_end() {
    for kept in 0..=2 {
        let dir = tempfile::tempdir().unwrap();
        let disk = SimulatedDisk::new(None);
        let budget = MemoryBudget::simulated(disk.clone());
        let db = open_log_on(dir.path(), 0, budget.clone());
        let log = db.group(LOG.0, LOG.1).unwrap();
        log.append(0, entries(9), Box::new(Result::unwrap)).unwrap();
        db.queued_writes().unwrap().written();
        log.save_committed(Bytes::from_static(b"c"));
        log.purge(3, Bytes::from_static(b"p"));
        db.queued_writes().unwrap().written();
        assert_eq!(disk.unsynced(), 2);
        drop((log, db));
        disk.power_cut(kept);
        let db = open_log_on(dir.path(), 0, budget);
        let log = db.group(LOG.0, LOG.1).unwrap();
        assert_eq!(log.committed().is_some(), kept >= 1);
        assert_eq!(log.bounds().first, Some(if kept == 2 { 4 } else { 0 }));
        assert_eq!(log.purge_marker().is_some(), kept == 2);
    }
}

#[test]
fn a_state_falls_back_to_its_last_flush_and_its_checkpoint_goes_where_it_is_sent() {
    let dir = tempfile::tempdir().unwrap();
    let budget = MemoryBudget::simulated(SimulatedDisk::new(None));
    let (one, two) = (dir.path().join("1"), dir.path().join("2"));
    let put = |db: &renkei_storage::state::StateDb, value: &'static [u8]| {
        let mut staged = db.staged();
        staged.put(ROWS, b"key", Bytes::from_static(value));
        db.commit(staged, Bytes::from_static(value), &[]).unwrap();
    };
    let db = open_state_on(&one, 1, &budget);
    put(&db, b"flushed");
    db.flush().unwrap();
    put(&db, b"lost");
    drop(db);
    let db = open_state_on(&one, 1, &budget);
    assert_eq!(db.view().get(ROWS, b"key").unwrap().as_deref(), Some(&b"flushed"[..]));
    assert_eq!(db.applied().unwrap().as_deref(), Some(&b"flushed"[..]));

    put(&db, b"checked");
    let checkpoint = db.checkpoint().unwrap();
    put(&db, b"later");
    assert_eq!(checkpoint.applied().as_deref(), Some(&b"checked"[..]));
    let other = open_state_on(&two, 2, &budget);
    let mut incoming = other.receive(checkpoint.files().to_vec()).unwrap();
    for file in checkpoint.files() {
        let piece = checkpoint.read_piece(&file.name, 0, usize::MAX).unwrap();
        incoming.write_piece(&file.name, 0, &piece).unwrap();
    }
    let other = other.install(incoming.verify().unwrap()).unwrap();
    assert_eq!(other.view().get(ROWS, b"key").unwrap().as_deref(), Some(&b"checked"[..]));
    drop(other);
    let other = open_state_on(&two, 2, &budget);
    assert_eq!(other.applied().unwrap().as_deref(), Some(&b"checked"[..]), "an installed state is durable");
}
