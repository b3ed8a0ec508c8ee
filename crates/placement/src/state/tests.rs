use super::*;
use proptest::prelude::*;
use renkei_ids::Slot;

use crate::slot_map::SlotRange;

fn founding(nodes: u32, groups: u32, replicas: u32) -> Founding {
    Founding { nodes: (1..=nodes).map(|n| (NodeId(n), format!("127.0.0.1:{n}"))).collect(), groups, replicas }
}

fn founded() -> Placement {
    let mut placement = Placement::default();
    assert_eq!(ask(&mut placement, Change::Found(founding(3, 4, 3))), Ok(None));
    placement
}

fn ask(placement: &mut Placement, change: Change) -> Result<Option<JobId>, Refused> {
    match MetaReply::decode(&placement.apply(&change.encode())).unwrap() {
        MetaReply::Done { epoch, stamp, job } => {
            assert_eq!((epoch, stamp), (placement.epoch, placement.stamp));
            Ok(job)
        }
        MetaReply::Refused(refused) => Err(refused),
    }
}

fn slots(first: u32, last: u32, group: u32) -> SlotRange {
    let slot = |raw| Slot::try_from(raw).unwrap();
    SlotRange { first: slot(first), last: slot(last), group: GroupId(group) }
}

fn submit(kind: JobKind) -> Change {
    Change::Submit { planned_at: None, jobs: vec![kind] }
}

fn advance(job: JobId, from: JobStep, to: JobStep) -> Change {
    Change::Advance { job, from, round: None, to }
}

#[test]
fn founding_spreads_replicas_and_leaders() {
    let placement = founded();
    let firsts: Vec<_> = placement.groups().map(|(_, group)| group.replicas[0].node.0).collect();
    assert_eq!(firsts, [1, 1, 2, 3, 1], "meta, then the shard groups in turn");
    let mut ids: Vec<_> =
        placement.groups().flat_map(|(_, group)| &group.replicas).map(|replica| replica.id.0).collect();
    ids.sort_unstable();
    assert_eq!(ids, (1..=15).collect::<Vec<_>>());
    assert_eq!(placement.slots().unwrap().0, SlotEpoch(1));
}

#[test]
fn founding_again_is_the_same_or_refused() {
    let mut placement = founded();
    let before = placement.clone();
    assert_eq!(ask(&mut placement, Change::Found(founding(3, 4, 3))), Ok(None));
    assert_eq!(ask(&mut placement, Change::Found(founding(3, 5, 3))), Err(Refused::AlreadyFounded));
    assert_eq!(placement, before);
}

#[test]
fn impossible_foundings_are_refused() {
    let refused = |founding| ask(&mut Placement::default(), Change::Found(founding)).unwrap_err();
    assert_eq!(refused(founding(3, 0, 3)), Refused::InvalidFounding);
    assert_eq!(refused(founding(3, 4, 2)), Refused::InvalidFounding);
    assert_eq!(refused(founding(3, 4, 5)), Refused::InvalidFounding);
    assert_eq!(refused(founding(0, 4, 1)), Refused::InvalidFounding);
    assert_eq!(refused(founding(3, 65, 3)), Refused::LimitReached);
    assert_eq!(refused(founding(65, 4, 3)), Refused::LimitReached);
    let mut twice = founding(3, 4, 3);
    twice.nodes[2].0 = NodeId(1);
    assert_eq!(refused(twice), Refused::InvalidFounding);
    assert!(ask(&mut Placement::default(), Change::Found(founding(64, 64, 3))).is_ok());
}

#[test]
fn nothing_but_a_founding_comes_first() {
    let refused = ask(&mut Placement::default(), Change::RaiseMinVersion(2));
    assert_eq!(refused, Err(Refused::NotFounded));
    let mut placement = founded();
    assert_eq!(ask(&mut placement, Change::RaiseMinVersion(3)), Ok(None));
    assert_eq!(ask(&mut placement, Change::RaiseMinVersion(2)), Err(Refused::VersionGoesBack));
    assert_eq!(placement.min_version(), 3);
}

