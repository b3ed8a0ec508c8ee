//! Every plan, carried out as the meta group does, ends in the state that it promises.

use std::collections::BTreeSet;

use proptest::prelude::*;
use renkei_ids::ReplicaId;

use super::*;
use crate::{Change, Founding, JobStep, MetaReply};

fn ask(placement: &mut Placement, change: Change) -> Result<u64, Refused> {
    match MetaReply::decode(&placement.apply(&change.encode())).unwrap() {
        MetaReply::Done { stamp, .. } => Ok(stamp),
        MetaReply::Refused(refused) => Err(refused),
    }
}

fn founded(nodes: u32, groups: u32, replicas: u32) -> Placement {
    let nodes = (1..=nodes).map(|n| (NodeId(n), format!("127.0.0.1:{n}"))).collect();
    let mut placement = Placement::default();
    ask(&mut placement, Change::Found(Founding { nodes, groups, replicas })).unwrap();
    placement
}

/// Carries a plan out through the changes that a controller proposes, and holds every placement on the way to what must
/// always be so.
fn carried_out(placement: &Placement, jobs: &[JobKind]) -> Placement {
    let mut placement = placement.clone();
    if jobs.is_empty() {
        return placement;
    }
    let planned_at = Some(placement.stamp());
    ask(&mut placement, Change::Submit { planned_at, jobs: jobs.to_vec() }).unwrap();
    while let Some((job, under_way)) = placement.job_under_way() {
        let (from, kind) = (under_way.step, under_way.kind.clone());
        let steps =
            [JobStep::Done, JobStep::Purge, JobStep::Activate, JobStep::Delta, JobStep::Freeze, JobStep::PreCopy];
        let to = steps.into_iter().find(|to| from.leads_to(*to, &kind)).unwrap();
        let before = placement.stamp();
        assert_eq!(ask(&mut placement, Change::Advance { job, from, round: None, to }), Ok(before + 1));
        holds_always(&placement);
    }
    placement
}

fn holds_always(placement: &Placement) {
    for (id, group) in placement.groups() {
        let nodes: BTreeSet<_> = group.replicas.iter().map(|replica| replica.node).collect();
        assert_eq!(nodes.len(), group.replicas.len(), "replicas of group {id} share a node");
    }
    let mut ids: Vec<ReplicaId> =
        placement.groups().flat_map(|(_, group)| group.replicas.iter().map(|replica| replica.id)).collect();
    ids.extend(placement.retired().iter().map(|retired| retired.replica.id));
    ids.extend(placement.incoming().map(|(_, replica)| replica.id));
    let distinct: BTreeSet<_> = ids.iter().collect();
    assert_eq!(distinct.len(), ids.len(), "an id is used twice");
}

fn replica_moves(jobs: &[JobKind]) -> usize {
    jobs.iter().filter(|job| matches!(job, JobKind::MoveReplica { .. })).count()
}

/// Above what each should have: the least that has to move for even loads.
fn surplus(sizes: Vec<usize>) -> usize {
    let targets = even_targets(sizes.clone());
    sizes.iter().zip(targets).map(|(size, target)| size.saturating_sub(target)).sum()
}

/// A cloud after some operators' doing.
fn any_placement() -> impl Strategy<Value = Placement> {
    (3_u32..8, 1_u32..20, any::<bool>(), 0_u32..3, proptest::collection::vec((0_u32..64, any::<u32>()), 0..6)).prop_map(
        |(nodes, groups, one, added, doings)| {
            let mut placement = founded(nodes, groups, if one { 1 } else { 3 });
            for node in nodes + 1..=nodes + added {
                ask(&mut placement, Change::RegisterNode { node: NodeId(node), address: format!("n{node}:1") })
                    .unwrap();
            }
            for (what, which) in doings {
                let node = NodeId(which % (nodes + added) + 1);
                let plan = match what % 4 {
                    0 => drain(&placement, node),
                    1 => rebalance(&placement, &BTreeMap::new()),
                    2 => grow(&placement, groups + which % 5),
                    _ => replace(&placement, node, NodeId(what % (nodes + added) + 1)),
                };
                if let Ok(plan) = plan {
                    placement = carried_out(&placement, &plan);
                }
            }
            placement
        },
    )
}

