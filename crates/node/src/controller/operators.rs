//! What operators ask of the placement, and nodes of its leader. Answered where the meta group is led; elsewhere the
//! refusal names who does.

use std::collections::BTreeMap;

use renkei_ids::{DiskId, GroupId, NodeId};
use renkei_placement::{Change, JobKind, Placement, Refused, plan};
use renkei_runtime::Chain;
use renkei_wire::admin::{
    AddNodeRequest, ChangeMembersRequest, ClaimDiskRequest, JobsReply, SubmitReply, SubmitRequest,
    TransferLeaderRequest,
};
use renkei_wire::{ErrorCode, Refusal};

use super::calls::{ANSWER_WITHIN, status};
use super::{Controller, Lead, LeadError, StepError};
use crate::remote::RemoteError;

/// Longest time for a change of members to be committed, both of its entries.
const CHANGE_WITHIN: std::time::Duration = std::time::Duration::from_secs(10);
/// How often one request is planned anew because the placement changed meanwhile.
const PLANS_MAX: usize = 8;

impl Controller {
    /// Adds a node, or changes its address.
    pub(crate) async fn add_node(&self, request: AddNodeRequest) -> Result<(), Refusal> {
        let AddNodeRequest { node } = request;
        let change = Change::RegisterNode { node: node.node, address: node.address.to_string() };
        self.lead()?.propose(&change).await.map_err(|error| refused(&error))?;
        Ok(())
    }

    /// Makes a plan for what is asked, and queues it. The placement may change in between, as it does when a node that was
    /// just added claims its disk: then the plan is made anew.
    pub(crate) async fn submit(&self, request: SubmitRequest) -> Result<SubmitReply, Refusal> {
        let lead = self.lead()?;
        for _ in 0..PLANS_MAX {
            if let Some(reply) = self.queue(&lead, request).await? {
                return Ok(reply);
            }
        }
        Err(Refusal::new(ErrorCode::Busy))
    }

    /// `None` where the placement is another by now than the plan was made for.
    async fn queue(&self, lead: &Lead, request: SubmitRequest) -> Result<Option<SubmitReply>, Refusal> {
        let placement = read(lead)?;
        if placement.job_under_way().is_some() {
            return Err(Refusal::new(ErrorCode::JobUnderWay));
        }
        let jobs = self.plan(&placement, request).await?;
        let needed = jobs.iter().map(JobKind::version).max().unwrap_or_default();
        if needed > placement.min_version() {
            self.raise(lead, &placement, needed).await.map_err(|error| outdated(&error))?;
            return Ok(None);
        }
        let count = u32::try_from(jobs.len()).map_err(|_| Refusal::new(ErrorCode::LimitReached))?;
        if jobs.is_empty() {
            return Ok(Some(SubmitReply { first: None, jobs: 0 }));
        }
        let change = Change::Submit { planned_at: Some(placement.stamp()), jobs };
        let first = match lead.propose(&change).await {
            Err(LeadError::Refused(Refused::PlanOutdated)) => return Ok(None),
            outcome => outcome.map_err(|error| refused(&error))?,
        };
        tracing::info!(?request, jobs = count, "plan queued");
        self.wake.notify_one();
        Ok(Some(SubmitReply { first, jobs: count }))
    }

    async fn plan(&self, placement: &Placement, request: SubmitRequest) -> Result<Vec<JobKind>, Refusal> {
        let planned = match request {
            SubmitRequest::MoveReplica { group, from, to } => {
                let replica = placement.group(group).and_then(|group| group.on(from));
                let replica = replica.ok_or(Refused::UnknownSubject);
                replica.map(|replica| vec![JobKind::MoveReplica { group, from: replica.id, to }])
            }
            SubmitRequest::MoveLeader { group, to } => Ok(vec![JobKind::MoveLeader { group, to }]),
            SubmitRequest::Drain { node } => plan::drain(placement, node),
            SubmitRequest::Replace { node, by: Some(by) } => plan::replace(placement, node, by),
            SubmitRequest::Replace { node, by: None } => {
                let disk = self.disk_of(placement, node).await?;
                plan::replace_disk(placement, node, disk)
            }
            SubmitRequest::Rebalance => plan::rebalance(placement, &self.leaders(placement).await),
            SubmitRequest::Grow { groups } => plan::grow(placement, groups),
            SubmitRequest::MoveSlots { from, to } => Ok(vec![JobKind::MoveSlots { from, to }]),
        };
        planned.map_err(|reason| refused(&LeadError::Refused(reason)))
    }