#[test]
fn a_slot_move_changes_the_map_once_and_at_one_step() {
    let mut placement = founded();
    let kind = JobKind::MoveSlots { from: GroupId(1), to: slots(10, 20, 2) };
    let job = ask(&mut placement, submit(kind.clone())).unwrap().unwrap();
    assert_eq!(ask(&mut placement, submit(kind)), Err(Refused::JobUnderWay));
    let mut go = |from, to| ask(&mut placement, advance(job, from, to)).map(|_| placement.epoch.0);
    assert_eq!(go(JobStep::Queued, JobStep::PreCopy), Ok(1));
    assert_eq!(go(JobStep::PreCopy, JobStep::Activate), Err(Refused::WrongStep), "a slot is frozen first");
    assert_eq!(go(JobStep::PreCopy, JobStep::Freeze), Ok(1));
    assert_eq!(go(JobStep::Freeze, JobStep::Delta), Ok(1));
    assert_eq!(go(JobStep::Delta, JobStep::Activate), Ok(2));
    assert_eq!(go(JobStep::Delta, JobStep::Activate), Ok(2), "a repeated step changes nothing");
    assert_eq!(go(JobStep::Activate, JobStep::Abandoned), Err(Refused::WrongStep));
    assert_eq!(go(JobStep::Activate, JobStep::Purge), Ok(2));
    assert_eq!(go(JobStep::Purge, JobStep::Done), Ok(2));
    let (_, map) = placement.slots().unwrap();
    let group_of = |slot: u32| map.group_of(Slot::try_from(slot).unwrap()).0;
    assert_eq!([9, 10, 20, 21].map(group_of), [1, 2, 2, 1]);
}

#[test]
fn a_replica_move_draws_a_new_id() {
    let mut placement = Placement::default();
    ask(&mut placement, Change::Found(founding(4, 4, 3))).unwrap();
    let group = placement.groups[&GroupId(1)].clone();
    let free = placement.nodes().map(|(id, _)| id).find(|id| group.replicas.iter().all(|r| r.node != *id)).unwrap();
    let kind = JobKind::MoveReplica { group: GroupId(1), from: group.replicas[0].id, to: free };
    let job = ask(&mut placement, submit(kind)).unwrap().unwrap();
    for (from, to) in [(JobStep::Queued, JobStep::PreCopy), (JobStep::PreCopy, JobStep::Activate)] {
        ask(&mut placement, advance(job, from, to)).unwrap();
    }
    assert_eq!(placement.groups[&GroupId(1)].replicas[0], Replica { id: ReplicaId(16), node: free });
}

#[test]
fn jobs_about_what_is_not_there_are_refused() {
    let mut placement = founded();
    let mut refused = |kind| ask(&mut placement, submit(kind)).unwrap_err();
    let slots_job = |from, to| JobKind::MoveSlots { from: GroupId(from), to };
    assert_eq!(refused(slots_job(2, slots(10, 20, 3))), Refused::UnknownSubject, "the slots are group 1's");
    assert_eq!(refused(slots_job(1, slots(10, 20, 1))), Refused::UnknownSubject);
    assert_eq!(refused(slots_job(1, slots(10, 20, 0))), Refused::UnknownSubject);
    assert_eq!(refused(slots_job(1, slots(10, 20, 9))), Refused::UnknownSubject);
    let replica = |from, to| JobKind::MoveReplica { group: GroupId(1), from: ReplicaId(from), to: NodeId(to) };
    assert_eq!(refused(replica(4, 9)), Refused::UnknownNode);
    assert_eq!(refused(replica(4, 2)), Refused::UnknownSubject, "node 2 has a replica already");
    assert_eq!(refused(replica(99, 1)), Refused::UnknownSubject);
    let unknown = advance(JobId(7), JobStep::Queued, JobStep::PreCopy);
    assert_eq!(ask(&mut placement, unknown), Err(Refused::UnknownJob));
}

