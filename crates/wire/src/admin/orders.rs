//! What nodes ask of one another to carry out placement jobs.

use renkei_ids::{DiskId, GroupId, NodeId, ReplicaId, SlotEpoch};
use renkei_placement::Placement;

use super::{Member, ReplicaStatus};

/// Asks for a newer placement than the caller has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlacementRequest {
    /// Stamp of the placement that the caller has; 0 for none.
    pub stamp: u64,
    /// Epoch of its slot map; 0 for none.
    pub epoch: SlotEpoch,
}

/// A placement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlacementReply {
    /// `None` where the caller's is as new.
    pub placement: Option<Placement>,
}

/// Has a node take over a placement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FollowRequest {
    /// The placement.
    pub placement: Placement,
}

/// What a node has open after it took over a placement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FollowReply {
    /// Stamp of the placement that it has carried out.
    pub stamp: u64,
    /// The disk that it works on.
    pub disk: DiskId,
    /// What is open, at most [`ADMIN_MAX_REPLICAS`](crate::limits::ADMIN_MAX_REPLICAS).
    pub replicas: Vec<ReplicaStatus>,
}

/// A node names its disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClaimDiskRequest {
    /// The node; never 0.
    pub node: NodeId,
    /// Its disk.
    pub disk: DiskId,
}

/// Gives a group other members.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangeMembersRequest {
    /// The group; the meta group too.
    pub group: GroupId,
    /// Stamp of the placement that the order follows from.
    pub stamp: u64,
    /// Log index of the members that are to change.
    pub membership: u64,
    /// Who is to vote: 1 to [`ADMIN_MAX_NODES`](crate::limits::ADMIN_MAX_NODES).
    pub voters: Vec<Member>,
    /// Who is to follow without a vote, at most as many.
    pub learners: Vec<Member>,
}

/// Has the leader of a group hand over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TransferLeaderRequest {
    /// The group; the meta group too.
    pub group: GroupId,
    /// Stamp of the placement that the order follows from.
    pub stamp: u64,
    /// Who is to lead; never 0.
    pub to: ReplicaId,
}
