use std::collections::BTreeSet;
use std::fs;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::mpsc;

use bytes::Bytes;
use renkei_ids::{GroupId, ReplicaId};
use renkei_storage::state::SystemKey;
use renkei_storage::{databases_below, scan_database};

use crate::fixture::{BODIES, LOCAL, ROWS, copy_as_if_killed, open_log, open_state};

/// Family and value of every pair.
fn values(path: &Path) -> BTreeSet<(String, Vec<u8>)> {
    let mut values = BTreeSet::new();
    scan_database(path, &mut |pair| {
        values.insert((pair.family.to_owned(), pair.value.to_vec()));
        ControlFlow::Continue(())
    })
    .unwrap();
    values
}

fn holds(values: &BTreeSet<(String, Vec<u8>)>, family: &str, value: &[u8]) -> bool {
    values.contains(&(family.to_owned(), value.to_vec()))
}

#[test]
fn a_killed_log_shows_what_only_its_write_ahead_log_holds() {
    let (dir, killed) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let log = open_log(dir.path(), 0);
    let group = log.group(GroupId(3), ReplicaId(1)).unwrap();
    let (sender, receiver) = mpsc::channel();
    group.append(0, vec![Bytes::from_static(b"entry")], Box::new(move |done| sender.send(done).unwrap())).unwrap();
    receiver.recv().unwrap().unwrap();
    copy_as_if_killed(dir.path(), killed.path());

    let databases = databases_below(killed.path()).unwrap();
    assert_eq!(databases, [killed.path().join("db")]);
    assert!(holds(&values(&databases[0]), "log", b"entry"));
}

#[test]
fn a_state_shows_every_family_blobs_and_its_checkpoint() {
    let dir = tempfile::tempdir().unwrap();
    let blob = vec![b'b'; 4096];
    let db = open_state(dir.path(), 1);
    let mut staged = db.staged();
    staged.put(ROWS, b"key", Bytes::from_static(b"row"));
    staged.put(BODIES, b"key", blob.clone());
    staged.put(LOCAL, b"key", Bytes::from_static(b"local"));
    db.commit(staged, Bytes::from_static(b"applied"), &[(SystemKey::new("members"), Bytes::from_static(b"three"))])
        .unwrap();
    db.checkpoint().unwrap();
    drop(db);
    let has_blobs = fs::read_dir(dir.path().join("gen-1"))
        .unwrap()
        .any(|entry| entry.unwrap().path().extension().is_some_and(|ext| ext == "blob"));
    assert!(has_blobs, "the large value lies in a blob file");

    let databases = databases_below(dir.path()).unwrap();
    assert_eq!(databases, [dir.path().join("checkpoint-1/db"), dir.path().join("gen-1")]);
    for path in databases {
        let values = values(&path);
        for (family, value) in [
            ("rows", &b"row"[..]),
            ("bodies", &blob),
            ("local", b"local"),
            ("system", b"applied"),
            ("system", b"three"),
        ] {
            assert!(holds(&values, family, value), "{family} of {}", path.display());
        }
    }
}

#[test]
fn a_scan_ends_where_it_is_told_to_and_what_is_no_database_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    drop(open_state(dir.path(), 1));
    let mut seen = 0;
    scan_database(&dir.path().join("gen-1"), &mut |_| {
        seen += 1;
        ControlFlow::Break(())
    })
    .unwrap();
    assert_eq!(seen, 1);
    assert!(scan_database(&dir.path().join("nothing"), &mut |_| ControlFlow::Continue(())).is_err());
    assert!(!dir.path().join("nothing").exists(), "a scan makes no database");
}