/// As it was stored before there were stamps.
fn sample_of_format_one() -> Placement {
    let mut placement = founded();
    ask(&mut placement, submit(JobKind::MoveSlots { from: GroupId(1), to: slots(10, 20, 2) })).unwrap();
    placement.stamp = 0;
    placement
}

/// One with everything that can be stored: a node that lost its disk, a drained one, an added group, a replica on its
/// way, one that left, and a job of each kind.
fn sample_with_jobs() -> Placement {
    let mut placement = Placement::default();
    ask(&mut placement, Change::Found(founding(5, 2, 3))).unwrap();
    let disk = DiskId::from_bytes([7; 16]);
    ask(&mut placement, Change::ClaimDisk { node: NodeId(1), disk }).unwrap();
    let first = vec![
        JobKind::Drain { node: NodeId(5) },
        JobKind::ReplaceDisk { node: NodeId(3), disk },
        JobKind::MoveReplica { group: GroupId(1), from: ReplicaId(4), to: NodeId(4) },
        JobKind::AddGroup { nodes: vec![NodeId(4), NodeId(1), NodeId(2)] },
        JobKind::MoveLeader { group: GroupId(2), to: NodeId(4) },
        JobKind::MoveSlots { from: GroupId(1), to: slots(10, 20, 3) },
        JobKind::MoveReplica { group: GroupId(3), from: ReplicaId(11), to: NodeId(3) },
    ];
    let planned_at = Some(placement.stamp);
    ask(&mut placement, Change::Submit { planned_at, jobs: first }).unwrap();
    let last = JobId(7);
    while let Some((job, under_way)) = placement.job_under_way().filter(|(job, _)| *job < last) {
        let steps =
            [JobStep::Done, JobStep::Purge, JobStep::Activate, JobStep::Delta, JobStep::Freeze, JobStep::PreCopy];
        let to = steps.into_iter().find(|to| under_way.step.leads_to(*to, &under_way.kind)).unwrap();
        let from = under_way.step;
        ask(&mut placement, advance(job, from, to)).unwrap();
    }
    ask(&mut placement, advance(last, JobStep::Queued, JobStep::PreCopy)).unwrap();
    placement
}

#[test]
#[ignore = "writes the fixture of a new format"]
fn refresh_fixture() {
    std::fs::write("tests/fixtures/placement-v1-jobs.bin", sample_with_jobs().encode()).unwrap();
}

#[test]
fn placements_of_format_one_stay_readable() {
    let before: &[u8] = include_bytes!("../../tests/fixtures/placement-v1.bin");
    let with_jobs: &[u8] = include_bytes!("../../tests/fixtures/placement-v1-jobs.bin");
    for (stored, expected) in [(before, sample_of_format_one()), (with_jobs, sample_with_jobs())] {
        let read = Placement::decode(&Bytes::copy_from_slice(stored)).unwrap();
        assert_eq!(read, expected);
        assert_eq!(read.encode(), Bytes::copy_from_slice(stored));
    }
}

#[test]
fn a_stamp_grows_with_every_change_and_only_with_one() {
    let mut placement = founded();
    assert_eq!(placement.stamp, 1);
    let register = |address: &str| Change::RegisterNode { node: NodeId(4), address: address.to_owned() };
    for (change, stamp) in [(register("a:1"), 2), (register("a:1"), 2), (register("b:1"), 3), (Change::Abandon, 3)] {
        assert_eq!(ask(&mut placement, change), Ok(None));
        assert_eq!(placement.stamp, stamp);
    }
    let kind = JobKind::MoveSlots { from: GroupId(1), to: slots(10, 20, 2) };
    let outdated = Change::Submit { planned_at: Some(2), jobs: vec![kind.clone()] };
    assert_eq!(ask(&mut placement, outdated), Err(Refused::PlanOutdated));
    assert_eq!(placement.stamp, 3);
    ask(&mut placement, Change::Submit { planned_at: Some(3), jobs: vec![kind] }).unwrap();
    assert_eq!(placement.stamp, 4);
}

