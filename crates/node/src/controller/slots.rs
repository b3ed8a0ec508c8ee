//! Carries out a move of slots, one step at a time.
//!
//! Every order bears the placement's epoch and stamp of its step, so a step may be done twice, by two controllers at
//! once, or again after a crash: what is older than the newest order is refused by the slots themselves. A step that is
//! found half done is done again from its beginning.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use renkei_ids::{GroupId, Slot, SlotEpoch};
use renkei_placement::{JobId, JobStep, SlotRange};
use renkei_shard::transfer::{Place, Purge};
use renkei_shard::{FREEZE_MILLIS, Fence, SlotHold};
use renkei_wire::pb::transfer::v1 as pb;
use renkei_wire::transfer::{
    CopyProgress, CopySlots, CopyState, HoldSlots, NotFollowed, OrderReply, PurgeReply, PurgeSlots,
};
use renkei_wire::{ErrorCode, Refusal};

use super::{Progress, StepError, Work};
use crate::metrics::Metrics;
use crate::transfer::Leaders;

/// How long a group may be without a leader before a step is given up, to be tried again.
const PATIENCE: Duration = Duration::from_secs(10);
/// Longest silence of a copy that gets on: the source waits that long for the target.
const SILENCE_MAX: Duration = Duration::from_secs(30);
/// A round this short is followed by the freeze: what it left to be copied takes no longer.
const SHORT_ROUND: Duration = Duration::from_millis(150);
/// Rounds after which the slots are frozen in any case.
const ROUNDS_MAX: u32 = 8;
/// Time from the freeze to the promise. Slots that are not promised by then are served by the source again, whoever lives,
/// and are copied for another round.
const FREEZE_MAX: Duration = Duration::from_millis(FREEZE_MILLIS);
/// Pause before the round that follows a freeze that took too long; the slots are served meanwhile.
const THAWED_PAUSE: Duration = Duration::from_millis(500);
/// Pause before a copy that broke off goes on.
const BROKEN_PAUSE: Duration = Duration::from_millis(50);

/// Does one step of a move of slots.
pub(super) async fn step(work: &Work, step: JobStep, from: GroupId, to: &SlotRange) -> Result<JobStep, StepError> {
    let epoch = work.placement.slots().map_or(SlotEpoch(0), |(epoch, _)| epoch);
    let moved = SlotMove {
        job: work.id,
        from,
        to: to.group,
        slots: (to.first, to.last),
        step,
        round: work.job.round,
        fence: Fence { epoch, stamp: work.stamp() },
    };
    Ok(work.mover.step(&moved, &work.progress).await?)
}

/// A move of slots, as the placement knows it at one moment.
#[derive(Clone, Copy, Debug)]
struct SlotMove {
    job: JobId,
    from: GroupId,
    to: GroupId,
    slots: (Slot, Slot),
    step: JobStep,
    round: u32,
    fence: Fence,
}

/// Why a step was not done. It is done again, from what the placement says then.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MoveError {
    #[error("the slots of group {group} follow a later order")]
    Superseded { group: GroupId },
    #[error("the slots of group {group} do not stand so that {step:?} can be done")]
    OutOfOrder { group: GroupId, step: JobStep },
    #[error("the leader of group {group}")]
    Refused {
        group: GroupId,
        #[source]
        source: Refusal,
    },
}

/// Moves slots. It remembers only when it froze them: everything else is in the placement and in the slots.
#[derive(Debug)]
pub(crate) struct SlotMover {
    leaders: Leaders,
    metrics: Metrics,
    frozen: Mutex<Option<Frozen>>,
}

/// Since when slots are not served, at the latest.
#[derive(Clone, Copy, Debug)]
struct Frozen {
    job: JobId,
    since: Instant,
    /// When the freeze lapses, for whoever waits.
    lapses: Instant,
    /// When their promise was asked for; it may be given from here on.
    promised: Option<Instant>,
}

impl Frozen {
    /// How long they were frozen at most, if they are served again now: what was not promised lapsed in time.
    fn took(&self) -> Duration {
        let until = self.promised.unwrap_or_else(Instant::now);
        let lapsing = until.duration_since(self.since).min(FREEZE_MAX);
        lapsing + self.promised.map_or(Duration::ZERO, |promised| promised.elapsed())
    }
}

impl SlotMover {
    pub(crate) fn new(leaders: Leaders, metrics: Metrics) -> Self {
        Self { leaders, metrics, frozen: Mutex::default() }
    }

