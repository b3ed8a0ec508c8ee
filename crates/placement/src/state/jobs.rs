//! What jobs do to the placement.

use std::collections::BTreeSet;

use renkei_ids::{DiskId, GroupId, NodeId, ReplicaId};

use super::Placement;
use crate::group::{GROUPS_MAX, Group, RETIRED_MAX, Replica, Retired};
use crate::job::{JOBS_MAX, Job, JobId, JobKind, JobStep};
use crate::refused::Refused;

impl Placement {
    /// Queues a plan: all of it, or nothing where one of its jobs could not be carried out behind those before it.
    pub(super) fn submit(&mut self, planned_at: Option<u64>, jobs: Vec<JobKind>) -> Result<JobId, Refused> {
        if self.job_under_way().is_some() {
            return Err(Refused::JobUnderWay);
        }
        if planned_at.is_some_and(|stamp| stamp != self.stamp) {
            return Err(Refused::PlanOutdated);
        }
        if jobs.is_empty() || jobs.len() > JOBS_MAX {
            return Err(Refused::LimitReached);
        }
        let mut rehearsed = self.clone();
        jobs.iter().try_for_each(|kind| rehearsed.do_at_once(kind))?;
        // Jobs are kept until the next plan, so that how the last one ended can be seen.
        self.jobs.clear();
        let first = JobId(self.last_job + 1);
        self.jobs.extend((first.0..).map(JobId).zip(jobs.into_iter().map(Job::queued)));
        self.last_job = self.jobs.keys().next_back().map_or(self.last_job, |last| last.0);
        Ok(first)
    }

    /// What the placement is when a job is done, without the steps between.
    pub(crate) fn do_at_once(&mut self, kind: &JobKind) -> Result<(), Refused> {
        self.check(kind)?;
        let incoming = matches!(kind, JobKind::MoveReplica { .. }).then(|| self.draw_replica());
        self.activate(kind, incoming)
    }

    fn draw_replica(&mut self) -> ReplicaId {
        self.last_replica += 1;
        ReplicaId(self.last_replica)
    }

