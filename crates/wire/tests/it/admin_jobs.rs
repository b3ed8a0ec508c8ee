//! Messages about placement jobs: there and back, and refused at their edges.

use renkei_ids::NodeId;
use renkei_placement::{Change, Founding, Placement};
use renkei_wire::admin::{
    AddNodeRequest, ChangeMembersRequest, ClaimDiskRequest, FollowReply, FollowRequest, JobsReply, PlacementReply,
    PlacementRequest, SubmitReply, SubmitRequest, TransferLeaderRequest,
};
use renkei_wire::limits::ADMIN_MAX_NODES;
use renkei_wire::pb::admin::v1 as pb;

/// One job of each kind.
pub(crate) fn jobs() -> Vec<pb::Job> {
    use pb::job::Kind;
    let kinds = [
        Kind::Slots(pb::MoveSlots { from: 1, to: 2, first: 0, last: 4_095 }),
        Kind::Replica(pb::ReplicaJob { group: 0, from: 7, to: 4 }),
        Kind::Leader(pb::MoveLeader { group: 3, to: 1 }),
        Kind::Group(pb::GroupJob { nodes: vec![1, 2, 3] }),
        Kind::Disk(pb::DiskJob { node: 3, disk: vec![9; 16].into() }),
        Kind::Drain(pb::DrainNode { node: 3 }),
    ];
    let steps = [pb::JobStep::Done, pb::JobStep::PreCopy, pb::JobStep::Queued];
    let job =
        |(kind, (id, step)): (Kind, (u64, pb::JobStep))| pb::Job { id, step: step.into(), round: 2, kind: Some(kind) };
    kinds.into_iter().zip((1..).zip(steps.into_iter().cycle())).map(job).collect()
}

fn placement() -> Placement {
    let mut placement = Placement::default();
    let founding = Founding { nodes: vec![(NodeId(1), "a:1".to_owned())], groups: 2, replicas: 1 };
    placement.apply(&Change::Found(founding).encode());
    placement
}

#[test]
fn jobs_read_back_and_are_refused_at_their_edges() {
    let progress = pb::JobProgress { done: 3, of: 5, waits_for: "a node".to_owned() };
    let message = pb::JobsReply { stamp: 4, jobs: jobs(), progress: Some(progress) };
    let read = JobsReply::try_from(message.clone()).expect("it is valid");
    assert_eq!(pb::JobsReply::from(read), message);
    type Plant = fn(&mut Vec<pb::Job>);
    let plants: [(&str, Plant); 12] = [
        ("number", |jobs| jobs[0].id = 0),
        ("no step", |jobs| jobs[0].step = 0),
        ("unknown step", |jobs| jobs[0].step = 10),
        ("no kind", |jobs| jobs[0].kind = None),
        ("slot", |jobs| {
            jobs[0].kind = Some(pb::job::Kind::Slots(pb::MoveSlots { from: 1, to: 2, first: 0, last: 4_096 }))
        }),
        ("backward", |jobs| {
            jobs[0].kind = Some(pb::job::Kind::Slots(pb::MoveSlots { from: 1, to: 2, first: 2, last: 1 }))
        }),
        ("to meta", |jobs| {
            jobs[0].kind = Some(pb::job::Kind::Slots(pb::MoveSlots { from: 1, to: 0, first: 1, last: 2 }))
        }),
        ("replica", |jobs| jobs[1].kind = Some(pb::job::Kind::Replica(pb::ReplicaJob { group: 0, from: 0, to: 4 }))),
        ("leader", |jobs| jobs[2].kind = Some(pb::job::Kind::Leader(pb::MoveLeader { group: 0, to: 0 }))),
        ("no nodes", |jobs| jobs[3].kind = Some(pb::job::Kind::Group(pb::GroupJob { nodes: vec![] }))),
        ("disk", |jobs| jobs[4].kind = Some(pb::job::Kind::Disk(pb::DiskJob { node: 3, disk: vec![9; 17].into() }))),
        ("drained", |jobs| jobs[5].kind = Some(pb::job::Kind::Drain(pb::DrainNode { node: 0 }))),
    ];
    for (name, plant) in plants {
        let mut planted = message.clone();
        plant(&mut planted.jobs);
        assert!(JobsReply::try_from(planted).is_err(), "{name}");
    }
    let mut words = message;
    words.progress.as_mut().expect("it has one").waits_for = "x".repeat(513);
    assert!(JobsReply::try_from(words).is_err());
}