    /// Does what the move's step asks for, and gives the step that follows.
    ///
    /// # Errors
    /// [`MoveError`].
    async fn step(&self, moved: &SlotMove, progress: &Progress) -> Result<JobStep, MoveError> {
        let SlotMove { from, to, round, .. } = *moved;
        match moved.step {
            JobStep::Queued => {
                // What an earlier move left at the target must not mix with what comes.
                self.hold(moved, to, SlotHold::Gone).await?;
                self.purge(moved, to).await?;
                Ok(JobStep::PreCopy)
            }
            JobStep::PreCopy => self.pre_copy(moved, progress).await,
            JobStep::Freeze => {
                self.freezing(moved.job);
                match self.hold(moved, from, SlotHold::Frozen { round }).await {
                    Ok(()) => {
                        // It may have waited for a leader.
                        self.note(moved.job, |frozen| frozen.lapses = Instant::now() + FREEZE_MAX);
                        Ok(JobStep::Delta)
                    }
                    Err(error) => self.another_round(moved, error),
                }
            }
            JobStep::Delta => self.delta(moved, progress).await,
            JobStep::Activate => {
                self.hold(moved, to, SlotHold::Owned).await?;
                self.served_again(moved.job);
                self.hold(moved, from, SlotHold::Gone).await?;
                Ok(JobStep::Purge)
            }
            JobStep::Purge => {
                self.hold(moved, from, SlotHold::Gone).await?;
                self.purge(moved, from).await?;
                Ok(JobStep::Done)
            }
            JobStep::Undo => {
                self.hold(moved, from, SlotHold::Owned).await?;
                self.served_again(moved.job);
                self.purge(moved, from).await?;
                self.hold(moved, to, SlotHold::Gone).await?;
                self.purge(moved, to).await?;
                Ok(JobStep::Abandoned)
            }
            JobStep::Done | JobStep::Abandoned => Ok(moved.step),
        }
    }

    async fn pre_copy(&self, moved: &SlotMove, progress: &Progress) -> Result<JobStep, MoveError> {
        let round = moved.round;
        let source = self.hold(moved, moved.from, SlotHold::Moving { round });
        let target = self.hold(moved, moved.to, SlotHold::Incoming);
        futures::future::try_join(source, target).await?;
        if self.served_again(moved.job) {
            tokio::time::sleep(THAWED_PAUSE).await;
        }
        let began = Instant::now();
        let (rows, bytes) = self.copy(moved, progress).await?;
        let took = began.elapsed();
        tracing::info!(job = moved.job.0, round, rows, bytes, micros = micros(took), "slots copied");
        let short = took < SHORT_ROUND || round >= ROUNDS_MAX;
        Ok(if short { JobStep::Freeze } else { JobStep::PreCopy })
    }

    async fn delta(&self, moved: &SlotMove, progress: &Progress) -> Result<JobStep, MoveError> {
        // A controller that comes upon frozen slots does not know since when.
        let Frozen { lapses, .. } = self.freezing(moved.job);
        let round = moved.round;
        let promised = async {
            let source = self.hold(moved, moved.from, SlotHold::Frozen { round });
            let target = self.hold(moved, moved.to, SlotHold::Incoming);
            futures::future::try_join(source, target).await?;
            self.copy(moved, progress).await?;
            self.note(moved.job, |frozen| frozen.promised = frozen.promised.or_else(|| Some(Instant::now())));
            self.hold(moved, moved.from, SlotHold::Promised { round }).await
        };
        match tokio::time::timeout_at(lapses.into(), promised).await {
            // The source serves no more until it is told by the placement's next step; nothing waits from here on.
            Ok(Ok(())) => Ok(JobStep::Activate),
            Ok(Err(error)) => self.another_round(moved, error),
            Err(_) => Ok(JobStep::PreCopy),
        }
    }

    /// A source that does not stand as it should has let the freeze lapse.
    fn another_round(&self, moved: &SlotMove, error: MoveError) -> Result<JobStep, MoveError> {
        match error {
            MoveError::OutOfOrder { group, .. } if group == moved.from => {
                tracing::info!(job = moved.job.0, round = moved.round, "slots thawed: frozen for too long");
                self.note(moved.job, |frozen| frozen.promised = None);
                Ok(JobStep::PreCopy)
            }
            error => Err(error),
        }
    }

    /// Since when the slots of a job are frozen, or are about to be.
    fn freezing(&self, job: JobId) -> Frozen {
        let mut frozen = self.frozen();
        match *frozen {
            Some(known) if known.job == job => known,
            _ => {
                let since = Instant::now();
                *frozen.insert(Frozen { job, since, lapses: since + FREEZE_MAX, promised: None })
            }
        }
    }

    /// Notes something about the slots of a job while they are frozen.
    fn note(&self, job: JobId, note: impl FnOnce(&mut Frozen)) {
        if let Some(frozen) = self.frozen().as_mut().filter(|frozen| frozen.job == job) {
            note(frozen);
        }
    }

    /// Slots are served again, by the target or by the source. Whether they were known to be frozen.
    fn served_again(&self, job: JobId) -> bool {
        let Some(frozen) = self.frozen().take_if(|frozen| frozen.job == job) else { return false };
        let took = frozen.took();
        self.metrics.slot_freeze_seconds.observe(took.as_secs_f64());
        tracing::info!(job = job.0, frozen_micros = micros(took), "slots were frozen");
        true
    }

