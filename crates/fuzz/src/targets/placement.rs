//! Changes of the placement and its stored form: a refused change leaves no trace, a replica id is never used twice, and
//! what is stored reads back as the same placement.

use std::collections::BTreeMap;

use bytes::Bytes;
use renkei_ids::{DiskId, GroupId, NodeId, ReplicaId, Slot};
use renkei_placement::{
    Change, Founding, GROUPS_MAX, JobId, JobKind, JobStep, MetaReply, NODES_MAX, Placement, SlotRange,
};

use crate::input::Input;

const CHANGES_MAX: usize = 64;
const STEPS: [JobStep; 9] = [
    JobStep::Queued,
    JobStep::PreCopy,
    JobStep::Freeze,
    JobStep::Delta,
    JobStep::Activate,
    JobStep::Purge,
    JobStep::Done,
    JobStep::Abandoned,
    JobStep::Undo,
];

pub(super) fn run(bytes: &[u8]) {
    let mut input = Input::new(bytes);
    if input.one_in(4) {
        forms(input.rest());
    } else {
        changes(&mut input);
    }
}

fn forms(bytes: &[u8]) {
    let bytes = Bytes::copy_from_slice(bytes);
    if let Ok(mut placement) = Placement::decode(&bytes) {
        assert!(Placement::decode(&placement.encode()).is_ok_and(|again| again == placement));
        apply(&mut placement, &Change::RaiseMinVersion(9).encode());
    }
    if let Ok(change) = Change::decode(&bytes) {
        assert!(Change::decode(&change.encode()).is_ok_and(|again| again == change));
    }
    if let Ok(reply) = MetaReply::decode(&bytes) {
        assert!(MetaReply::decode(&reply.encode()).is_ok_and(|again| again == reply));
    }
}

fn changes(input: &mut Input<'_>) {
    let mut placement = Placement::default();
    apply(&mut placement, &Change::Found(founding(input)).encode());
    let mut replicas: BTreeMap<ReplicaId, GroupId> = BTreeMap::new();
    let mut epoch = placement.slots().map(|(epoch, _)| epoch);
    for _ in 0..CHANGES_MAX {
        if input.is_empty() {
            break;
        }
        let command = if input.one_in(16) { Bytes::copy_from_slice(input.short(32)) } else { change(input).encode() };
        apply(&mut placement, &command);
        judge(&placement, &mut replicas);
        let now = placement.slots().map(|(epoch, _)| epoch);
        assert!(now >= epoch, "the epoch of the slot map goes back");
        epoch = now;
    }
}

fn apply(placement: &mut Placement, command: &Bytes) {
    let before = placement.clone();
    let reply = MetaReply::decode(&placement.apply(command)).expect("apply writes what decode reads");
    if matches!(reply, MetaReply::Refused(_)) {
        assert!(*placement == before, "a refused change left a trace");
    }
    let mut other = before;
    other.apply(command);
    assert!(other == *placement, "one change, two placements");
}

fn judge(placement: &Placement, replicas: &mut BTreeMap<ReplicaId, GroupId>) {
    assert!(placement.nodes().count() <= NODES_MAX && placement.groups().count() <= GROUPS_MAX + 1);
    for (id, group) in placement.groups() {
        let mut nodes: Vec<_> = group.replicas.iter().map(|replica| replica.node).collect();
        nodes.sort_unstable();
        nodes.dedup();
        assert_eq!(nodes.len(), group.replicas.len(), "two replicas of a group on one node");
        for replica in &group.replicas {
            assert_eq!(*replicas.entry(replica.id).or_insert(id), id, "a replica id of two groups");
        }
    }
    if let Some((_, slots)) = placement.slots() {
        for slot in Slot::all().step_by(17) {
            let group = slots.group_of(slot);
            assert!(placement.groups().any(|(id, _)| id == group), "a slot lies in no group");
        }
    }
    let begun = placement.jobs().filter(|(_, job)| job.step != JobStep::Queued && !job.step.is_final());
    assert!(begun.count() <= 1, "two jobs are under way");
    assert!(Placement::decode(&placement.encode()).is_ok_and(|again| again == *placement));
}

fn founding(input: &mut Input<'_>) -> Founding {
    let nodes = (1..=u32::from(input.byte() % 8)).map(|node| (NodeId(node), format!("node-{node}:1"))).collect();
    Founding { nodes, groups: u32::from(input.byte() % 8), replicas: *input.pick(&[3, 1, 2, 5, 0]) }
}

fn change(input: &mut Input<'_>) -> Change {
    let node = NodeId(u32::from(input.byte() % 10));
    match input.byte() % 10 {
        0 => Change::Found(founding(input)),
        1 => Change::RegisterNode { node, address: String::from_utf8_lossy(input.short(20)).into_owned() },
        2 => Change::RaiseMinVersion(u32::from(input.byte() % 8)),
        3 => {
            let planned_at = input.one_in(2).then(|| u64::from(input.byte() % 64));
            let jobs = (0..=input.byte() % 3).map(|_| job(input)).collect();
            Change::Submit { planned_at, jobs }
        }
        4 => Change::Abandon,
        5 => Change::ClaimDisk { node, disk: disk(input) },
        6 => Change::Removed(ReplicaId(u64::from(input.byte() % 40))),
        _ => {
            let (from, to) = (*input.pick(&STEPS), *input.pick(&STEPS));
            let round = input.one_in(2).then(|| u32::from(input.byte() % 4));
            Change::Advance { job: JobId(u64::from(input.byte() % 8)), from, round, to }
        }
    }
}

fn job(input: &mut Input<'_>) -> JobKind {
    let node = |input: &mut Input<'_>| NodeId(u32::from(input.byte() % 10));
    let group = |input: &mut Input<'_>| GroupId(u32::from(input.byte() % 8));
    match input.byte() % 6 {
        0 => {
            let mut ends = [input.u16() % 4_096, input.u16() % 4_096];
            ends.sort_unstable();
            let slot = |raw: u16| Slot::try_from(u32::from(raw)).expect("below 4,096");
            let to = SlotRange { first: slot(ends[0]), last: slot(ends[1]), group: group(input) };
            JobKind::MoveSlots { from: group(input), to }
        }
        1 => {
            JobKind::MoveReplica { group: group(input), from: ReplicaId(u64::from(input.byte() % 40)), to: node(input) }
        }
        2 => JobKind::MoveLeader { group: group(input), to: node(input) },
        3 => JobKind::AddGroup { nodes: (0..=input.byte() % 4).map(|_| node(input)).collect() },
        4 => JobKind::ReplaceDisk { node: node(input), disk: disk(input) },
        _ => JobKind::Drain { node: node(input) },
    }
}

fn disk(input: &mut Input<'_>) -> DiskId {
    DiskId::from_bytes([input.byte() % 4; 16])
}

pub(super) fn seeds() -> Vec<Vec<u8>> {
    let mut founded = Placement::default();
    let nodes = (1..=3).map(|node| (NodeId(node), format!("node-{node}:1"))).collect();
    let founding = Change::Found(Founding { nodes, groups: 4, replicas: 3 }).encode();
    let reply = founded.apply(&founding);
    let stored = [founded.encode(), founding, reply].map(|bytes| [&[0][..], &bytes[..]].concat());
    let pattern = |seed: u8, len: u8| (0..len).map(move |place| place.wrapping_mul(19).wrapping_add(seed)).collect();
    let drawn = (0..12).map(|seed| [vec![1, 3, 4, 0], pattern(seed, 10 + 12 * seed)].concat());
    stored.into_iter().chain(drawn).collect()
}
