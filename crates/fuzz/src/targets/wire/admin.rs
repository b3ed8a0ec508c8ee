//! Messages of operators, and frames between replicas.

use bytes::Bytes;
use renkei_wire::admin::{BootstrapReply, BootstrapRequest, DigestReply, OpenReplicaRequest, StatusReply, VaultStatus};
use renkei_wire::pb::admin::v1 as pb;
use renkei_wire::pb::peer::v1 as peer;
use renkei_wire::peer::PeerFrames;

const READERS: [fn(&[u8]); 7] = [
    super::read::<pb::BootstrapRequest, BootstrapRequest>,
    super::read::<pb::BootstrapReply, BootstrapReply>,
    super::read::<pb::OpenReplicaRequest, OpenReplicaRequest>,
    super::read::<pb::StatusReply, StatusReply>,
    super::read::<pb::DigestReply, DigestReply>,
    super::read::<pb::VaultStatusReply, VaultStatus>,
    super::read::<peer::PeerFrames, PeerFrames>,
];

pub(crate) fn run(bytes: &[u8]) {
    super::choose(bytes, &READERS);
}

fn filled(len: usize) -> Bytes {
    Bytes::from(vec![7; len])
}

fn node(number: u32) -> pb::NodeAt {
    pb::NodeAt { node: number, address: format!("node-{number}.example:7000") }
}

fn replica() -> pb::ReplicaStatus {
    pb::ReplicaStatus {
        group: 1,
        replica: 4,
        term: 2,
        leader: Some(pb::Member { replica: 4, node: 1 }),
        last_log: 9,
        committed: 8,
        applied: 7,
        snapshot: 6,
        purged: 5,
        members: (1..=3).map(|node| pb::Member { replica: u64::from(node) + 3, node }).collect(),
        leads: true,
        voters: vec![4, 5, 6],
        changing: false,
        membership: 3,
    }
}

pub(crate) fn seeds() -> Vec<Vec<u8>> {
    let digest = pb::ReplicaDigest { group: 1, replica: 4, index: 9, digest: filled(32) };
    let vault = pb::VaultStatusReply {
        vault: 1,
        members: vec![1, 2, 3],
        replica: Some(replica()),
        begun: true,
        founded: true,
        signing_key: filled(32),
        key_epoch: 1,
        disk_free_permille: 500,
    };
    let payloads = [(20, true, None), (5, false, None), (0, false, Some(3))];
    let frames = payloads.map(|(len, more, refused)| peer::PeerFrame {
        cloud: filled(16),
        group: 1,
        from_replica: 4,
        to_replica: 5,
        call: 6,
        data: filled(len),
        more,
        refused,
    });
    let leader = pb::MoveLeader { group: 1, to: 2 };
    let job = pb::Job { id: 3, step: 2, round: 0, kind: Some(pb::job::Kind::Leader(leader)) };
    let status = pb::StatusReply {
        node: 1,
        slot_epoch: 1,
        replicas: vec![replica()],
        disk_free_permille: 500,
        stamp: 4,
        disk_refused: false,
        job: Some(job),
        disk: filled(16),
    };
    vec![
        super::seed(0, &pb::BootstrapRequest { nodes: (1..=3).map(node).collect(), groups: 4, replicas: 3 }),
        super::seed(1, &pb::BootstrapReply { slot_epoch: 1 }),
        super::seed(2, &pb::OpenReplicaRequest { group: 1, replica: 4, nodes: (1..=3).map(node).collect() }),
        super::seed(3, &status),
        super::seed(4, &pb::DigestReply { digests: vec![digest] }),
        super::seed(5, &vault),
        super::seed(6, &peer::PeerFrames { lane: 1, frames: frames.into() }),
    ]
}