    /// Whether a job names what is there.
    fn check(&self, kind: &JobKind) -> Result<(), Refused> {
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
                let node = self.nodes.get(to).ok_or(Refused::UnknownNode)?;
                if node.drained {
                    return Err(Refused::NowhereToGo);
                }
                // Onto its own node only where that has lost the disk it was on.
                self.groups.get(group).is_some_and(|group| {
                    group.replicas.iter().any(|replica| replica.id == *from)
                        && group.on(*to).is_none_or(|there| there.id == *from && there.id <= node.lost)
                })
            }
            JobKind::MoveLeader { group, to } => self.groups.get(group).is_some_and(|group| group.is_on(*to)),
            JobKind::AddGroup { nodes } => {
                // The meta group does not count.
                if self.groups.len() > GROUPS_MAX {
                    return Err(Refused::LimitReached);
                }
                let distinct: BTreeSet<_> = nodes.iter().collect();
                let open = |id| self.nodes.get(id).is_some_and(|node| !node.drained);
                nodes.len() % 2 == 1 && distinct.len() == nodes.len() && nodes.iter().all(open)
            }
            JobKind::ReplaceDisk { node, disk } => {
                let node = self.nodes.get(node).ok_or(Refused::UnknownNode)?;
                if node.disk == Some(*disk) {
                    return Err(Refused::OtherDisk);
                }
                true
            }
            JobKind::Drain { node } => {
                self.nodes.get(node).ok_or(Refused::UnknownNode)?;
                true
            }
        };
        if known { Ok(()) } else { Err(Refused::UnknownSubject) }
    }

    pub(super) fn advance(&mut self, id: JobId, from: JobStep, round: Option<u32>, to: JobStep) -> Result<(), Refused> {
        let job = self.jobs.get(&id).ok_or(Refused::UnknownJob)?;
        let next_round = job.round + u32::from(to == JobStep::PreCopy);
        if job.step == to && (to != JobStep::PreCopy || round.is_some_and(|round| round + 1 == job.round)) {
            return Ok(());
        }
        let here = job.step == from && round.is_none_or(|round| round == job.round);
        let first = self.job_under_way().is_some_and(|(first, _)| first == id);
        if !here || !first || !from.leads_to(to, &job.kind) {
            return Err(Refused::WrongStep);
        }
        let mut job = job.clone();
        if from == JobStep::Queued && to != JobStep::Abandoned {
            // One before it in the plan may have been undone since it was rehearsed.
            self.check(&job.kind)?;
        }
        if from == JobStep::Queued && matches!(job.kind, JobKind::MoveReplica { .. }) {
            job.incoming = Some(self.draw_replica());
        }
        if to == JobStep::Activate {
            self.activate(&job.kind, job.incoming)?;
        }
        if let (JobStep::Undo, JobKind::MoveReplica { group, to, .. }, Some(id)) = (from, &job.kind, job.incoming) {
            self.retire(Retired { group: *group, replica: Replica { id, node: *to } });
        }
        job.step = to;
        job.round = next_round;
        self.jobs.insert(id, job);
        Ok(())
    }

    pub(super) fn abandon(&mut self) {
        for job in self.jobs.values_mut() {
            job.step = job.step.given_up().unwrap_or(job.step);
        }
    }

    /// The placement names the target from here on.
    fn activate(&mut self, kind: &JobKind, incoming: Option<ReplicaId>) -> Result<(), Refused> {
        match kind {
            JobKind::MoveSlots { from: _, to } => {
                let slots = self.slots.as_mut().ok_or(Refused::NotFounded)?;
                *slots = slots.with(to);
            }
            JobKind::MoveReplica { group: id, from, to } => {
                let group = self.groups.get_mut(id).ok_or(Refused::UnknownSubject)?;
                let place = group.replicas.iter().position(|replica| replica.id == *from);
                let place = place.ok_or(Refused::UnknownSubject)?;
                let incoming = incoming.ok_or(Refused::WrongStep)?;
                let left = std::mem::replace(&mut group.replicas[place], Replica { id: incoming, node: *to });
                // It has started, since a replica has joined it.
                group.founders = Some(0);
                // What was on a lost disk is gone with it.
                if self.nodes.get(&left.node).is_some_and(|node| left.id > node.lost) {
                    self.retire(Retired { group: *id, replica: left });
                }
            }
            JobKind::MoveLeader { group, to } => {
                let group = self.groups.get_mut(group).ok_or(Refused::UnknownSubject)?;
                let place = group.replicas.iter().position(|replica| replica.node == *to);
                group.replicas[..=place.ok_or(Refused::UnknownSubject)?].rotate_right(1);
                // It has started, since it has a leader.
                group.founders = Some(0);
            }
            JobKind::AddGroup { nodes } => self.add_group(nodes),
            JobKind::ReplaceDisk { node, disk } => self.replace_disk(*node, *disk)?,
            JobKind::Drain { node } => self.nodes.get_mut(node).ok_or(Refused::UnknownNode)?.drained = true,
        }
        Ok(())
    }

    fn add_group(&mut self, nodes: &[NodeId]) {
        let replicas = nodes.iter().map(|node| Replica { id: self.draw_replica(), node: *node }).collect();
        let last = self.groups.keys().next_back().map_or(0, |last| last.0);
        self.groups.insert(GroupId(last + 1), Group { replicas, founders: Some(self.last_replica) });
    }

    fn replace_disk(&mut self, id: NodeId, disk: DiskId) -> Result<(), Refused> {
        let node = self.nodes.get_mut(&id).ok_or(Refused::UnknownNode)?;
        node.disk = Some(disk);
        node.lost = ReplicaId(self.last_replica);
        node.drained = false;
        self.retired.retain(|retired| retired.replica.node != id);
        Ok(())
    }

    fn retire(&mut self, left: Retired) {
        if self.retired.len() == RETIRED_MAX {
            self.retired.remove(0);
        }
        self.retired.push(left);
    }
}
