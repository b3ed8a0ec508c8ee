//! What operators ask of the placement.

use renkei_ids::{GroupId, NodeId};
use renkei_placement::{Job, JobId, SlotRange};

use super::NodeAt;

/// Adds a node to the registry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddNodeRequest {
    /// The node and where it listens.
    pub node: NodeAt,
}

/// What an operator wants of the placement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SubmitRequest {
    /// A replica gives way to a new one on another node.
    MoveReplica {
        /// Its group.
        group: GroupId,
        /// Node of the replica that goes; never 0.
        from: NodeId,
        /// Node of the one that comes; never 0.
        to: NodeId,
    },
    /// A group is led from another node.
    MoveLeader {
        /// The group.
        group: GroupId,
        /// The node; never 0.
        to: NodeId,
    },
    /// A node hosts nothing, and gets nothing any more.
    Drain {
        /// The node; never 0.
        node: NodeId,
    },
    /// Another node, or the same one on the disk that it has now, hosts what a node hosted.
    Replace {
        /// The node that is dead or lost its disk; never 0.
        node: NodeId,
        /// The other node; `None` for the same one.
        by: Option<NodeId>,
    },
    /// Replicas and leaders are spread evenly.
    Rebalance,
    /// There are so many shard groups, each with an even share of the slots.
    Grow {
        /// 1 to [`BOOTSTRAP_MAX_GROUPS`](crate::limits::BOOTSTRAP_MAX_GROUPS).
        groups: u32,
    },
    /// Slots go to another group.
    MoveSlots {
        /// Where they are.
        from: GroupId,
        /// Which, and where to.
        to: SlotRange,
    },
}

/// A plan is queued.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SubmitReply {
    /// Its first job; `None` where there is nothing to do.
    pub first: Option<JobId>,
    /// How many jobs it has.
    pub jobs: u32,
}

/// The jobs of the newest plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobsReply {
    /// Stamp of the placement that holds them.
    pub stamp: u64,
    /// In the order in which they are done, at most [`JOBS_MAX`](renkei_placement::JOBS_MAX).
    pub jobs: Vec<(JobId, Job)>,
    /// Of the job under way.
    pub progress: Option<JobProgress>,
}

/// How far a job got within its step.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JobProgress {
    /// Log entries or rows done.
    pub done: u64,
    /// And to do in all; 0 where there is nothing to count.
    pub of: u64,
    /// What it waits for, in words, at most [`WAITS_FOR_MAX_BYTES`](crate::limits::WAITS_FOR_MAX_BYTES); empty where it
    /// goes on.
    pub waits_for: String,
}
