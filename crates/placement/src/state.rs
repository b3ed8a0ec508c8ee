//! The meta group's state, and what each change does to it.

use std::collections::BTreeMap;

use bytes::Bytes;
use renkei_ids::{GroupId, NodeId, ReplicaId, SlotEpoch};

use crate::command::{Change, MetaReply};
use crate::format::{self, pb};
use crate::founding::{Founding, spread};
use crate::group::{Group, NODES_MAX, Node, Replica};
use crate::job::{Job, JobId, JobKind, JobStep};
use crate::refused::Refused;
use crate::slot_map::{SlotMap, SlotRange};

/// The whole placement of a cloud.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Placement {
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
}

/// A stored placement that does not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the stored placement does not read")]
pub struct InvalidPlacement;

impl Placement {
    /// The slot map and its epoch; `None` before the founding.
    pub fn slots(&self) -> Option<(SlotEpoch, &SlotMap)> {
        self.slots.as_ref().map(|slots| (self.epoch, slots))
    }

    /// Every group, the meta group first.
    pub fn groups(&self) -> impl Iterator<Item = (GroupId, &Group)> {
        self.groups.iter().map(|(id, group)| (*id, group))
    }

    /// Every node.
    pub fn nodes(&self) -> impl Iterator<Item = (NodeId, &Node)> {
        self.nodes.iter().map(|(id, node)| (*id, node))
    }

    /// Every job that is not done.
    pub fn jobs(&self) -> impl Iterator<Item = (JobId, &Job)> {
        self.jobs.iter().map(|(id, job)| (*id, job))
    }

    /// Whether a group still has the members it was founded with, and only them: a replica that came later joins a group
    /// that exists and must never found it again.
    pub fn is_as_founded(&self, group: &Group) -> bool {
        group.replicas.iter().all(|replica| replica.id.0 <= self.founders)
    }

    /// Nothing newer than this version of commands is proposed.
    pub fn min_version(&self) -> u32 {
        self.min_version
    }

    /// Applies an encoded [`Change`] and gives the encoded [`MetaReply`]. Total: what does not read is refused.
    pub fn apply(&mut self, command: &Bytes) -> Bytes {
        let decided = Change::decode(command).map_err(|_| Refused::Malformed).and_then(|change| self.decide(change));
        match decided {
            Ok(job) => MetaReply::Done { epoch: self.epoch, job },
            Err(refused) => MetaReply::Refused(refused),
        }
        .encode()
    }

    fn decide(&mut self, change: Change) -> Result<Option<JobId>, Refused> {
        match change {
            Change::Found(founding) => self.found(&founding).map(|()| None),
            _ if self.slots.is_none() => Err(Refused::NotFounded),
            Change::RegisterNode { node, address } => {
                if self.nodes.len() == NODES_MAX && !self.nodes.contains_key(&node) {
                    return Err(Refused::LimitReached);
                }
                self.nodes.insert(node, Node { address });
                Ok(None)
            }
            Change::RaiseMinVersion(version) if version < self.min_version => Err(Refused::VersionGoesBack),
            Change::RaiseMinVersion(version) => {
                self.min_version = version;
                Ok(None)
            }
            Change::SubmitJob(kind) => self.submit(kind).map(Some),
            Change::AdvanceJob { job, from, to } => self.advance(job, from, to).map(|()| None),
        }
    }

    fn found(&mut self, founding: &Founding) -> Result<(), Refused> {
        founding.validate()?;
        let mut founded = Self { epoch: SlotEpoch(1), min_version: 1, ..Self::default() };
        founded.nodes =
            founding.nodes.iter().map(|(node, address)| (*node, Node { address: address.clone() })).collect();
        let meta = founding.meta_replicas();
        let shards = spread(&founding.node_ids(), founding.groups, founding.replicas, ReplicaId(meta.len() as u64 + 1));
        founded.last_replica = (meta.len() + shards.iter().map(Vec::len).sum::<usize>()) as u64;
        founded.founders = founded.last_replica;
        let ids: Vec<_> = (1..=founding.groups).map(GroupId).collect();
        founded.slots = SlotMap::even(&ids);
        founded.groups = core::iter::once((GroupId::META, Group { replicas: meta }))
            .chain(ids.into_iter().zip(shards).map(|(id, replicas)| (id, Group { replicas })))
            .collect();
        match &self.slots {
            None => *self = founded,
            Some(_) if *self == founded => {}
            Some(_) => return Err(Refused::AlreadyFounded),
        }
        Ok(())
    }

    fn submit(&mut self, kind: JobKind) -> Result<JobId, Refused> {
        if self.jobs.values().any(|job| !job.step.is_final()) {
            return Err(Refused::JobUnderWay);
        }
        self.check_subject(&kind)?;
        // Jobs are kept until the next one starts, so that how the last one ended can be seen.
        self.jobs.clear();
        self.last_job += 1;
        let id = JobId(self.last_job);
        self.jobs.insert(id, Job { kind, step: JobStep::Queued });
        Ok(id)
    }

