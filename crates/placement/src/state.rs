//! The meta group's state, and what each change does to it.

mod jobs;
mod stored;

use std::collections::BTreeMap;

use bytes::Bytes;
use renkei_ids::{DiskId, GroupId, NodeId, ReplicaId, SlotEpoch};

use crate::command::{Change, MetaReply};
use crate::founding::{Founding, spread};
use crate::group::{Group, NODES_MAX, Node, Replica, Retired};
use crate::job::{Job, JobId, JobKind, JobStep};
use crate::refused::Refused;
use crate::slot_map::SlotMap;

pub use stored::InvalidPlacement;

/// The whole placement of a cloud.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Placement {
    stamp: u64,
    epoch: SlotEpoch,
    min_version: u32,
    nodes: BTreeMap<NodeId, Node>,
    groups: BTreeMap<GroupId, Group>,
    slots: Option<SlotMap>,
    last_replica: u64,
    /// Replicas up to this id were there when the cloud was founded.
    founders: u64,
    jobs: BTreeMap<JobId, Job>,
    last_job: u64,
    /// Oldest first.
    retired: Vec<Retired>,
}

impl Placement {
    /// Grows with every change: of two placements of a cloud the one with the larger stamp is the newer, and an order
    /// that carries a smaller stamp than another was given before it. 0 before the founding, and in a placement that was
    /// stored before there were stamps.
    pub fn stamp(&self) -> u64 {
        self.stamp
    }

    /// Whether this placement is newer than another of the same cloud.
    pub fn is_newer_than(&self, other: &Self) -> bool {
        (self.stamp, self.epoch) > (other.stamp, other.epoch)
    }

    /// The slot map and its epoch, which grows with whatever callers route by: slots, replicas and their order,
    /// addresses. `None` before the founding.
    pub fn slots(&self) -> Option<(SlotEpoch, &SlotMap)> {
        self.slots.as_ref().map(|slots| (self.epoch, slots))
    }

    /// Every group, the meta group first.
    pub fn groups(&self) -> impl Iterator<Item = (GroupId, &Group)> {
        self.groups.iter().map(|(id, group)| (*id, group))
    }

    /// One group.
    pub fn group(&self, id: GroupId) -> Option<&Group> {
        self.groups.get(&id)
    }

    /// Every node.
    pub fn nodes(&self) -> impl Iterator<Item = (NodeId, &Node)> {
        self.nodes.iter().map(|(id, node)| (*id, node))
    }

    /// One node.
    pub fn node(&self, id: NodeId) -> Option<&Node> {
        self.nodes.get(&id)
    }

    /// Every job of the newest plan.
    pub fn jobs(&self) -> impl Iterator<Item = (JobId, &Job)> {
        self.jobs.iter().map(|(id, job)| (*id, job))
    }

    /// The one job that is to be worked on: the first that is not over.
    pub fn job_under_way(&self) -> Option<(JobId, &Job)> {
        self.jobs().find(|(_, job)| !job.step.is_final())
    }

    /// The replica that is to join a group and is no member yet, if a job brings one.
    pub fn incoming(&self) -> Option<(GroupId, Replica)> {
        let (_, job) = self.job_under_way()?;
        match (&job.kind, job.step, job.incoming) {
            (JobKind::MoveReplica { group, to, .. }, JobStep::PreCopy | JobStep::Undo, Some(id)) => {
                Some((*group, Replica { id, node: *to }))
            }
            _ => None,
        }
    }

    /// Replicas that left their groups and may still be on their nodes, oldest first.
    pub fn retired(&self) -> &[Retired] {
        &self.retired
    }

    /// The replicas that a node is to have open: of its groups, and one that is to join.
    pub fn hosted_on(&self, node: NodeId) -> Vec<(GroupId, Replica)> {
        let lost = self.node(node).map_or(ReplicaId(0), |node| node.lost);
        let members = self.groups().filter_map(|(id, group)| Some((id, group.on(node)?)));
        let incoming = self.incoming().filter(|(_, replica)| replica.node == node);
        members.chain(incoming).filter(|(_, replica)| replica.id > lost).collect()
    }

    /// The node of a replica, if the placement knows it: as a member, as one that is to join, or as one that left.
    pub fn node_of(&self, group: GroupId, replica: ReplicaId) -> Option<NodeId> {
        let members = self.group(group).into_iter().flat_map(|group| group.replicas.iter().copied());
        let incoming = self.incoming().filter(|(of, _)| *of == group).map(|(_, replica)| replica);
        let retired = self.retired.iter().filter(|retired| retired.group == group).map(|retired| retired.replica);
        members.chain(incoming).chain(retired).find(|known| known.id == replica).map(|known| known.node)
    }

    /// Whether a group still has the members it was founded with, and only them: a replica that came later joins a group
    /// that exists and must never found it again.
    pub fn is_as_founded(&self, group: &Group) -> bool {
        let founders = group.founders.unwrap_or(self.founders);
        group.replicas.iter().all(|replica| replica.id.0 <= founders)
    }

