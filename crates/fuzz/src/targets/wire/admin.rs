//! Messages of operators, of controllers and between groups whose slots move, and frames between replicas.

use bytes::Bytes;
use renkei_ids::{NodeId, Slot};
use renkei_placement::{Change, Founding, Placement};
use renkei_wire::admin::{
    AddNodeRequest, BootstrapReply, BootstrapRequest, ChangeMembersRequest, ClaimDiskRequest, DigestReply, FollowReply,
    FollowRequest, JobsReply, OpenReplicaRequest, PlacementReply, StatusReply, SubmitReply, SubmitRequest,
    TransferLeaderRequest, VaultStatus,
};
use renkei_wire::pb::admin::v1 as pb;
use renkei_wire::pb::peer::v1 as peer;
use renkei_wire::pb::transfer::v1 as transfer;
use renkei_wire::peer::PeerFrames;
use renkei_wire::transfer::{CopyProgress, CopySlots, HoldSlots, ImportRows, OrderReply, PurgeReply, PurgeSlots};

const READERS: [fn(&[u8]); 24] = [
    super::read::<pb::BootstrapRequest, BootstrapRequest>,
    super::read::<pb::BootstrapReply, BootstrapReply>,
    super::read::<pb::OpenReplicaRequest, OpenReplicaRequest>,
    super::read::<pb::StatusReply, StatusReply>,
    super::read::<pb::DigestReply, DigestReply>,
    super::read::<pb::VaultStatusReply, VaultStatus>,
    super::read::<peer::PeerFrames, PeerFrames>,
    super::read::<pb::AddNodeRequest, AddNodeRequest>,
    super::read::<pb::SubmitRequest, SubmitRequest>,
    super::read::<pb::SubmitReply, SubmitReply>,
    super::read::<pb::JobsReply, JobsReply>,
    super::read::<pb::PlacementReply, PlacementReply>,
    super::read::<pb::FollowRequest, FollowRequest>,
    super::read::<pb::FollowReply, FollowReply>,
    super::read::<pb::ClaimDiskRequest, ClaimDiskRequest>,
    super::read::<pb::ChangeMembersRequest, ChangeMembersRequest>,
    super::read::<pb::TransferLeaderRequest, TransferLeaderRequest>,
    super::read::<transfer::HoldSlotsRequest, HoldSlots>,
    super::read::<transfer::OrderReply, OrderReply>,
    super::read::<transfer::CopySlotsRequest, CopySlots>,
    super::read::<transfer::CopyProgress, CopyProgress>,
    super::read::<transfer::ImportRowsRequest, ImportRows>,
    super::read::<transfer::PurgeSlotsRequest, PurgeSlots>,
    super::read::<transfer::PurgeSlotsReply, PurgeReply>,
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

fn jobs() -> Vec<pb::Job> {
    let kinds = [
        pb::job::Kind::Slots(pb::MoveSlots { from: 1, to: 2, first: 0, last: 9 }),
        pb::job::Kind::Replica(pb::ReplicaJob { group: 1, from: 4, to: 2 }),
        pb::job::Kind::Leader(pb::MoveLeader { group: 1, to: 2 }),
        pb::job::Kind::Group(pb::GroupJob { nodes: vec![1, 2, 3] }),
        pb::job::Kind::Disk(pb::DiskJob { node: 3, disk: filled(16) }),
        pb::job::Kind::Drain(pb::DrainNode { node: 3 }),
    ];
    (1..).zip(kinds).map(|(id, kind)| pb::Job { id, step: 2, round: 1, kind: Some(kind) }).collect()
}

fn placement() -> Bytes {
    let nodes = (1..=3).map(|node| (NodeId(node), format!("node-{node}.example:7000"))).collect();
    let mut placement = Placement::default();
    placement.apply(&Change::Found(Founding { nodes, groups: 2, replicas: 3 }).encode());
    placement.encode()
}

/// What operators ask of the controller, and the controller of nodes.
fn of_controllers() -> Vec<Vec<u8>> {
    let plan = pb::submit_request::Plan::MoveSlots(pb::MoveSlots { from: 1, to: 2, first: 0, last: 9 });
    let progress = Some(pb::JobProgress { done: 1, of: 2, waits_for: "a node".to_owned() });
    let members = |nodes: std::ops::Range<u32>| {
        nodes.map(|node| pb::Member { replica: u64::from(node) + 3, node }).collect::<Vec<_>>()
    };
    let (voters, learners) = (members(1..4), members(4..5));
    vec![
        super::seed(7, &pb::AddNodeRequest { node: Some(node(4)) }),
        super::seed(8, &pb::SubmitRequest { plan: Some(plan) }),
        super::seed(9, &pb::SubmitReply { first: 1, jobs: 2 }),
        super::seed(10, &pb::JobsReply { stamp: 4, jobs: jobs(), progress }),
        super::seed(11, &pb::PlacementReply { placement: placement() }),
        super::seed(12, &pb::FollowRequest { placement: placement() }),
        super::seed(13, &pb::FollowReply { stamp: 4, disk: filled(16), replicas: vec![replica()] }),
        super::seed(14, &pb::ClaimDiskRequest { node: 1, disk: filled(16) }),
        super::seed(15, &pb::ChangeMembersRequest { group: 1, stamp: 4, membership: 3, voters, learners }),
        super::seed(16, &pb::TransferLeaderRequest { group: 1, stamp: 4, to: 5 }),
    ]
}

/// What groups whose slots move ask of each other.
fn of_transfers() -> Vec<Vec<u8>> {
    let fence = || Some(transfer::Fence { epoch: 1, stamp: 4 });
    let slots = || Some(transfer::SlotSpan { first: 0, last: 9 });
    let key = [&Slot::try_from(1).expect("there are thousands").to_be_bytes()[..], &[7; 16]].concat();
    let row = |value| transfer::MovedRow { family: 2, key: key.clone().into(), value };
    let rows = vec![row(Some(filled(20))), row(None)];
    let place = Bytes::from([&[2][..], &key].concat());
    let copy =
        transfer::CopySlotsRequest { from_group: 1, to_group: 2, fence: fence(), slots: slots(), after: place.clone() };
    vec![
        super::seed(17, &transfer::HoldSlotsRequest { group: 1, fence: fence(), slots: slots(), hold: 6, round: 1 }),
        super::seed(18, &transfer::OrderReply { outcome: 1 }),
        super::seed(19, &copy),
        super::seed(20, &transfer::CopyProgress { rows: 2, bytes: 60, place, outcome: 0 }),
        super::seed(21, &transfer::ImportRowsRequest { group: 2, fence: fence(), time_ms: 1, rows }),
        super::seed(22, &transfer::PurgeSlotsRequest { group: 1, fence: fence(), slots: slots() }),
        super::seed(23, &transfer::PurgeSlotsReply { outcome: 1, next: Some(5) }),
    ]
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
        commands_version: 2,
    };
    let mut seeds = vec![
        super::seed(0, &pb::BootstrapRequest { nodes: (1..=3).map(node).collect(), groups: 4, replicas: 3 }),
        super::seed(1, &pb::BootstrapReply { slot_epoch: 1 }),
        super::seed(2, &pb::OpenReplicaRequest { group: 1, replica: 4, nodes: (1..=3).map(node).collect() }),
        super::seed(3, &status),
        super::seed(4, &pb::DigestReply { digests: vec![digest] }),
        super::seed(5, &vault),
        super::seed(6, &peer::PeerFrames { lane: 1, frames: frames.into() }),
    ];
    seeds.extend(of_controllers());
    seeds.extend(of_transfers());
    seeds
}