    fn check_subject(&self, kind: &JobKind) -> Result<(), Refused> {
        let known = match kind {
            JobKind::MoveSlots { from, to } => {
                let slots = self.slots.as_ref().ok_or(Refused::NotFounded)?;
                let source_has_all = slots
                    .ranges_of(*from)
                    .iter()
                    .any(|(first, last)| *first <= to.first && to.first <= to.last && to.last <= *last);
                source_has_all && *from != to.group && to.group != GroupId::META && self.groups.contains_key(&to.group)
            }
            JobKind::MoveReplica { group, from, to } => {
                if !self.nodes.contains_key(to) {
                    return Err(Refused::UnknownNode);
                }
                self.groups.get(group).is_some_and(|group| {
                    group.replicas.iter().any(|replica| replica.id == *from)
                        && group.replicas.iter().all(|replica| replica.node != *to)
                })
            }
        };
        if known { Ok(()) } else { Err(Refused::UnknownSubject) }
    }

    fn advance(&mut self, id: JobId, from: JobStep, to: JobStep) -> Result<(), Refused> {
        let job = self.jobs.get(&id).ok_or(Refused::UnknownJob)?;
        if job.step == to {
            return Ok(());
        }
        if job.step != from || !from.leads_to(to, &job.kind) {
            return Err(Refused::WrongStep);
        }
        if to == JobStep::Activate {
            self.activate(&job.kind.clone())?;
        }
        self.jobs.get_mut(&id).ok_or(Refused::UnknownJob)?.step = to;
        Ok(())
    }

    /// The map names the target from here on.
    fn activate(&mut self, kind: &JobKind) -> Result<(), Refused> {
        match kind {
            JobKind::MoveSlots { from: _, to } => {
                let slots = self.slots.as_mut().ok_or(Refused::NotFounded)?;
                *slots = slots.with(to);
                self.epoch = SlotEpoch(self.epoch.0 + 1);
            }
            JobKind::MoveReplica { group, from, to } => {
                let group = self.groups.get_mut(group).ok_or(Refused::UnknownSubject)?;
                let place = group.replicas.iter().position(|replica| replica.id == *from);
                let place = place.ok_or(Refused::UnknownSubject)?;
                self.last_replica += 1;
                group.replicas[place] = Replica { id: ReplicaId(self.last_replica), node: *to };
            }
        }
        Ok(())
    }

    /// The stored form.
    pub fn encode(&self) -> Bytes {
        let Self { epoch, min_version, nodes, groups, slots, last_replica, founders, jobs, last_job } = self;
        format::encode(&pb::Placement {
            epoch: epoch.0,
            min_version: *min_version,
            nodes: nodes.iter().map(|(id, node)| pb::Node { id: id.0, address: node.address.clone() }).collect(),
            groups: groups.iter().map(|(id, group)| pb_group(*id, group)).collect(),
            slots: slots.iter().flat_map(SlotMap::ranges).map(|range| pb::Range::from(&range)).collect(),
            last_replica: *last_replica,
            founders: *founders,
            jobs: jobs
                .iter()
                .map(|(id, job)| pb::Job { id: id.0, step: u32::from(job.step as u8), ..pb::Job::from(&job.kind) })
                .collect(),
            last_job: *last_job,
        })
    }

    /// Reads the stored form.
    ///
    /// # Errors
    /// [`InvalidPlacement`].
    pub fn decode(bytes: &Bytes) -> Result<Self, InvalidPlacement> {
        let pb::Placement { epoch, min_version, nodes, groups, slots, last_replica, jobs, last_job, founders } =
            format::decode(bytes).map_err(|_| InvalidPlacement)?;
        let ranges = slots.into_iter().map(SlotRange::try_from).collect::<Result<Vec<_>, _>>();
        let ranges = ranges.map_err(|_| InvalidPlacement)?;
        let slots = match ranges[..] {
            [] => None,
            _ => Some(SlotMap::from_ranges(&ranges).map_err(|_| InvalidPlacement)?),
        };
        let jobs = jobs.into_iter().map(|job| {
            let step = JobStep::from_raw(job.step).ok_or(InvalidPlacement)?;
            Ok((JobId(job.id), Job { step, kind: job.try_into().map_err(|_| InvalidPlacement)? }))
        });
        Ok(Self {
            epoch: SlotEpoch(epoch),
            min_version,
            nodes: nodes.into_iter().map(|pb::Node { id, address }| (NodeId(id), Node { address })).collect(),
            groups: groups.into_iter().map(group_from).collect(),
            slots,
            last_replica,
            founders,
            jobs: jobs.collect::<Result<_, InvalidPlacement>>()?,
            last_job,
        })
    }
}

fn pb_group(id: GroupId, group: &Group) -> pb::Group {
    let replicas = group.replicas.iter().map(|replica| pb::Replica { id: replica.id.0, node: replica.node.0 });
    pb::Group { id: id.0, replicas: replicas.collect() }
}

fn group_from(group: pb::Group) -> (GroupId, Group) {
    let pb::Group { id, replicas } = group;
    let replicas =
        replicas.into_iter().map(|pb::Replica { id, node }| Replica { id: ReplicaId(id), node: NodeId(node) });
    (GroupId(id), Group { replicas: replicas.collect() })
}

#[cfg(test)]
mod tests;