#[test]
fn plans_read_back_and_are_refused_at_their_edges() {
    use pb::submit_request::Plan;
    let plans = [
        Plan::MoveReplica(pb::MoveReplica { group: 0, from: 1, to: 4 }),
        Plan::MoveLeader(pb::MoveLeader { group: 2, to: 1 }),
        Plan::Drain(pb::DrainNode { node: 2 }),
        Plan::Replace(pb::ReplaceNode { node: 3, by: None }),
        Plan::Replace(pb::ReplaceNode { node: 3, by: Some(4) }),
        Plan::Rebalance(pb::Rebalance {}),
        Plan::Grow(pb::Grow { groups: 64 }),
        Plan::MoveSlots(pb::MoveSlots { from: 1, to: 2, first: 5, last: 5 }),
    ];
    for plan in plans {
        let message = pb::SubmitRequest { plan: Some(plan) };
        let read = SubmitRequest::try_from(message).expect("it is valid");
        assert_eq!(pb::SubmitRequest::from(read), message);
    }
    let odd = [
        Plan::MoveReplica(pb::MoveReplica { group: 0, from: 0, to: 4 }),
        Plan::MoveReplica(pb::MoveReplica { group: 0, from: 1, to: 0 }),
        Plan::MoveLeader(pb::MoveLeader { group: 2, to: 0 }),
        Plan::Drain(pb::DrainNode { node: 0 }),
        Plan::Replace(pb::ReplaceNode { node: 3, by: Some(0) }),
        Plan::Grow(pb::Grow { groups: 0 }),
        Plan::Grow(pb::Grow { groups: 65 }),
        Plan::MoveSlots(pb::MoveSlots { from: 1, to: 2, first: 6, last: 5 }),
    ];
    for plan in odd.into_iter().map(Some).chain([None]) {
        assert!(SubmitRequest::try_from(pb::SubmitRequest { plan }).is_err(), "{plan:?}");
    }
    for (first, jobs, valid) in [(0, 0, true), (3, 2, true), (0, 1, false), (1, 0, false)] {
        assert_eq!(SubmitReply::try_from(pb::SubmitReply { first, jobs }).is_ok(), valid);
    }
    assert!(AddNodeRequest::try_from(pb::AddNodeRequest { node: None }).is_err());
    let node = pb::NodeAt { node: 4, address: "10.0.0.4:7001".to_owned() };
    let added = pb::AddNodeRequest { node: Some(node) };
    assert_eq!(pb::AddNodeRequest::from(AddNodeRequest::try_from(added.clone()).expect("it is valid")), added);
}

#[test]
fn placements_travel_whole() {
    let request = pb::PlacementRequest { stamp: 3, epoch: 1 };
    assert_eq!(pb::PlacementRequest::from(PlacementRequest::from(request)), request);
    for placement in [None, Some(placement())] {
        let message = pb::PlacementReply::from(PlacementReply { placement: placement.clone() });
        assert_eq!(PlacementReply::try_from(message).map(|reply| reply.placement), Ok(placement));
    }
    assert!(PlacementReply::try_from(pb::PlacementReply { placement: vec![1, 0xFF].into() }).is_err());
    let message = pb::FollowRequest::from(FollowRequest { placement: placement() });
    assert_eq!(FollowRequest::try_from(message).map(|request| request.placement), Ok(placement()));
    assert!(FollowRequest::try_from(pb::FollowRequest { placement: vec![].into() }).is_err());
    for (len, valid) in [(16, true), (15, false), (17, false)] {
        let message = pb::FollowReply { stamp: 2, disk: vec![1; len].into(), replicas: vec![] };
        assert_eq!(FollowReply::try_from(message).is_ok(), valid);
        let message = pb::ClaimDiskRequest { node: 1, disk: vec![1; len].into() };
        assert_eq!(ClaimDiskRequest::try_from(message).is_ok(), valid);
    }
    assert!(ClaimDiskRequest::try_from(pb::ClaimDiskRequest { node: 0, disk: vec![1; 16].into() }).is_err());
}

#[test]
fn orders_read_back_and_are_refused_at_their_edges() {
    let member = |replica, node| pb::Member { replica, node };
    let order = |voters: Vec<pb::Member>, learners: Vec<pb::Member>| pb::ChangeMembersRequest {
        group: 0,
        stamp: 4,
        membership: 9,
        voters,
        learners,
    };
    let message = order(vec![member(1, 1), member(2, 2)], vec![member(9, 4)]);
    let read = ChangeMembersRequest::try_from(message.clone()).expect("it is valid");
    assert_eq!(pb::ChangeMembersRequest::from(read), message);
    let many = vec![member(1, 1); ADMIN_MAX_NODES + 1];
    let voter = || vec![member(1, 1)];
    for odd in [
        order(vec![], vec![]),
        order(many.clone(), vec![]),
        order(voter(), many),
        order(vec![member(0, 1)], vec![]),
        order(voter(), vec![member(1, 0)]),
    ] {
        assert!(ChangeMembersRequest::try_from(odd).is_err());
    }
    let message = pb::TransferLeaderRequest { group: 0, stamp: 2, to: 3 };
    let read = TransferLeaderRequest::try_from(message).expect("it is valid");
    assert_eq!(pb::TransferLeaderRequest::from(read), message);
    assert!(TransferLeaderRequest::try_from(pb::TransferLeaderRequest { to: 0, ..message }).is_err());
}