#[test]
fn rounds_count_up_and_a_repeated_one_does_not() {
    let mut placement = founded();
    let kind = JobKind::MoveSlots { from: GroupId(1), to: slots(10, 20, 2) };
    let job = ask(&mut placement, submit(kind)).unwrap().unwrap();
    let mut go = |from, round, to| {
        let done = ask(&mut placement, Change::Advance { job, from, round: Some(round), to });
        done.map(|_| placement.jobs[&job].round)
    };
    use JobStep::{Delta, Freeze, PreCopy, Queued};
    assert_eq!(go(Queued, 0, PreCopy), Ok(1));
    assert_eq!(go(PreCopy, 1, PreCopy), Ok(2));
    assert_eq!(go(PreCopy, 1, PreCopy), Ok(2), "the same once more");
    assert_eq!(go(PreCopy, 1, Freeze), Err(Refused::WrongStep), "an order of a round that is over");
    assert_eq!(go(PreCopy, 2, Freeze), Ok(2));
    assert_eq!(go(Freeze, 2, PreCopy), Ok(3), "it took too long");
    assert_eq!(go(PreCopy, 3, Freeze), Ok(3));
    assert_eq!(go(Freeze, 3, Delta), Ok(3));
    assert_eq!(go(Delta, 3, PreCopy), Ok(4));
}

#[test]
fn a_plan_is_queued_whole_or_not_at_all_and_done_in_order() {
    let mut placement = founded();
    let before = placement.clone();
    let to_two = JobKind::MoveSlots { from: GroupId(1), to: slots(10, 20, 2) };
    let back = JobKind::MoveSlots { from: GroupId(2), to: slots(10, 20, 1) };
    let plan = |jobs: &[JobKind]| Change::Submit { planned_at: None, jobs: jobs.to_vec() };
    assert_eq!(ask(&mut placement, plan(&[back.clone(), to_two.clone()])), Err(Refused::UnknownSubject));
    assert_eq!(placement, before);
    assert_eq!(ask(&mut placement, plan(&[to_two, back])), Ok(Some(JobId(1))));
    let early = advance(JobId(2), JobStep::Queued, JobStep::PreCopy);
    assert_eq!(ask(&mut placement, early), Err(Refused::WrongStep));
    ask(&mut placement, advance(JobId(1), JobStep::Queued, JobStep::PreCopy)).unwrap();
    assert_eq!(ask(&mut placement, Change::Abandon), Ok(None));
    let steps: Vec<_> = placement.jobs().map(|(_, job)| job.step).collect();
    assert_eq!(steps, [JobStep::Undo, JobStep::Abandoned], "what was begun is taken back");
    ask(&mut placement, advance(JobId(1), JobStep::Undo, JobStep::Abandoned)).unwrap();
    assert_eq!(placement.job_under_way(), None);
}

#[test]
fn an_abandoned_replica_is_retired_and_its_id_is_not_used_again() {
    let mut placement = Placement::default();
    ask(&mut placement, Change::Found(founding(4, 1, 3))).unwrap();
    let kind = JobKind::MoveReplica { group: GroupId(1), from: ReplicaId(4), to: NodeId(4) };
    let begin = |placement: &mut Placement| {
        let job = ask(placement, submit(kind.clone())).unwrap().unwrap();
        ask(placement, advance(job, JobStep::Queued, JobStep::PreCopy)).unwrap();
        job
    };
    let job = begin(&mut placement);
    let incoming = Replica { id: ReplicaId(7), node: NodeId(4) };
    assert_eq!(placement.incoming(), Some((GroupId(1), incoming)));
    assert_eq!(placement.node_of(GroupId(1), ReplicaId(7)), Some(NodeId(4)));
    ask(&mut placement, Change::Abandon).unwrap();
    ask(&mut placement, advance(job, JobStep::Undo, JobStep::Abandoned)).unwrap();
    assert_eq!(placement.retired(), [Retired { group: GroupId(1), replica: incoming }]);
    begin(&mut placement);
    assert_eq!(placement.incoming().unwrap().1.id, ReplicaId(8));
    ask(&mut placement, Change::Removed(ReplicaId(7))).unwrap();
    assert_eq!(placement.retired(), []);
}

