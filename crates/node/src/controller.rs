//! Carries out placement jobs: the node that leads the meta group drives the one job under way, step by step, by asking
//! the nodes concerned, and writes each step that is done into the placement.
//!
//! Every step may be done again: a controller that dies is followed by that of the next leader, which goes on from the
//! step that the placement names. One that was deposed and does not know it yet does no harm: its orders carry the stamp
//! of the placement that they follow from, and those who know a newer one refuse them.

mod calls;
mod groups;
mod leaders;
mod operators;
mod replicas;
mod slots;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use renkei_consensus::{Engine, ProposeError, Replica};
use renkei_faults::{Point, reached};
use renkei_ids::{GroupId, LeaderTerm};
use renkei_placement::{Change, Job, JobId, JobKind, JobStep, MetaReply, Placement, Refused};
use renkei_runtime::Chain;
use renkei_storage::StorageError;
use renkei_wire::admin::JobProgress;
use renkei_wire::limits::WAITS_FOR_MAX_BYTES;
use tokio::sync::Notify;
use tokio::time::{sleep, timeout};

use crate::founding::Follower;
use crate::machine::placement;
use crate::transfer::Leaders;

use slots::SlotMover;

pub(crate) use calls::{StepError, Work, hand_over};

/// Time between two looks when nothing wakes the controller.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// Pause before a step that failed is tried again.
const RETRY_AFTER: Duration = Duration::from_millis(200);
/// How often a step under way is held against the placement.
const HOLDS_EVERY: Duration = Duration::from_millis(100);
/// Longest time for a node to say that it has removed what left its group; it goes on with it either way.
const TIDY_WITHIN: Duration = Duration::from_secs(2);

/// Leads the meta group from this node.
#[derive(Clone, Debug)]
pub(crate) struct Lead {
    replica: Replica,
    under: LeaderTerm,
}

