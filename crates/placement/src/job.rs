//! Placement jobs: what is to move where, and how far it got. Their states are decided here; the moves themselves are
//! carried out by the nodes, step by step, each step idempotent.

use renkei_ids::{DiskId, GroupId, NodeId, ReplicaId};

use crate::slot_map::SlotRange;

/// Most jobs of one plan.
pub const JOBS_MAX: usize = 4096;

/// A job's number: grows by one and is never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct JobId(pub u64);

/// What is to change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JobKind {
    /// Slots go to another group; the range names the group they go to.
    MoveSlots {
        /// Where they are.
        from: GroupId,
        /// What goes where.
        to: SlotRange,
    },
    /// A replica gives way to a new one on another node, or on its own node where that has another disk now.
    MoveReplica {
        /// Its group.
        group: GroupId,
        /// The replica that goes.
        from: ReplicaId,
        /// The node of the one that comes.
        to: NodeId,
    },
    /// A group is led from another of its nodes from here on.
    MoveLeader {
        /// The group.
        group: GroupId,
        /// The node that its leader is to be on.
        to: NodeId,
    },
    /// A group is added, without slots. Its number follows on the last one's.
    AddGroup {
        /// The node of each of its replicas; it is led from the first.
        nodes: Vec<NodeId>,
    },
    /// A node lost its disk and goes on with another: what was named for the old one is never opened again.
    ReplaceDisk {
        /// The node.
        node: NodeId,
        /// Its disk now.
        disk: DiskId,
    },
    /// A node gets no new replica from here on.
    Drain {
        /// The node.
        node: NodeId,
    },
}

/// How far a job got. A slot move goes through all steps but [`Undo`](Self::Undo); other kinds leave some out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum JobStep {
    /// Nothing is done yet.
    Queued = 1,
    /// Content is copied while the source serves, round by round.
    PreCopy = 2,
    /// The source serves no longer, the target not yet.
    Freeze = 3,
    /// What changed since the copy is copied.
    Delta = 4,
    /// The placement names the target: there is no way back.
    Activate = 5,
    /// The source removes its copy.
    Purge = 6,
    /// Done.
    Done = 7,
    /// Given up before the placement changed; the source serves.
    Abandoned = 8,
    /// Given up, and what was prepared is being taken back.
    Undo = 9,
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
            Self::Undo,
        ]
        .into_iter()
        .find(|step| u32::from(*step as u8) == raw)
    }

    /// Whether nothing follows.
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Done | Self::Abandoned)
    }

    /// Whether a job of this kind may go from this step to `next`. A slot move may copy another round, also after a
    /// freeze that took too long.
    pub fn leads_to(self, next: Self, kind: &JobKind) -> bool {
        use JobStep::{Abandoned, Activate, Delta, Done, Freeze, PreCopy, Purge, Queued, Undo};
        if (self, next) == (Queued, Abandoned) || (self, next) == (Undo, Abandoned) {
            return true;
        }
        match kind {
            JobKind::MoveSlots { .. } => matches!(
                (self, next),
                (Queued | PreCopy | Freeze | Delta, PreCopy)
                    | (PreCopy, Freeze)
                    | (Freeze, Delta)
                    | (Delta, Activate)
                    | (Activate, Purge)
                    | (Purge, Done)
                    | (PreCopy | Freeze | Delta, Undo)
            ),
            JobKind::MoveReplica { .. } => matches!(
                (self, next),
                (Queued, PreCopy) | (PreCopy, Activate | Undo) | (Activate, Purge) | (Purge, Done)
            ),
            JobKind::MoveLeader { .. } => {
                matches!((self, next), (Queued, PreCopy) | (PreCopy, Activate | Undo) | (Activate, Done))
            }
            JobKind::AddGroup { .. } | JobKind::ReplaceDisk { .. } | JobKind::Drain { .. } => {
                matches!((self, next), (Queued, Activate) | (Activate, Done))
            }
        }
    }

    /// Where a job goes when it is given up here; `None` where it ends by itself or has no way back.
    pub(crate) fn given_up(self) -> Option<Self> {
        match self {
            Self::Queued => Some(Self::Abandoned),
            Self::PreCopy | Self::Freeze | Self::Delta => Some(Self::Undo),
            Self::Activate | Self::Purge | Self::Done | Self::Abandoned | Self::Undo => None,
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
    /// Rounds of copying begun; 0 before the first.
    pub round: u32,
    /// The replica that comes, once its id has been drawn.
    pub incoming: Option<ReplicaId>,
}

impl Job {
    pub(crate) const fn queued(kind: JobKind) -> Self {
        Self { kind, step: JobStep::Queued, round: 0, incoming: None }
    }
}
