//! What storage reads of files: lists, markers and records that read are written as they mean, and a snapshot that is
//! received has every byte that was announced, or is refused by name.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use renkei_ids::{CloudId, GroupId, NodeId, ReplicaId};
use renkei_storage::state::{FamilySpec, InvalidSnapshot, SnapshotFile, StateDb};
use renkei_storage::{DirOwner, Form, MemoryBudget, StorageError};
use tempfile::TempDir;

use crate::input::Input;

const FILES: [&str; 6] = ["CURRENT", "000012.sst", "MANIFEST-000005", "000013.blob", "../000012.sst", ""];
const CONTENT: &[u8] = b"the bytes of a file, cut anywhere";
const FILES_MAX: usize = 4;

/// A replica to receive into, for the life of the process.
struct Replica {
    db: StateDb,
    _dir: TempDir,
}

fn replica() -> &'static Replica {
    static REPLICA: OnceLock<Replica> = OnceLock::new();
    static FAMILIES: [FamilySpec; 1] = [FamilySpec { name: "rows", prefix_len: 0, blob_min_bytes: None, local: false }];
    REPLICA.get_or_init(|| {
        let dir = tempfile::tempdir().expect("a folder for a replica");
        let replica = Some((GroupId(1), ReplicaId(1)));
        let owner = DirOwner { cloud: CloudId::from_bytes([7; 16]), node: NodeId(1), replica };
        let db = StateDb::open(dir.path(), &owner, &FAMILIES, &MemoryBudget::new(0)).expect("an empty replica opens");
        Replica { db, _dir: dir }
    })
}

pub(super) fn run(bytes: &[u8]) {
    let mut input = Input::new(bytes);
    match input.byte() % 4 {
        0 => receive(&mut input),
        form => forms(Form::ALL[usize::from(form) - 1], input.rest()),
    }
}

fn forms(form: Form, bytes: &[u8]) {
    let Some(written) = form.rewrite(bytes) else { return };
    let again = form.rewrite(&written).expect("what was written reads");
    assert!(again == written, "another {form:?} comes back");
}

fn receive(input: &mut Input<'_>) {
    let files: Vec<SnapshotFile> = (0..input.below(FILES_MAX + 1)).map(|_| file(input)).collect();
    let mut names: Vec<_> = files.iter().map(|file| file.name.as_str()).collect();
    names.sort_unstable();
    let twice = names.windows(2).any(|pair| pair[0] == pair[1]);
    let strange = names.iter().any(|name| FILES[4..].contains(name));
    let mut incoming = match replica().db.receive(files.clone()) {
        Ok(incoming) => {
            assert!(!twice && !strange, "a list is taken that leads outside, or names a file twice");
            incoming
        }
        Err(StorageError::SnapshotRefused(reason)) => {
            assert!(matches!(reason, InvalidSnapshot::Name | InvalidSnapshot::DuplicateName) && (twice || strange));
            return;
        }
        Err(error) => panic!("an empty replica does not receive: {error}"),
    };
    let mut received: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    while !input.is_empty() {
        let name = *input.pick(&FILES);
        let known = received.get(name).map_or(0, Vec::len);
        let offset = if input.one_in(8) { input.u64() } else { u64::try_from(known).expect("short files") };
        let len = usize::from(input.byte()).min(CONTENT.len() - known.min(CONTENT.len()));
        let piece = &CONTENT[known.min(CONTENT.len())..][..len];
        match incoming.write_piece(name, offset, piece) {
            Ok(()) => received.entry(name.to_owned()).or_default().extend_from_slice(piece),
            // A transfer ends with its first refusal.
            Err(StorageError::SnapshotRefused(_)) => return,
            Err(error) => panic!("a piece does not store: {error}"),
        }
    }
    let whole = files.iter().all(|file| {
        let had = received.get(&file.name).map_or(&[][..], Vec::as_slice);
        u64::try_from(had.len()) == Ok(file.len) && digest(had) == file.sha256
    });
    match incoming.verify() {
        Ok(_) => assert!(whole, "a snapshot is taken that is not what was announced"),
        Err(StorageError::SnapshotRefused(_)) => assert!(!whole, "a whole snapshot is refused"),
        // What arrived as it was announced is read through, and these bytes are no database.
        Err(StorageError::Engine { .. }) => assert!(whole, "a snapshot is read before it is whole"),
        Err(error) => panic!("a snapshot does not verify: {error}"),
    }
}

fn file(input: &mut Input<'_>) -> SnapshotFile {
    let name = input.pick(&FILES[..]);
    let name = if !input.one_in(16) && FILES[4..].contains(name) { FILES[0] } else { name };
    let len = usize::from(input.byte()) % (CONTENT.len() + 1);
    let honest = !input.one_in(8);
    let sha256 = if honest { digest(&CONTENT[..len]) } else { [input.byte(); 32] };
    let len = if honest { u64::try_from(len).expect("a short file") } else { input.u64() };
    SnapshotFile { name: name.to_owned(), len, sha256 }
}

fn digest(bytes: &[u8]) -> [u8; 32] {
    aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, bytes).as_ref().try_into().expect("SHA-256 gives 32 bytes")
}

pub(super) fn seeds() -> Vec<Vec<u8>> {
    let hash = "ab".repeat(32);
    let list = format!("renkei 1\n{hash} 12 CURRENT\n{hash} 12 000012.sst\n");
    let owner = "renkei 1\ncloud a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5\nnode 3\ngroup 7\nreplica 5\n";
    let log = "renkei 1\ncloud a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5\nnode 3\ngroup -\nreplica -\n";
    let text = |form: u8, text: &str| [&[form][..], text.as_bytes()].concat();
    let mut seeds = vec![text(1, owner), text(1, log), text(2, &list), vec![3, 1, 0, 0, 0, 0, 0, 0, 0, 9, 5, 5]];
    // One file of five bytes, whole: its place, no strange name, its length, honest; then its bytes in one piece.
    seeds.push(vec![0, 0, 9, 0, 1, 5, 1, 0, 1, 5]);
    seeds.push(vec![0, 0, 17, 0, 1, 5, 1, 1, 1, 9, 1, 0, 1, 3, 0, 1, 2, 1, 1, 9]);
    seeds
}
