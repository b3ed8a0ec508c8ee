//! One token for each place in which plaintext could lie; the scanner must find each.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::{Arc, mpsc};

use bytes::Bytes;
use renkei_ids::{CloudId, GroupId, NodeId, ReplicaId};
use renkei_storage::log::{LogDb, LogOptions};
use renkei_storage::state::{Family, FamilySpec, StateDb};
use renkei_storage::{DirOwner, MemoryBudget};

use super::*;

const FAMILIES: &[FamilySpec] = &[
    FamilySpec { name: "summary", prefix_len: 2, blob_min_bytes: None, local: false },
    FamilySpec { name: "body", prefix_len: 2, blob_min_bytes: Some(16 << 10), local: false },
];
const SUMMARY: Family = Family::new(0);
const BODY: Family = Family::new(1);

fn owner() -> DirOwner {
    DirOwner { cloud: CloudId::from_bytes([9; 16]), node: NodeId(1), replica: None }
}

fn token(name: &str) -> String {
    format!("planted-{name}-模擬")
}

/// A value of about this length with the token in it, once in one piece and before that in two: so a compressed value
/// holds it nowhere as it is.
fn padded(name: &str, length: usize) -> Vec<u8> {
    let token = token(name).into_bytes();
    let (front, back) = token.split_at(token.len() / 2);
    [back, b"|", front, b"|", &token, &vec![b'.'; length]].concat()
}

fn write_log(dir: &Path, entries: Vec<Bytes>) {
    let options = LogOptions::new(owner(), MemoryBudget::new(0));
    let log = LogDb::open(dir, &options, Arc::new(|error| panic!("{error:?}"))).unwrap();
    let (sender, receiver) = mpsc::channel();
    let durable = Box::new(move |done| sender.send(done).unwrap());
    log.group(GroupId(1), ReplicaId(1)).unwrap().append(0, entries, durable).unwrap();
    receiver.recv().unwrap().unwrap();
    log.shutdown();
}

fn write_state(dir: &Path, pairs: Vec<(Family, Vec<u8>, Vec<u8>)>) {
    let owner = DirOwner { replica: Some((GroupId(1), ReplicaId(1))), ..owner() };
    let db = StateDb::open(dir, &owner, FAMILIES, &MemoryBudget::new(0)).unwrap();
    let mut staged = db.staged();
    for (family, key, value) in pairs {
        staged.put(family, &key, value);
    }
    db.commit(staged, Bytes::from_static(b"1"), &[]).unwrap();
    db.checkpoint().unwrap();
}

fn lz4(bytes: &[u8]) -> Vec<u8> {
    use std::io::Write as _;
    let mut encoder = lz4_flex::frame::FrameEncoder::new(Vec::new());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 3).unwrap()
}

/// Where each of the tokens of these names was found, by name.
fn places(findings: &Findings, tokens: &Tokens, name: &str) -> BTreeSet<(Part, bool)> {
    let wanted = token(name);
    let of_token = |hit: &&Hit| tokens.texts()[hit.token] == wanted.as_bytes();
    findings.hits.iter().filter(of_token).map(|hit| (hit.part.clone(), hit.inflated)).collect()
}

#[test]
fn a_token_is_found_in_every_place() {
    let dir = tempfile::tempdir().unwrap();
    let names = ["log", "log-zstd", "key", "row", "row-lz4", "blob", "blob-zstd", "text", "text-zstd"];
    let tokens = Tokens::new(names.map(token)).unwrap();
    write_log(&dir.path().join("node/log"), vec![padded("log", 800).into(), zstd(&padded("log-zstd", 800)).into()]);
    write_state(
        &dir.path().join("node/state"),
        vec![
            (SUMMARY, token("key").into_bytes(), b"value".to_vec()),
            (SUMMARY, b"k1".to_vec(), padded("row", 800)),
            (SUMMARY, b"k2".to_vec(), lz4(&padded("row-lz4", 800))),
            (BODY, b"k3".to_vec(), padded("blob", 64 << 10)),
            // Random bytes in front keep the compressed value above the blob limit.
            (BODY, b"k4".to_vec(), [noise(32 << 10), zstd(&padded("blob-zstd", 800))].concat()),
        ],
    );
    fs::create_dir_all(dir.path().join("logs")).unwrap();
    fs::write(dir.path().join("logs/node.err"), padded("text", 3 << 20)).unwrap();
    fs::write(dir.path().join("logs/node.1.zst"), zstd(&padded("text-zstd", 800))).unwrap();

    let findings = scan(dir.path(), &tokens, None).unwrap();
    let found = |name: &str| places(&findings, &tokens, name);
    let plain = |part: fn(String) -> Part, family: &str| (part(family.to_owned()), false);
    let inflated = |family: &str| (Part::Value(family.to_owned()), true);
    let (file, inflated_file) = ((Part::File, false), (Part::File, true));
    assert!(found("log").is_superset(&[file.clone(), plain(Part::Value, "log")].into()), "{:?}", found("log"));
    assert!(found("log-zstd").is_superset(&[inflated_file.clone(), inflated("log")].into()));
    assert!(found("key").contains(&plain(Part::Key, "summary")));
    assert!(found("row").contains(&plain(Part::Value, "summary")));
    assert!(found("row-lz4").contains(&inflated("summary")));
    assert!(found("blob").is_superset(&[file.clone(), plain(Part::Value, "body")].into()));
    assert!(found("blob-zstd").is_superset(&[inflated_file.clone(), inflated("body")].into()));
    assert_eq!(found("text"), [file].into());
    assert_eq!(found("text-zstd"), [inflated_file].into());
    assert_eq!(findings.tokens.len(), names.len());
    assert_eq!(findings.databases, 3, "the log, the state and its checkpoint");
    assert!(findings.unopened.is_empty(), "{:?}", findings.unopened);
}

#[test]
fn where_nothing_was_planted_nothing_is_found_and_everything_was_looked_at() {
    let dir = tempfile::tempdir().unwrap();
    write_log(&dir.path().join("log"), vec![padded("other", 800).into()]);
    write_state(&dir.path().join("state"), vec![(BODY, b"k1".to_vec(), noise(64 << 10))]);
    let findings = scan(dir.path(), &Tokens::new([token("log")]).unwrap(), None).unwrap();
    assert_eq!((findings.total, findings.databases, findings.cut_frames), (0, 3, 0));
    assert!(findings.pairs >= 3 && findings.files > 10 && findings.bytes > 128 << 10, "{findings:?}");
}

#[test]
fn a_database_that_does_not_open_is_named_and_its_files_are_looked_at() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("CURRENT"), b"MANIFEST-000099\n").unwrap();
    fs::write(dir.path().join("000001.log"), padded("torn", 100)).unwrap();
    let findings = scan(dir.path(), &Tokens::new([token("torn")]).unwrap(), None).unwrap();
    assert_eq!((findings.total, findings.databases, findings.unopened.len()), (1, 0, 1));
    assert_eq!(findings.unopened[0].0, dir.path());
}

/// Bytes without a pattern: a multiplicative generator (Lehmer), always the same.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 1_u64;
    let mut next = || {
        state = state * 48_271 % 0x7FFF_FFFF;
        u8::try_from(state >> 8 & 0xFF).unwrap()
    };
    (0..length).map(|_| next()).collect()
}