    /// The disk that a node works on now, as it says itself.
    async fn disk_of(&self, placement: &Placement, node: NodeId) -> Result<DiskId, Refusal> {
        if placement.node(node).is_none() {
            return Err(Refusal::invalid("node"));
        }
        let status = status(&self.follower.remote, node, ANSWER_WITHIN).await;
        status.map(|status| status.disk).map_err(|error| unanswered(&error))
    }

    /// Who leads which group, as the nodes that answer say.
    async fn leaders(&self, placement: &Placement) -> BTreeMap<GroupId, NodeId> {
        let asked = placement.nodes().map(|(node, _)| status(&self.follower.remote, node, ANSWER_WITHIN));
        let answered = futures::future::join_all(asked).await.into_iter().flatten();
        let led = answered.flat_map(|status| {
            let node = status.node;
            status.replicas.into_iter().filter(|replica| replica.leads).map(move |replica| (replica.group, node))
        });
        led.collect()
    }

    /// The jobs of the newest plan.
    pub(crate) fn jobs(&self) -> Result<JobsReply, Refusal> {
        let placement = self.lead()?.placement().map_err(|_| Refusal::new(ErrorCode::InternalIo))?;
        Ok(JobsReply {
            stamp: placement.stamp(),
            jobs: placement.jobs().map(|(id, job)| (id, job.clone())).collect(),
            progress: placement.job_under_way().map(|_| self.progress.get()),
        })
    }

    /// Gives up what can be given up.
    pub(crate) async fn abandon(&self) -> Result<(), Refusal> {
        self.lead()?.propose(&Change::Abandon).await.map_err(|error| refused(&error))?;
        self.wake.notify_one();
        Ok(())
    }

    /// Notes the disk of a node, for the node itself.
    pub(crate) async fn claim(&self, request: ClaimDiskRequest) -> Result<(), Refusal> {
        let ClaimDiskRequest { node, disk } = request;
        self.lead()?.propose(&Change::ClaimDisk { node, disk }).await.map_err(|error| refused(&error))?;
        Ok(())
    }

    /// Gives a group that is led from here other members.
    pub(crate) async fn change_members(&self, request: ChangeMembersRequest) -> Result<(), Refusal> {
        use renkei_consensus::MembersError;
        let ChangeMembersRequest { group, stamp, membership, voters, learners } = request;
        let replica = self.led_here(group, stamp)?;
        let members = |members: Vec<renkei_wire::admin::Member>| {
            members.into_iter().map(|member| (member.replica, member.node)).collect()
        };
        let changed = replica.set_members(membership, members(voters), members(learners), CHANGE_WITHIN).await;
        changed.map_err(|error| match &error {
            MembersError::NotLeader { hint } => not_leader(hint.map(|(_, node)| node)),
            MembersError::Overtaken => Refusal::new(ErrorCode::StaleOrder),
            MembersError::OutcomeUnknown => Refusal::new(ErrorCode::OutcomeUnknown),
            MembersError::Stopped => Refusal::new(ErrorCode::ShuttingDown),
            MembersError::Refused { .. } | MembersError::NotCaughtUp(_) => {
                tracing::warn!(%group, error = %Chain(&error), "changing members");
                Refusal::new(ErrorCode::Unavailable)
            }
        })
    }

    /// Has another voter lead a group that is led from here.
    pub(crate) async fn transfer_leader(&self, request: TransferLeaderRequest) -> Result<(), Refusal> {
        let TransferLeaderRequest { group, stamp, to } = request;
        let replica = self.led_here(group, stamp)?;
        if !replica.status().members.voters.contains(&to) {
            return Err(Refusal::invalid("to"));
        }
        replica.transfer_leader(to).await.map_err(|_| Refusal::new(ErrorCode::ShuttingDown))
    }