    /// Nothing newer than this version of commands is proposed.
    pub fn min_version(&self) -> u32 {
        self.min_version
    }

    /// Applies an encoded [`Change`] and gives the encoded [`MetaReply`]. Total: what does not read is refused.
    pub fn apply(&mut self, command: &Bytes) -> Bytes {
        let decided = Change::decode(command).map_err(|_| Refused::Malformed).and_then(|change| self.decide(change));
        match decided {
            Ok(job) => MetaReply::Done { epoch: self.epoch, stamp: self.stamp, job },
            Err(refused) => MetaReply::Refused(refused),
        }
        .encode()
    }

    /// Does what is asked, or refuses and leaves everything as it was. What was done before by the same change is done,
    /// and moves the stamp no further.
    fn decide(&mut self, change: Change) -> Result<Option<JobId>, Refused> {
        let mut changed = self.clone();
        let job = changed.carry_out(change)?;
        if changed != *self {
            if self.slots.is_some() && !changed.routes_as(self) {
                changed.epoch = SlotEpoch(self.epoch.0 + 1);
            }
            changed.stamp += 1;
            *self = changed;
        }
        Ok(job)
    }

    /// Whether callers who know one of both go the right way by the other, too.
    fn routes_as(&self, other: &Self) -> bool {
        let groups = |placement: &Self| -> Vec<_> {
            placement.groups().map(|(id, group)| (id, group.replicas.clone())).collect()
        };
        self.slots == other.slots && groups(self) == groups(other) && self.addresses().eq(other.addresses())
    }

    fn addresses(&self) -> impl Iterator<Item = (NodeId, &str)> {
        self.nodes().map(|(id, node)| (id, &*node.address))
    }

    fn carry_out(&mut self, change: Change) -> Result<Option<JobId>, Refused> {
        match change {
            Change::Found(founding) => self.found(&founding).map(|()| None),
            _ if self.slots.is_none() => Err(Refused::NotFounded),
            Change::RegisterNode { node, address } => self.register(node, address).map(|()| None),
            Change::RaiseMinVersion(version) if version < self.min_version => Err(Refused::VersionGoesBack),
            Change::RaiseMinVersion(version) => {
                self.min_version = version;
                Ok(None)
            }
            Change::Submit { planned_at, jobs } => self.submit(planned_at, jobs).map(Some),
            Change::Advance { job, from, round, to } => self.advance(job, from, round, to).map(|()| None),
            Change::Abandon => {
                self.abandon();
                Ok(None)
            }
            Change::ClaimDisk { node, disk } => self.claim(node, disk).map(|()| None),
            Change::Removed(replica) => {
                self.retired.retain(|retired| retired.replica.id != replica);
                Ok(None)
            }
        }
    }

    fn found(&mut self, founding: &Founding) -> Result<(), Refused> {
        founding.validate()?;
        let mut founded = Self { epoch: SlotEpoch(1), min_version: 1, ..Self::default() };
        founded.nodes = founding.nodes.iter().map(|(node, address)| (*node, Node::at(address.clone()))).collect();
        let meta = founding.meta_replicas();
        let shards = spread(&founding.node_ids(), founding.groups, founding.replicas, ReplicaId(meta.len() as u64 + 1));
        founded.last_replica = (meta.len() + shards.iter().map(Vec::len).sum::<usize>()) as u64;
        founded.founders = founded.last_replica;
        let ids: Vec<_> = (1..=founding.groups).map(GroupId).collect();
        founded.slots = SlotMap::even(&ids);
        founded.groups = core::iter::once((GroupId::META, Group::founding(meta)))
            .chain(ids.into_iter().zip(shards).map(|(id, replicas)| (id, Group::founding(replicas))))
            .collect();
        match &self.slots {
            None => *self = founded,
            Some(_) if self.has_the_shape_of(&founded) => {}
            Some(_) => return Err(Refused::AlreadyFounded),
        }
        Ok(())
    }

    /// Whether nothing has moved since a founding. What nodes have claimed since does not count.
    fn has_the_shape_of(&self, founded: &Self) -> bool {
        self.slots == founded.slots && self.groups == founded.groups && self.addresses().eq(founded.addresses())
    }

    fn register(&mut self, id: NodeId, address: String) -> Result<(), Refused> {
        if self.nodes.len() == NODES_MAX && !self.nodes.contains_key(&id) {
            return Err(Refused::LimitReached);
        }
        let node = self.nodes.entry(id).or_insert_with(|| Node::at(String::new()));
        node.address = address;
        node.drained = false;
        Ok(())
    }

    fn claim(&mut self, id: NodeId, disk: DiskId) -> Result<(), Refused> {
        let node = self.nodes.get_mut(&id).ok_or(Refused::UnknownNode)?;
        match node.disk {
            Some(claimed) if claimed != disk => Err(Refused::OtherDisk),
            Some(_) => Ok(()),
            None => {
                node.disk = Some(disk);
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests;