#[test]
fn growing_from_4_to_16_groups_moves_three_quarters_of_the_slots_once() {
    let placement = founded(3, 4, 3);
    let plan = grow(&placement, 16).unwrap();
    let after = carried_out(&placement, &plan);
    let added = plan.iter().filter(|job| matches!(job, JobKind::AddGroup { .. })).count();
    assert_eq!((added, plan.len()), (12, 24), "one run of slots for each new group");
    let (epoch, map) = after.slots().unwrap();
    assert_eq!(epoch.0, 25, "one for each group and each move");
    for group in 1..=16 {
        assert_eq!(Slot::all().filter(|slot| map.group_of(*slot) == GroupId(group)).count(), 256);
    }
    let leads = firsts(&after);
    assert!(leads.values().max().unwrap() - leads.values().min().unwrap() <= 1, "{leads:?}");
}

#[test]
fn a_lost_disk_is_replaced_on_its_own_node_under_new_ids() {
    let mut placement = founded(3, 4, 3);
    let (old, new) = (DiskId::from_bytes([1; 16]), DiskId::from_bytes([2; 16]));
    let node = NodeId(3);
    ask(&mut placement, Change::ClaimDisk { node, disk: old }).unwrap();
    assert_eq!(ask(&mut placement, Change::ClaimDisk { node, disk: new }), Err(Refused::OtherDisk));
    assert_eq!(replace_disk(&placement, node, old), Err(Refused::OtherDisk));
    let hosted = placement.hosted_on(node);
    let after = carried_out(&placement, &replace_disk(&placement, node, new).unwrap());
    let now = after.hosted_on(node);
    assert_eq!((now.len(), after.retired().len()), (hosted.len(), 0), "what was on the lost disk needs no removal");
    assert!(now.iter().all(|(_, replica)| hosted.iter().all(|(_, old)| old.id < replica.id)));
    assert_eq!(after.node(node).unwrap().disk, Some(new));
}

#[test]
fn what_cannot_be_carried_out_is_refused() {
    let placement = founded(3, 4, 3);
    assert_eq!(drain(&placement, NodeId(2)), Err(Refused::NowhereToGo), "three nodes for three replicas");
    assert_eq!(drain(&placement, NodeId(9)), Err(Refused::UnknownNode));
    assert_eq!(replace(&placement, NodeId(2), NodeId(3)), Err(Refused::NowhereToGo));
    assert_eq!(replace(&placement, NodeId(2), NodeId(9)), Err(Refused::UnknownNode));
    assert_eq!(grow(&placement, 3), Err(Refused::LimitReached));
    assert_eq!(grow(&placement, 65), Err(Refused::LimitReached));
    assert_eq!(grow(&Placement::default(), 4), Err(Refused::NotFounded));
}

#[test]
fn a_leader_that_is_elsewhere_than_it_should_be_is_moved_back() {
    let placement = founded(3, 3, 3);
    assert_eq!(rebalance(&placement, &BTreeMap::new()), Ok(vec![]), "a founding is even");
    let leaders = BTreeMap::from([(GroupId(1), NodeId(2)), (GroupId(2), NodeId(2))]);
    let back = JobKind::MoveLeader { group: GroupId(1), to: NodeId(1) };
    assert_eq!(rebalance(&placement, &leaders), Ok(vec![back]));
}