    /// Nothing that holds the lock can panic half way through a change.
    fn frozen(&self) -> MutexGuard<'_, Option<Frozen>> {
        self.frozen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn hold(&self, moved: &SlotMove, group: GroupId, hold: SlotHold) -> Result<(), MoveError> {
        let order = pb::HoldSlotsRequest::from(HoldSlots { group, fence: moved.fence, slots: moved.slots, hold });
        let send = |mut client: crate::transfer::Client| async move { client.hold_slots(order).await };
        let reply = self.leaders.call(group, PATIENCE, send).await.map_err(refused(group))?;
        let OrderReply(outcome) = OrderReply::try_from(reply.into_inner()).map_err(|_| unreadable(group))?;
        outcome.map_err(|reason| not_followed(moved, group, reason))
    }

    async fn purge(&self, moved: &SlotMove, group: GroupId) -> Result<(), MoveError> {
        let (mut first, last) = moved.slots;
        loop {
            let purge = Purge { fence: moved.fence, range: (first, last) };
            let order = pb::PurgeSlotsRequest::from(PurgeSlots { group, purge });
            let send = |mut client: crate::transfer::Client| async move { client.purge_slots(order).await };
            let reply = self.leaders.call(group, PATIENCE, send).await.map_err(refused(group))?;
            let PurgeReply(purged) = PurgeReply::try_from(reply.into_inner()).map_err(|_| unreadable(group))?;
            match purged.map_err(|reason| not_followed(moved, group, reason))? {
                Some(next) => first = next,
                None => return Ok(()),
            }
        }
    }

    /// Has the source copy what this step copies. Goes on where it broke off as long as it gets on.
    async fn copy(&self, moved: &SlotMove, progress: &Progress) -> Result<(u64, u64), MoveError> {
        let mut copied = Copied { after: None, rows: 0, bytes: 0 };
        let mut got_on = Instant::now();
        loop {
            let before = (copied.rows, copied.bytes);
            let broken = match self.copy_on(moved, &mut copied, progress).await {
                Ok(()) => return Ok((copied.rows, copied.bytes)),
                Err(error @ (MoveError::Superseded { .. } | MoveError::OutOfOrder { .. })) => return Err(error),
                Err(broken) => broken,
            };
            if before != (copied.rows, copied.bytes) {
                got_on = Instant::now();
            } else if got_on.elapsed() > PATIENCE {
                return Err(broken);
            }
            tokio::time::sleep(BROKEN_PAUSE).await;
        }
    }

    async fn copy_on(&self, moved: &SlotMove, copied: &mut Copied, progress: &Progress) -> Result<(), MoveError> {
        let SlotMove { from, to, slots, fence, .. } = *moved;
        let request = pb::CopySlotsRequest::from(CopySlots { from, to, fence, slots, after: copied.after.clone() });
        let send = |mut client: crate::transfer::Client| {
            let request = request.clone();
            async move { client.copy_slots(request).await }
        };
        let mut told = self.leaders.call(from, PATIENCE, send).await.map_err(refused(from))?.into_inner();
        let broken = |source| MoveError::Refused { group: from, source };
        let (rows, bytes) = (copied.rows, copied.bytes);
        loop {
            let message = tokio::time::timeout(SILENCE_MAX, told.message()).await;
            let message = message.map_err(|_| broken(Refusal::new(ErrorCode::DeadlineExceeded)))?;
            let message = message.map_err(|status| {
                broken(Refusal::from_status(&status).unwrap_or(Refusal::new(ErrorCode::Unavailable)))
            })?;
            let message = message.ok_or_else(|| unreadable(from))?;
            let CopyProgress { rows: more_rows, bytes: more_bytes, state } =
                CopyProgress::try_from(message).map_err(|_| unreadable(from))?;
            (copied.rows, copied.bytes) = (rows + more_rows, bytes + more_bytes);
            // How many rows there are nobody counts.
            progress.set(copied.rows, 0);
            match state {
                CopyState::UnderWay(place) => copied.after = Some(place),
                CopyState::Done => return Ok(()),
                CopyState::NotFollowed(reason) => return Err(not_followed(moved, from, reason)),
            }
        }
    }
}

/// How far the copy of one step got, whoever led the source meanwhile.
struct Copied {
    after: Option<Place>,
    rows: u64,
    bytes: u64,
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

fn refused(group: GroupId) -> impl FnOnce(Refusal) -> MoveError {
    move |source| MoveError::Refused { group, source }
}

fn unreadable(group: GroupId) -> MoveError {
    MoveError::Refused { group, source: Refusal::new(ErrorCode::Unavailable) }
}

fn not_followed(moved: &SlotMove, group: GroupId, reason: NotFollowed) -> MoveError {
    match reason {
        NotFollowed::Fenced => MoveError::Superseded { group },
        NotFollowed::OutOfOrder => MoveError::OutOfOrder { group, step: moved.step },
    }
}
