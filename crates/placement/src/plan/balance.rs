//! Even loads: replicas first, then leaders.

use std::collections::{BTreeMap, VecDeque};

use renkei_ids::{GroupId, NodeId};

use super::{Plan, firsts, loads};
use crate::job::JobKind;
use crate::refused::Refused;
use crate::state::Placement;

/// Evens out how many replicas each node hosts that is not drained, to a difference of one at most, and how many groups
/// each leads, as far as their replicas allow. As few replicas move as can: what nodes have above their share.
/// `leaders` are those known to lead now: a group that is led from elsewhere than it should be is moved back.
///
/// # Errors
/// [`Refused::NotFounded`].
pub fn rebalance(placement: &Placement, leaders: &BTreeMap<GroupId, NodeId>) -> Result<Vec<JobKind>, Refused> {
    let mut plan = Plan::of(placement)?;
    while let Some(job) = one_move(&plan.after) {
        plan.add(job)?;
    }
    let mut should = should_lead(&plan.after);
    while shift(&plan.after, &mut should) {}
    for (group, to) in should {
        let first = plan.after.group(group).and_then(|group| group.replicas.first()).map(|first| first.node);
        let moved = placement.group(group) != plan.after.group(group);
        let elsewhere = !moved && leaders.get(&group).is_some_and(|leader| *leader != to);
        if first != Some(to) || elsewhere {
            plan.add(JobKind::MoveLeader { group, to })?;
        }
    }
    Ok(plan.jobs)
}

/// From the node with most replicas to the one with fewest, while they differ by two or more. A group that the first has
/// and the second has not then exists; one that is not led from there is preferred, for it moves without a new leader.
fn one_move(placement: &Placement) -> Option<JobKind> {
    let loads = loads(placement);
    let (from, most) = loads.iter().max_by_key(|(node, load)| (**load, std::cmp::Reverse(**node)))?;
    let (to, fewest) = loads.iter().min_by_key(|(node, load)| (**load, **node))?;
    if most - fewest < 2 {
        return None;
    }
    let movable = placement.groups().filter(|(_, group)| group.is_on(*from) && !group.is_on(*to));
    let leads = |group: &crate::Group| group.replicas.first().is_some_and(|first| first.node == *from);
    let (id, group) = movable.min_by_key(|(id, group)| (leads(group), std::cmp::Reverse(*id)))?;
    Some(JobKind::MoveReplica { group: id, from: group.on(*from)?.id, to: *to })
}

fn should_lead(placement: &Placement) -> BTreeMap<GroupId, NodeId> {
    placement.groups().filter_map(|(id, group)| Some((id, group.replicas.first()?.node))).collect()
}

/// Takes one leader off the node with most by handing groups on from node to node, to one with two fewer or less; gives
/// whether there was such a way. Without one the leaders are as even as the replicas allow.
fn shift(placement: &Placement, should: &mut BTreeMap<GroupId, NodeId>) -> bool {
    let mut counts: BTreeMap<NodeId, usize> = firsts(placement).into_keys().map(|node| (node, 0)).collect();
    for node in should.values() {
        // A drained node leads what it still hosts; it is no place to hand a group to.
        if let Some(count) = counts.get_mut(node) {
            *count += 1;
        }
    }
    let mut starts: Vec<NodeId> = counts.keys().copied().collect();
    starts.sort_by_key(|node| (std::cmp::Reverse(counts[node]), *node));
    starts.into_iter().any(|start| {
        let Some(way) = way(placement, should, &counts, start) else { return false };
        should.extend(way);
        true
    })
}

/// The shortest way of handing groups on from `start` to a node that leads two fewer or less.
fn way(
    placement: &Placement,
    should: &BTreeMap<GroupId, NodeId>,
    counts: &BTreeMap<NodeId, usize>,
    start: NodeId,
) -> Option<Vec<(GroupId, NodeId)>> {
    let mut came: BTreeMap<NodeId, (GroupId, NodeId)> = BTreeMap::new();
    let mut queue = VecDeque::from([start]);
    while let Some(at) = queue.pop_front() {
        if counts[&at] + 2 <= counts[&start] {
            let mut way = Vec::new();
            let mut node = at;
            while let Some((group, from)) = came.get(&node) {
                way.push((*group, node));
                node = *from;
            }
            return Some(way);
        }
        for (group, _) in should.iter().filter(|(_, leader)| **leader == at) {
            let replicas = placement.group(*group).into_iter().flat_map(|group| &group.replicas);
            for node in replicas.map(|replica| replica.node) {
                if node != start && counts.contains_key(&node) && !came.contains_key(&node) {
                    came.insert(node, (*group, at));
                    queue.push_back(node);
                }
            }
        }
    }
    None
}