/// Why the meta group did not change.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LeadError {
    #[error("proposing a change of the placement")]
    Propose(#[from] ProposeError),
    #[error("the change of the placement is refused")]
    Refused(#[source] Refused),
    #[error("the meta group's reply does not read")]
    Unreadable,
}

impl Lead {
    pub(crate) fn of(engine: &Engine) -> Option<Self> {
        let replica = engine.replica(GroupId::META)?;
        let under = replica.leadership()?;
        Some(Self { replica, under })
    }

    /// Whether it still does.
    pub(crate) fn holds(&self) -> bool {
        self.replica.leadership() == Some(self.under)
    }

    pub(crate) fn placement(&self) -> Result<Placement, StorageError> {
        placement(&self.replica.view())
    }

    /// Has the meta group decide. Gives the first job that was queued, if one was.
    pub(crate) async fn propose(&self, change: &Change) -> Result<Option<JobId>, LeadError> {
        let reply = self.replica.propose(self.under, change.encode()).await?;
        match MetaReply::decode(&reply) {
            Ok(MetaReply::Done { job, .. }) => Ok(job),
            Ok(MetaReply::Refused(refused)) => Err(LeadError::Refused(refused)),
            Err(_) => Err(LeadError::Unreadable),
        }
    }
}

/// How far the job under way got within its step. Clones share it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Progress(Arc<Mutex<JobProgress>>);

impl Progress {
    pub(crate) fn set(&self, done: u64, of: u64) {
        self.put(JobProgress { done, of, waits_for: String::new() });
    }

    fn waits_for(&self, why: &str) {
        let mut end = why.len().min(WAITS_FOR_MAX_BYTES);
        while !why.is_char_boundary(end) {
            end -= 1;
        }
        let mut progress = self.get();
        why[..end].clone_into(&mut progress.waits_for);
        self.put(progress);
    }

    fn get(&self) -> JobProgress {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn put(&self, progress: JobProgress) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = progress;
    }
}

/// Drives jobs while this node leads the meta group. Clones share everything.
#[derive(Clone, Debug)]
pub(crate) struct Controller {
    follower: Follower,
    progress: Progress,
    mover: Arc<SlotMover>,
    wake: Arc<Notify>,
}

impl Controller {
    pub(crate) fn new(follower: Follower, transfers: Leaders) -> Self {
        let mover = Arc::new(SlotMover::new(transfers, follower.metrics.clone()));
        Self { follower, progress: Progress::default(), mover, wake: Arc::default() }
    }

    /// Works until the process stops.
    pub(crate) async fn run(self) {
        let mut told = None;
        loop {
            let pause = match Lead::of(&self.follower.engine) {
                None => LOOK_EVERY,
                Some(lead) => match self.drive(&lead).await {
                    Ok(true) => {
                        told = None;
                        Duration::ZERO
                    }
                    Ok(false) => LOOK_EVERY,
                    Err(error) => {
                        let failure = Chain(&error).to_string();
                        self.progress.waits_for(&failure);
                        // A failure that lasts is told once.
                        if told.as_ref() != Some(&failure) {
                            tracing::warn!(%failure, "placement job waits");
                        }
                        told = Some(failure);
                        RETRY_AFTER
                    }
                },
            };
            if !pause.is_zero() {
                let _woken = timeout(pause, self.wake.notified()).await;
            }
        }
    }

    /// Does one step of the job under way; gives whether there was one.
    async fn drive(&self, lead: &Lead) -> Result<bool, StepError> {
        let placement = Arc::new(lead.placement()?);
        let Some((id, job)) = placement.job_under_way() else { return self.tidy(lead, &placement).await };
        let job = job.clone();
        if job.kind.version() > placement.min_version() {
            self.raise(lead, &placement, job.kind.version()).await?;
            return Ok(true);
        }
        let work = Work::new(self, id, job.clone(), Arc::clone(&placement));
        let to = tokio::select! {
            to = step(&work, lead) => to?,
            () = self.overtaken(lead, id, &job) => return Ok(true),
        };
        let Job { step: from, round, .. } = job;
        reached(Point::StepDone);
        lead.propose(&Change::Advance { job: id, from, round: Some(round), to }).await?;
        reached(Point::StepNamed);
        self.progress.set(0, 0);
        tracing::info!(job = id.0, ?from, ?to, round, "placement job");
        Ok(true)
    }

    /// Raises the cloud's version of commands to one that is needed, once every node that holds replicas tells it.
    async fn raise(&self, lead: &Lead, placement: &Placement, needed: u32) -> Result<(), StepError> {
        let asked = placement.nodes().map(|(node, _)| calls::status(&self.follower.remote, node, calls::ANSWER_WITHIN));
        let answered = futures::future::join_all(asked).await.into_iter().flatten();
        let told: BTreeMap<_, _> = answered.map(|status| (status.node, status.commands_version)).collect();
        match placement.common_version(|node| told.get(&node).copied()) {
            Ok(common) if needed <= common => {
                lead.propose(&Change::RaiseMinVersion(common)).await?;
                tracing::info!(version = common, "every node applies these commands");
                Ok(())
            }
            Ok(common) => Err(StepError::Outdated { needed, common }),
            Err(node) => Err(StepError::VersionUntold { needed, node }),
        }
    }

    /// Returns when another node leads, or the job is no longer where it was.
    async fn overtaken(&self, lead: &Lead, id: JobId, job: &Job) {
        loop {
            sleep(HOLDS_EVERY).await;
            let same = lead.placement().is_ok_and(|placement| placement.job_under_way() == Some((id, job)));
            if !same || !lead.holds() {
                return;
            }
        }
    }

    /// Between plans: has nodes remove what left its group, where they were down when it did. A plan is not kept waiting.
    async fn tidy(&self, lead: &Lead, placement: &Arc<Placement>) -> Result<bool, StepError> {
        let nodes: BTreeSet<_> = placement.retired().iter().map(|left| left.replica.node).collect();
        for node in nodes {
            let asked = timeout(TIDY_WITHIN, calls::follow(&self.follower.remote, node, placement));
            let reply = tokio::select! {
                reply = asked => reply,
                () = self.wake.notified() => return Ok(true),
            };
            // A node that does not answer is asked again as long as what it has is remembered.
            let Ok(Ok(reply)) = reply else { continue };
            let here = placement.retired().iter().filter(|left| left.replica.node == node);
            for left in here.filter(|left| reply.replicas.iter().all(|open| open.replica != left.replica.id)) {
                lead.propose(&Change::Removed(left.replica.id)).await?;
            }
        }
        Ok(false)
    }
}

/// Does what a job's step asks for, and gives the step that it leads to.
async fn step(work: &Work, lead: &Lead) -> Result<JobStep, StepError> {
    match (&work.job.kind, work.job.step) {
        (JobKind::MoveSlots { from, to }, step) => slots::step(work, step, *from, to).await,
        (JobKind::MoveReplica { group, from, to }, step) => replicas::step(work, lead, step, *group, *from, *to).await,
        (JobKind::MoveLeader { group, to }, step) => leaders::step(work, step, *group, *to).await,
        (JobKind::AddGroup { .. }, step) => groups::step(work, step).await,
        // The placement is all there is to change.
        (JobKind::ReplaceDisk { .. } | JobKind::Drain { .. }, JobStep::Queued) => Ok(JobStep::Activate),
        (JobKind::ReplaceDisk { .. } | JobKind::Drain { .. }, _) => Ok(JobStep::Done),
    }
}
