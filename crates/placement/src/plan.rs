//! What an operator asks for, as jobs: pure functions of the placement.
//!
//! Each plan, carried out in order, ends in the state that it promises, keeps the replicas of each group on different
//! nodes at every step, and moves no more than it must.

mod balance;

use std::collections::BTreeMap;

use renkei_ids::{DiskId, GroupId, NodeId, Slot};

use crate::group::{GROUPS_MAX, Node};
use crate::job::JobKind;
use crate::refused::Refused;
use crate::slot_map::SlotRange;
use crate::state::Placement;

pub use balance::rebalance;

/// Has a node host nothing: each of its replicas goes to the node that hosts least among those that may take it.
///
/// # Errors
/// [`Refused::UnknownNode`]; [`Refused::NowhereToGo`] where every other node is drained or hosts the group already.
pub fn drain(placement: &Placement, node: NodeId) -> Result<Vec<JobKind>, Refused> {
    let mut plan = Plan::of(placement)?;
    plan.add(JobKind::Drain { node })?;
    for (group, from) in placement.hosted_members(node) {
        let to = plan.least_loaded(group).ok_or(Refused::NowhereToGo)?;
        plan.add(JobKind::MoveReplica { group, from, to })?;
    }
    Ok(plan.jobs)
}

/// Has one node take over everything of another one, which is dead and gets nothing any more.
///
/// # Errors
/// [`Refused::UnknownNode`]; [`Refused::NowhereToGo`] where the new node is drained or hosts one of the groups already.
pub fn replace(placement: &Placement, dead: NodeId, by: NodeId) -> Result<Vec<JobKind>, Refused> {
    let mut plan = Plan::of(placement)?;
    plan.add(JobKind::Drain { node: dead })?;
    for (group, from) in placement.hosted_members(dead) {
        if placement.group(group).is_some_and(|group| group.is_on(by)) {
            return Err(Refused::NowhereToGo);
        }
        plan.add(JobKind::MoveReplica { group, from, to: by })?;
    }
    Ok(plan.jobs)
}

/// Has a node that lost its disk host again, under new ids, what it hosted before.
///
/// # Errors
/// [`Refused::UnknownNode`]; [`Refused::OtherDisk`] where the disk is the one that the node has claimed.
pub fn replace_disk(placement: &Placement, node: NodeId, disk: DiskId) -> Result<Vec<JobKind>, Refused> {
    let mut plan = Plan::of(placement)?;
    plan.add(JobKind::ReplaceDisk { node, disk })?;
    for (group, from) in placement.hosted_members(node) {
        plan.add(JobKind::MoveReplica { group, from, to: node })?;
    }
    Ok(plan.jobs)
}

/// Brings the number of shard groups to `groups` and gives each an even share of the slots. No slot moves twice, and as
/// few move as can: what groups have above their new share.
///
/// # Errors
/// [`Refused::LimitReached`] for fewer groups than there are, or too many; [`Refused::NowhereToGo`] for too few nodes.
pub fn grow(placement: &Placement, groups: u32) -> Result<Vec<JobKind>, Refused> {
    let mut plan = Plan::of(placement)?;
    let old = u32::try_from(placement.shard_groups().count()).map_err(|_| Refused::LimitReached)?;
    if groups < old || groups as usize > GROUPS_MAX {
        return Err(Refused::LimitReached);
    }
    let replicas = placement.shard_groups().map(|(_, group)| group.replicas.len()).max().unwrap_or(1);
    for _ in old..groups {
        let nodes = new_group(&plan.after, replicas).ok_or(Refused::NowhereToGo)?;
        plan.add(JobKind::AddGroup { nodes })?;
    }
    for job in even_slots(&plan.after) {
        plan.add(job)?;
    }
    Ok(plan.jobs)
}

