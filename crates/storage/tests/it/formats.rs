//! What our own records look like in the databases, byte for byte. A listing is never edited: newer code must go on
//! reading what older code wrote, and a new format gets a listing of its own.

use std::fmt::Write;
use std::path::Path;

use bytes::Bytes;
use renkei_ids::{GroupId, ReplicaId};
use renkei_storage::StorageError;
use renkei_storage::log::{LogBounds, LogDb, LogOptions};
use renkei_storage::state::{Read, StateDb, SystemKey};
use rocksdb::{DB, IteratorMode, Options, WriteBatch};

use crate::fixture::{FAMILIES, ROWS, budget, log_owner, open_log, open_state, replica_owner};

/// Group 3, replica 9: purged through 4 with marker `p`, entries 5 and 6, vote `v`, committed `c`.
const LOG_FORMAT_1: &str = "\
log 0000000300000000000000090000000000000005 = 666976
log 0000000300000000000000090000000000000006 = 736978
meta 00000003000000000000000901 = 76
meta 00000003000000000000000902 = 63
meta 00000003000000000000000903 = 01000000000000000470
meta 666f726d6174 = 01
";

/// Key `abc` with value `x` in the first family, applied marker `m`, blob `members` with content `b`.
const STATE_FORMAT_1: &str = "\
rows 616263 = 78
system 61 = 6d
system 66 = 01
system 6e6d656d62657273 = 62
";

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

fn listing(path: &Path) -> String {
    let families = DB::list_cf(&Options::default(), path).unwrap();
    let db = DB::open_cf_for_read_only(&Options::default(), path, &families, false).unwrap();
    let mut text = String::new();
    for family in &families {
        for pair in db.iterator_cf(db.cf_handle(family).unwrap(), IteratorMode::Start) {
            let (key, value) = pair.unwrap();
            writeln!(text, "{family} {} = {}", hex(&key), hex(&value)).unwrap();
        }
    }
    let mut lines: Vec<_> = text.lines().collect();
    lines.sort_unstable();
    lines.iter().map(|line| format!("{line}\n")).collect()
}

/// Writes a listing over whatever is in the database.
fn write_listing(path: &Path, listing: &str) {
    let families = DB::list_cf(&Options::default(), path).unwrap();
    let db = DB::open_cf(&Options::default(), path, &families).unwrap();
    let mut batch = WriteBatch::default();
    for line in listing.lines() {
        let fields: Vec<_> = line.split(' ').collect();
        batch.put_cf(db.cf_handle(fields[0]).unwrap(), unhex(fields[1]), unhex(fields[3]));
    }
    db.write(batch).unwrap();
}

#[test]
fn the_log_database_writes_and_reads_format_1() {
    let dir = tempfile::tempdir().unwrap();
    let (written, read) = (dir.path().join("written"), dir.path().join("read"));
    let db = open_log(&written, 0);
    let log = db.group(GroupId(3), ReplicaId(9)).unwrap();
    log.append(4, vec![Bytes::from_static(b"old"), Bytes::from_static(b"fiv"), Bytes::from_static(b"six")], done())
        .unwrap();
    log.purge(4, Bytes::from_static(b"p"));
    log.save_vote(Bytes::from_static(b"v"), done());
    log.save_committed(Bytes::from_static(b"c"));
    drop((log, db));
    assert_eq!(listing(&written.join("db")), LOG_FORMAT_1);

    drop(open_log(&read, 0));
    write_listing(&read.join("db"), LOG_FORMAT_1);
    let log = open_log(&read, 0).group(GroupId(3), ReplicaId(9)).unwrap();
    assert_eq!(log.bounds(), LogBounds { first: Some(5), last: Some(6), purged_through: Some(4) });
    assert_eq!(log.read(5..7, usize::MAX).unwrap(), [Bytes::from_static(b"fiv"), Bytes::from_static(b"six")]);
    let markers = [log.vote(), log.committed(), log.purge_marker()];
    assert_eq!(markers.map(Option::unwrap), ["v", "c", "p"]);
}

#[test]
fn the_state_database_writes_and_reads_format_1() {
    let dir = tempfile::tempdir().unwrap();
    let (written, read) = (dir.path().join("written"), dir.path().join("read"));
    let db = open_state(&written, 1);
    let mut staged = db.staged();
    staged.put(ROWS, b"abc", "x");
    let members = SystemKey::new("members");
    db.commit(staged, Bytes::from_static(b"m"), &[(members, Bytes::from_static(b"b"))]).unwrap();
    drop(db);
    assert_eq!(listing(&written.join("gen-1")), STATE_FORMAT_1);

    drop(open_state(&read, 1));
    write_listing(&read.join("gen-1"), STATE_FORMAT_1);
    let db = open_state(&read, 1);
    assert_eq!(db.applied().unwrap().unwrap(), "m");
    assert_eq!(db.system(members).unwrap().unwrap(), "b");
    assert_eq!(db.view().get(ROWS, b"abc").unwrap().unwrap(), "x");
}

#[test]
fn newer_formats_and_damaged_records_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let (log, state) = (dir.path().join("log"), dir.path().join("state"));
    drop((open_log(&log, 0), open_state(&state, 1)));

    write_listing(&log.join("db"), "meta 00000003000000000000000903 = 02000000000000000470\n");
    let refused = open_log(&log, 0).group(GroupId(3), ReplicaId(9));
    assert!(refused.as_ref().is_err_and(StorageError::is_corruption), "{refused:?}");

    write_listing(&log.join("db"), "meta 666f726d6174 = 02\n");
    let refused = LogDb::open(&log, &LogOptions::new(log_owner(), budget()), std::sync::Arc::new(|_| ()));
    assert!(matches!(refused, Err(StorageError::UnknownFormat { found: 2, newest: 1, .. })), "{refused:?}");

    write_listing(&state.join("gen-1"), "system 66 = 02\n");
    let refused = StateDb::open(&state, &replica_owner(1), FAMILIES, &budget());
    assert!(matches!(refused, Err(StorageError::UnknownFormat { found: 2, newest: 1, .. })), "{refused:?}");
}

fn done() -> renkei_storage::log::Durable {
    Box::new(Result::unwrap)
}
