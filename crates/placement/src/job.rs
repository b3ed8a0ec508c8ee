//! Placement jobs: what is to move where, and how far it got. Their states are decided here; the moves themselves are
//! carried out by the nodes, step by step, each step idempotent.

use renkei_ids::{GroupId, NodeId, ReplicaId};

use crate::slot_map::SlotRange;

/// A job's number: grows by one and is never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct JobId(pub u64);

/// What is to move.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JobKind {
    /// Slots go to another group; each range names the group they go to.
    MoveSlots {
        /// Where they are.
        from: GroupId,
        /// What goes where.
        to: SlotRange,
    },
    /// A replica gives way to a new one on another node.
    MoveReplica {
        /// Its group.
        group: GroupId,
        /// The replica that goes.
        from: ReplicaId,
        /// The node of the one that comes.
        to: NodeId,
    },
}

/// How far a job got. A slot move goes through all steps; a replica move has no freeze and no delta.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum JobStep {
    /// Nothing is done yet.
    Queued = 1,
    /// Content is copied while the source serves.
    PreCopy = 2,
    /// The source serves no longer, the target not yet.
    Freeze = 3,
    /// What changed since the copy is copied.
    Delta = 4,
    /// The map names the target, under a new epoch.
    Activate = 5,
    /// The source removes its copy.
    Purge = 6,
    /// Done.
    Done = 7,
    /// Given up before the map changed; the source serves.
    Abandoned = 8,
}

impl JobStep {
    pub(crate) fn from_raw(raw: u32) -> Option<Self> {
        [
            Self::Queued,
            Self::PreCopy,
            Self::Freeze,
            Self::Delta,
            Self::Activate,
            Self::Purge,
            Self::Done,
            Self::Abandoned,
        ]
        .into_iter()
        .find(|step| u32::from(*step as u8) == raw)
    }

    /// Whether nothing follows.
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Done | Self::Abandoned)
    }

    /// Whether a job of this kind may go from this step to `next`. A job can be abandoned until the map names its
    /// target.
    pub fn leads_to(self, next: Self, kind: &JobKind) -> bool {
        let moves_slots = matches!(kind, JobKind::MoveSlots { .. });
        match (self, next) {
            (Self::Queued | Self::PreCopy | Self::Freeze | Self::Delta, Self::Abandoned) => true,
            (Self::PreCopy, Self::Activate) => !moves_slots,
            (Self::PreCopy, Self::Freeze) | (Self::Freeze, Self::Delta) | (Self::Delta, Self::Activate) => moves_slots,
            (Self::Queued, Self::PreCopy) | (Self::Activate, Self::Purge) | (Self::Purge, Self::Done) => true,
            _ => false,
        }
    }
}

/// A job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// What.
    pub kind: JobKind,
    /// How far.
    pub step: JobStep,
}