    /// The replica here that leads a group, for an order that is not older than what this node knows.
    fn led_here(&self, group: GroupId, stamp: u64) -> Result<renkei_consensus::Replica, Refusal> {
        if self.follower.routes.current().stamp() > stamp {
            return Err(Refusal::new(ErrorCode::StaleOrder));
        }
        let replica = self.follower.engine.replica(group).ok_or(not_leader(self.follower.routes.first_node(group)))?;
        match replica.leadership() {
            Some(_) => Ok(replica),
            None => Err(not_leader(replica.leader_hint().map(|(_, node)| node))),
        }
    }

    fn lead(&self) -> Result<Lead, Refusal> {
        let routes = &self.follower.routes;
        Lead::of(&self.follower.engine).ok_or_else(|| {
            let hint = self.follower.engine.replica(GroupId::META).and_then(|meta| meta.leader_hint());
            let leader = hint.map(|(_, node)| node).or_else(|| routes.first_node(GroupId::META));
            match leader.filter(|node| *node != self.follower.engine.node()) {
                Some(node) => not_leader(Some(node)),
                None if routes.epoch().0 == 0 => Refusal::new(ErrorCode::NotBootstrapped),
                None => not_leader(None),
            }
        })
    }
}

fn read(lead: &Lead) -> Result<Placement, Refusal> {
    lead.placement().map_err(|error| {
        tracing::error!(error = %Chain(&error), "reading the placement");
        Refusal::new(ErrorCode::InternalIo)
    })
}

/// Why the cloud's version of commands was not raised, to whoever asked for what needs it.
fn outdated(error: &StepError) -> Refusal {
    tracing::warn!(error = %Chain(error), "plan refused");
    match error {
        StepError::Lead(error) => refused(error),
        _ => Refusal::new(ErrorCode::NodeOutdated),
    }
}

fn not_leader(leader: Option<NodeId>) -> Refusal {
    let refusal = Refusal::new(ErrorCode::NotLeader);
    match leader {
        Some(node) => refusal.led_by(node),
        None => refusal,
    }
}

fn unanswered(error: &RemoteError) -> Refusal {
    tracing::warn!(error = %Chain(error), "asking a node for its disk");
    error.refusal().cloned().unwrap_or(Refusal::new(ErrorCode::Unavailable))
}

/// What a change that the meta group did not take is to whoever asked for it.
fn refused(error: &LeadError) -> Refusal {
    use renkei_consensus::ProposeError;
    let code = match error {
        LeadError::Propose(ProposeError::NotLeader { hint }) => return not_leader(hint.map(|(_, node)| node)),
        LeadError::Propose(ProposeError::Overloaded) => ErrorCode::Busy,
        LeadError::Propose(ProposeError::OutcomeUnknown) | LeadError::Unreadable => ErrorCode::OutcomeUnknown,
        LeadError::Propose(ProposeError::Stopped) => ErrorCode::ShuttingDown,
        LeadError::Refused(reason) => match reason {
            Refused::AlreadyFounded => ErrorCode::AlreadyBootstrapped,
            Refused::NotFounded => ErrorCode::NotBootstrapped,
            Refused::UnknownNode => return Refusal::invalid("node"),
            Refused::UnknownSubject => return Refusal::invalid("plan"),
            Refused::JobUnderWay => ErrorCode::JobUnderWay,
            Refused::PlanOutdated => ErrorCode::Busy,
            Refused::LimitReached => ErrorCode::LimitReached,
            Refused::NowhereToGo => ErrorCode::NowhereToGo,
            Refused::OtherDisk => ErrorCode::OtherDisk,
            Refused::InvalidFounding
            | Refused::VersionGoesBack
            | Refused::UnknownJob
            | Refused::WrongStep
            | Refused::Malformed => ErrorCode::InvalidArgument,
        },
    };
    Refusal::new(code)
}