/// One move for each run of slots that has to go for every group to have an even share.
fn even_slots(placement: &Placement) -> Vec<JobKind> {
    let Some((_, map)) = placement.slots() else { return Vec::new() };
    let mut shares: Vec<(GroupId, Vec<Slot>)> = placement
        .shard_groups()
        .map(|(id, _)| (id, Slot::all().filter(|slot| map.group_of(*slot) == id).collect()))
        .collect();
    let targets = even_targets(shares.iter().map(|(_, slots)| slots.len()).collect());
    // From the end of a group's slots, so that what stays is as whole as it was.
    let mut surplus: Vec<(GroupId, Slot)> = Vec::new();
    for ((group, slots), target) in shares.iter_mut().zip(&targets) {
        let group = *group;
        let kept = slots.len().min(*target);
        surplus.extend(slots.drain(kept..).map(|slot| (group, slot)));
    }
    let needy = shares
        .iter()
        .zip(&targets)
        .flat_map(|((group, slots), target)| std::iter::repeat_n(*group, target.saturating_sub(slots.len())));
    let mut jobs: Vec<(GroupId, SlotRange)> = Vec::new();
    for ((from, slot), group) in surplus.into_iter().zip(needy) {
        match jobs.last_mut() {
            Some((of, range))
                if *of == from && range.group == group && u32::from(range.last.get()) + 1 == u32::from(slot.get()) =>
            {
                range.last = slot;
            }
            _ => jobs.push((from, SlotRange { first: slot, last: slot, group })),
        }
    }
    jobs.into_iter().map(|(from, to)| JobKind::MoveSlots { from, to }).collect()
}

/// What each should have, in the same order: sizes that differ by one at most and are as near to those now as can be.
fn even_targets(sizes: Vec<usize>) -> Vec<usize> {
    if sizes.is_empty() {
        return sizes;
    }
    let total: usize = sizes.iter().sum();
    let (share, mut more) = (total / sizes.len(), total % sizes.len());
    let mut by_size: Vec<usize> = (0..sizes.len()).collect();
    by_size.sort_by_key(|place| std::cmp::Reverse(sizes[*place]));
    let mut targets = vec![share; sizes.len()];
    for place in by_size {
        if more > 0 {
            targets[place] += 1;
            more -= 1;
        }
    }
    targets
}

/// Where the replicas of a new group lie: on the nodes that host least, led from the one that leads least. `None` for too
/// few nodes.
fn new_group(placement: &Placement, replicas: usize) -> Option<Vec<NodeId>> {
    let (hosts, leads) = (loads(placement), firsts(placement));
    let mut nodes: Vec<NodeId> = hosts.keys().copied().collect();
    nodes.sort_by_key(|node| (hosts[node], leads[node], *node));
    nodes.truncate(replicas);
    let first = (0..nodes.len()).min_by_key(|place| (leads[&nodes[*place]], *place))?;
    nodes.swap(0, first);
    (nodes.len() == replicas).then_some(nodes)
}

/// Replicas on each node that may take more.
fn loads(placement: &Placement) -> BTreeMap<NodeId, usize> {
    let open = placement.nodes().filter(|(_, node)| takes_more(node));
    open.map(|(id, _)| (id, placement.hosted_members(id).len())).collect()
}

/// Groups that each node that may take more should lead.
fn firsts(placement: &Placement) -> BTreeMap<NodeId, usize> {
    let led_from = |(_, group): &(GroupId, &crate::Group)| group.replicas.first().map(|first| first.node);
    let leads = |id| placement.groups().filter(|group| led_from(group) == Some(id)).count();
    loads(placement).into_keys().map(|id| (id, leads(id))).collect()
}

fn takes_more(node: &Node) -> bool {
    !node.drained
}

impl Placement {
    fn hosted_members(&self, node: NodeId) -> Vec<(GroupId, renkei_ids::ReplicaId)> {
        self.groups().filter_map(|(id, group)| Some((id, group.on(node)?.id))).collect()
    }

    fn shard_groups(&self) -> impl Iterator<Item = (GroupId, &crate::Group)> {
        self.groups().filter(|(id, _)| *id != GroupId::META)
    }
}

/// Jobs, and what the placement is behind them.
struct Plan {
    after: Placement,
    jobs: Vec<JobKind>,
}

impl Plan {
    fn of(placement: &Placement) -> Result<Self, Refused> {
        match placement.slots() {
            Some(_) => Ok(Self { after: placement.clone(), jobs: Vec::new() }),
            None => Err(Refused::NotFounded),
        }
    }

    fn add(&mut self, job: JobKind) -> Result<(), Refused> {
        self.after.do_at_once(&job)?;
        self.jobs.push(job);
        Ok(())
    }

    /// The node that hosts least of those that may take a replica of a group.
    fn least_loaded(&self, group: GroupId) -> Option<NodeId> {
        let group = self.after.group(group)?;
        let may = loads(&self.after).into_iter().filter(|(node, _)| !group.is_on(*node));
        may.min_by_key(|(node, load)| (*load, *node)).map(|(node, _)| node)
    }
}

#[cfg(test)]
mod tests;
