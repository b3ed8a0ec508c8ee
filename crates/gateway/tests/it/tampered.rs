//! Ciphertext that someone with the node's disk has changed.

use std::ops::ControlFlow;
use std::path::Path;

use bytes::Bytes;
use renkei_ids::{GroupId, NodeId, ReplicaId};
use renkei_runtime::Role;
use renkei_shard::{FAMILIES, Family as ShardFamily};
use renkei_storage::state::{Direction, Family, FamilySpec, KeyRange, Read as _, StateDb};
use renkei_storage::{DirOwner, MemoryBudget};
use renkei_wire::ErrorCode;

use crate::world::{CLOUD, World, get, put, query, timeline, vaccination};

const MIB: usize = 1 << 20;

const fn families() -> [FamilySpec; FAMILIES.len()] {
    let mut specs = [FamilySpec { name: "", prefix_len: 0, blob_min_bytes: None, local: false }; FAMILIES.len()];
    let mut at = 0;
    while at < FAMILIES.len() {
        let (name, prefix_len, blob_min_bytes) = FAMILIES[at];
        specs[at] = FamilySpec { name, prefix_len, blob_min_bytes, local: false };
        at += 1;
    }
    specs
}

static SHARD: [FamilySpec; FAMILIES.len()] = families();

/// What is done to a stored document; each is done to one of every size.
const CHANGES: [fn(&mut Vec<u8>); 4] = [
    |value| value[0] ^= 1,
    |value| {
        let middle = value.len() / 2;
        value[middle] ^= 0x80;
    },
    |value| *value.last_mut().unwrap() ^= 1,
    |value| value.truncate(value.len() - 1),
];
/// Bytes of documents: one inside its value, one in a blob file, one that travels in pieces.
const SIZES: [usize; 3] = [400, 100_000, 2_000_000];

/// Changes every document that a stopped node holds; gives how many of each size there were.
fn change_documents(node: &Path) -> [usize; SIZES.len()] {
    let mut changed = [0; SIZES.len()];
    for entry in std::fs::read_dir(node.join("groups")).unwrap() {
        let dir = entry.unwrap().path();
        let name = dir.file_name().unwrap().to_str().unwrap();
        let (group, replica) = name.strip_prefix("group-").unwrap().split_once("-replica-").unwrap();
        let (group, replica) = (GroupId(group.parse().unwrap()), ReplicaId(replica.parse().unwrap()));
        // The meta group has no documents.
        if group == GroupId(0) {
            continue;
        }
        let owner = DirOwner { cloud: CLOUD, node: NodeId(1), replica: Some((group, replica)) };
        let state = StateDb::open(&dir, &owner, &SHARD, &MemoryBudget::new(256 * MIB)).unwrap();
        let bodies = Family::new(ShardFamily::Body as u8);
        let mut found = Vec::new();
        let scanned = state.view().scan(bodies, &KeyRange::all(), Direction::Forward, &mut |key, value| {
            found.push((key.to_vec(), value.to_vec()));
            ControlFlow::Continue(())
        });
        scanned.unwrap();
        let mut staged = state.staged();
        for (key, mut value) in found {
            let size = SIZES.iter().rposition(|size| value.len() > size / 2).unwrap();
            CHANGES[changed[size] % CHANGES.len()](&mut value);
            changed[size] += 1;
            staged.put(bodies, &key, Bytes::from(value));
        }
        // Behind the last entry that was applied, so that nothing is replayed over it.
        let Some(applied) = state.applied().unwrap() else { continue };
        state.commit(staged, applied, &[]).unwrap();
        state.flush().unwrap();
    }
    changed
}

/// Text that does not compress to much less than it is.
fn noise(seed: u64, bytes: usize) -> String {
    let mut state = seed;
    let mut letter = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        char::from(b'0' + u8::try_from(state >> 58).unwrap() % 75)
    };
    (0..bytes).map(|_| letter()).map(|letter| if letter == '\\' { '/' } else { letter }).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_document_changed_on_disk_is_refused_whole_and_others_are_served() {
    let mut world = World::founded().await;
    let mut client = world.client(Role::Institution, "hospital-a");
    let mut references = Vec::new();
    for (n, size) in SIZES.into_iter().flat_map(|size| [size; CHANGES.len()]).enumerate() {
        let document = vaccination("2026-03-05", &format!("planted {}", noise(n as u64, size)));
        references.push(put(&mut client, 1, &format!("k{n}"), &document).await.unwrap().reference);
    }
    world.processes.node(NodeId(1)).unwrap().stop(renkei_launch::STOP_TIMEOUT).unwrap();
    assert_eq!(change_documents(&world.dir().join("node-1")), [CHANGES.len(); SIZES.len()]);
    world.processes.start_all().unwrap();

    let fresh = vaccination("2026-03-06", "fresh");
    let stored = put(&mut client, 1, "fresh", &fresh).await.unwrap();
    for (n, reference) in references.iter().enumerate() {
        let refused = get(&mut client, 1, reference, 0).await.unwrap_err();
        assert_eq!((refused.code, refused.retry_after), (ErrorCode::IntegrityFailed, None), "{n}");
    }
    assert_eq!(get(&mut client, 1, &stored.reference, 0).await.unwrap(), fresh.as_bytes());
    // Summaries are sealed on their own.
    let (entries, _) = timeline(&mut client, query(1, vec![])).await.unwrap();
    assert_eq!(entries.len(), references.len() + 1);
    for log in std::fs::read_dir(world.dir().join("logs")).unwrap() {
        let text = std::fs::read_to_string(log.unwrap().path()).unwrap();
        assert!(!text.contains("planted"), "no document is logged");
    }
}