proptest! {
    #[test]
    fn a_drained_node_hosts_nothing_and_no_other_replica_moves(placement in any_placement(), pick: prop::sample::Index) {
        let nodes: Vec<NodeId> = placement.nodes().map(|(id, _)| id).collect();
        let node = *pick.get(&nodes);
        let hosted = placement.hosted_on(node).len();
        match drain(&placement, node) {
            Ok(plan) => {
                prop_assert_eq!(replica_moves(&plan), hosted);
                let after = carried_out(&placement, &plan);
                prop_assert_eq!(after.hosted_on(node), vec![]);
                prop_assert!(after.node(node).unwrap().drained);
                // What left is remembered until its node says that it is removed.
                prop_assert_eq!(after.retired().len(), placement.retired().len() + hosted);
            }
            Err(refused) => {
                prop_assert_eq!(refused, Refused::NowhereToGo);
                let open = placement.nodes().filter(|(id, open)| *id != node && !open.drained).count();
                let most = placement.groups().map(|(_, group)| group.replicas.len()).max().unwrap();
                // There is a way whenever there are as many open nodes as a group has replicas.
                prop_assert!(open < most);
            }
        }
    }

    #[test]
    fn a_rebalanced_cloud_is_even_and_no_more_moved_than_had_to(placement in any_placement()) {
        let plan = rebalance(&placement, &BTreeMap::new()).unwrap();
        let before = loads(&placement);
        prop_assert_eq!(replica_moves(&plan), surplus(before.into_values().collect()));
        let after = carried_out(&placement, &plan);
        let loads = loads(&after);
        if let (Some(most), Some(fewest)) = (loads.values().max(), loads.values().min()) {
            prop_assert!(most - fewest <= 1, "{loads:?}");
        }
        // Leaders cannot be more even: nobody has a group that a node with two fewer could lead.
        let leads = firsts(&after);
        for (_, group) in after.groups() {
            let first = leads.get(&group.replicas[0].node).copied().unwrap_or(0);
            for replica in &group.replicas[1..] {
                prop_assert!(leads.get(&replica.node).is_none_or(|other| other + 2 > first), "{leads:?}");
            }
        }
        prop_assert_eq!(rebalance(&after, &BTreeMap::new()), Ok(vec![]), "twice does nothing");
    }

    #[test]
    fn a_grown_cloud_has_even_slots_and_none_moved_twice(placement in any_placement(), more in 0_u32..8) {
        let groups = u32::try_from(placement.shard_groups().count()).unwrap() + more;
        let sizes = |placement: &Placement| -> Vec<usize> {
            let (_, map) = placement.slots().unwrap();
            let of = |id| Slot::all().filter(|slot| map.group_of(*slot) == id).count();
            (1..=groups).map(|id| of(GroupId(id))).collect()
        };
        match grow(&placement, groups) {
            Ok(plan) => {
                let moved: usize = plan.iter().map(|job| match job {
                    JobKind::MoveSlots { to, .. } => usize::from(to.last.get() - to.first.get()) + 1,
                    _ => 0,
                }).sum();
                prop_assert_eq!(moved, surplus(sizes(&placement)));
                let after = carried_out(&placement, &plan);
                let sizes = sizes(&after);
                prop_assert!(sizes.iter().max().unwrap() - sizes.iter().min().unwrap() <= 1, "{sizes:?}");
                prop_assert_eq!(after.shard_groups().count(), groups as usize);
            }
            Err(refused) => prop_assert!(matches!(refused, Refused::NowhereToGo | Refused::LimitReached)),
        }
    }

    #[test]
    fn a_replaced_node_hosts_nothing_and_its_successor_all_of_it(placement in any_placement(), pick: prop::sample::Index) {
        let mut placement = placement;
        let nodes: Vec<NodeId> = placement.nodes().map(|(id, _)| id).collect();
        let (dead, by) = (*pick.get(&nodes), NodeId(60));
        ask(&mut placement, Change::RegisterNode { node: by, address: "n60:1".to_owned() }).unwrap();
        let hosted = placement.hosted_on(dead).len();
        let after = carried_out(&placement, &replace(&placement, dead, by).unwrap());
        prop_assert_eq!((after.hosted_on(dead).len(), after.hosted_on(by).len()), (0, hosted));
    }
}