#[test]
fn a_job_that_fits_no_longer_does_not_begin_where_the_one_before_it_was_undone() {
    let mut placement = Placement::default();
    ask(&mut placement, Change::Found(founding(4, 1, 3))).unwrap();
    let group = placement.groups[&GroupId(1)].clone();
    let free = placement.nodes().map(|(id, _)| id).find(|id| !group.is_on(*id)).unwrap();
    let [first, second, _] = group.replicas[..] else { panic!("three replicas") };
    let moved = |from: Replica, to| JobKind::MoveReplica { group: GroupId(1), from: from.id, to };
    let jobs = vec![moved(first, free), moved(second, first.node)];
    let job = ask(&mut placement, Change::Submit { planned_at: None, jobs }).unwrap().unwrap();
    for (from, to) in
        [(JobStep::Queued, JobStep::PreCopy), (JobStep::PreCopy, JobStep::Undo), (JobStep::Undo, JobStep::Abandoned)]
    {
        ask(&mut placement, advance(job, from, to)).unwrap();
    }
    let next = JobId(job.0 + 1);
    let begun = ask(&mut placement, advance(next, JobStep::Queued, JobStep::PreCopy));
    assert_eq!(begun, Err(Refused::UnknownSubject), "that node has its replica still");
    ask(&mut placement, advance(next, JobStep::Queued, JobStep::Abandoned)).unwrap();
    assert_eq!(placement.groups[&GroupId(1)], group);
}

#[test]
fn an_added_group_is_as_founded_until_a_replica_joins_it() {
    let mut placement = Placement::default();
    ask(&mut placement, Change::Found(founding(4, 1, 3))).unwrap();
    let jobs = [
        JobKind::MoveReplica { group: GroupId(1), from: ReplicaId(4), to: NodeId(4) },
        JobKind::AddGroup { nodes: vec![NodeId(1), NodeId(2), NodeId(3)] },
    ];
    jobs.iter().for_each(|job| placement.do_at_once(job).unwrap());
    let as_founded = |id| placement.is_as_founded(placement.group(GroupId(id)).unwrap());
    assert_eq!([0, 1, 2].map(as_founded), [true, false, true]);
    for odd in [vec![], vec![NodeId(1), NodeId(2)], vec![NodeId(1); 3], vec![NodeId(9)]] {
        assert_eq!(placement.do_at_once(&JobKind::AddGroup { nodes: odd }), Err(Refused::UnknownSubject));
    }
}

proptest! {
    #[test]
    fn a_placement_reads_back(nodes in 1_u32..8, groups in 1_u32..20, one: bool) {
        let replicas = if one || nodes < 3 { 1 } else { 3 };
        let mut placement = Placement::default();
        ask(&mut placement, Change::Found(founding(nodes, groups, replicas))).unwrap();
        prop_assert_eq!(Placement::decode(&placement.encode()), Ok(placement));
    }

    #[test]
    fn apply_is_total_and_a_refusal_changes_nothing(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
        let framed = Bytes::from([&[1_u8][..], &bytes[..]].concat());
        for command in [Bytes::from(bytes), framed] {
            let mut placement = founded();
            let before = placement.clone();
            if let MetaReply::Refused(_) = MetaReply::decode(&placement.apply(&command)).unwrap() {
                prop_assert_eq!(placement, before);
            }
        }
    }
}
