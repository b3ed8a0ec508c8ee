//! What operators ask of nodes and vaults, and each of these on behalf of one another. Nothing here is about a patient.

mod orders;
mod plans;

use renkei_ids::{DiskId, GroupId, NodeId, ReplicaId, SlotEpoch};
use renkei_placement::{Job, JobId};

use crate::NodeAddress;

pub use orders::{
    ChangeMembersRequest, ClaimDiskRequest, FollowReply, FollowRequest, PlacementReply, PlacementRequest,
    TransferLeaderRequest,
};
pub use plans::{AddNodeRequest, JobProgress, JobsReply, SubmitReply, SubmitRequest};

/// A node and where it listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeAt {
    /// The node; never 0.
    pub node: NodeId,
    /// Where its services listen.
    pub address: NodeAddress,
}

/// Founds the cloud.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BootstrapRequest {
    /// 1 to [`ADMIN_MAX_NODES`](crate::limits::ADMIN_MAX_NODES), no node or address twice.
    pub nodes: Vec<NodeAt>,
    /// Shard groups to found: 1 to [`BOOTSTRAP_MAX_GROUPS`](crate::limits::BOOTSTRAP_MAX_GROUPS).
    pub groups: u32,
    /// Replicas of each group: 1, 3 or 5, and no more than nodes.
    pub replicas: u32,
}

/// The cloud is founded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BootstrapReply {
    /// Epoch of its first slot map; never 0.
    pub slot_epoch: SlotEpoch,
}

/// A replica and the node that hosts it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Member {
    /// The replica; never 0.
    pub replica: ReplicaId,
    /// The node; never 0.
    pub node: NodeId,
}

/// Opens a replica on the node that is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenReplicaRequest {
    /// The group; the meta group too.
    pub group: GroupId,
    /// The replica; never 0.
    pub replica: ReplicaId,
    /// Nodes to be known by it: 1 to [`ADMIN_MAX_NODES`](crate::limits::ADMIN_MAX_NODES), none twice.
    pub nodes: Vec<NodeAt>,
}

/// Asks for digests of one group's state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DigestRequest {
    /// The group; the meta group too.
    pub group: GroupId,
}

/// How one replica stands. Log positions are indices; 0 is before the first entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplicaStatus {
    /// The group.
    pub group: GroupId,
    /// The replica; never 0.
    pub replica: ReplicaId,
    /// Raft term.
    pub term: u64,
    /// Who leads, where known.
    pub leader: Option<Member>,
    /// Last entry in the log.
    pub last_log: u64,
    /// Last entry known to be committed.
    pub committed: u64,
    /// Last entry applied.
    pub applied: u64,
    /// Last entry inside the newest snapshot.
    pub snapshot: u64,
    /// Last entry dropped from the log.
    pub purged: u64,
    /// Members of the group, at most [`ADMIN_MAX_REPLICAS`](crate::limits::ADMIN_MAX_REPLICAS).
    pub members: Vec<Member>,
    /// Whether this replica leads.
    pub leads: bool,
    /// Those of the members that vote, none 0; during a change those of either side.
    pub voters: Vec<ReplicaId>,
    /// Whether a change of members is under way.
    pub changing: bool,
    /// Log index of the members; 0 before there are any.
    pub membership: u64,
}

/// How a node stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusReply {
    /// The node; never 0.
    pub node: NodeId,
    /// The newest slot map that it knows; 0 before the cloud is founded.
    pub slot_epoch: SlotEpoch,
    /// Replicas that it hosts, at most [`ADMIN_MAX_REPLICAS`](crate::limits::ADMIN_MAX_REPLICAS).
    pub replicas: Vec<ReplicaStatus>,
    /// Free share of its data disk in thousandths, 0 to 1,000.
    pub disk_free_permille: u16,
    /// Stamp of the newest placement that it knows; 0 before the cloud is founded.
    pub stamp: u64,
    /// The disk that it works on.
    pub disk: DiskId,
    /// The placement names another disk for it than the one that it works on: it opens nothing.
    pub disk_refused: bool,
    /// The job under way, as far as it knows.
    pub job: Option<(JobId, Job)>,
    /// The version of commands that its build applies.
    pub commands_version: u32,
}

/// How a vault stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VaultStatus {
    /// Its number; never 0.
    pub vault: NodeId,
    /// All vaults of the group as configured here: 1 to [`ADMIN_MAX_NODES`](crate::limits::ADMIN_MAX_NODES), ascending,
    /// this one among them.
    pub members: Vec<NodeId>,
    /// `None` where none is open: before the founding, and after the disk was lost.
    pub replica: Option<ReplicaStatus>,
    /// Log or state of the replica hold something.
    pub begun: bool,
    /// The founding has reached this replica.
    pub founded: bool,
    /// Ed25519 public key that it signs capabilities with.
    pub signing_key: [u8; 32],
    /// Epoch of its epoch key; never 0.
    pub key_epoch: u32,
    /// Free share of its data disk in thousandths, 0 to 1,000.
    pub disk_free_permille: u16,
}

/// How a registrar stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegistrarStatus {
    /// Its number; never 0.
    pub registrar: NodeId,
    /// All replicas as configured here: 1 to [`ADMIN_MAX_NODES`](crate::limits::ADMIN_MAX_NODES), ascending, this one among
    /// them.
    pub members: Vec<NodeId>,
    /// `None` where none is open: before the founding, and after the disk was lost.
    pub replica: Option<ReplicaStatus>,
    /// Log or state of the replica hold something.
    pub begun: bool,
    /// The founding has reached this replica.
    pub founded: bool,
    /// By which replicas see that they have the same keys.
    pub keys_check: [u8; 32],
    /// Free share of its data disk in thousandths, 0 to 1,000.
    pub disk_free_permille: u16,
}

/// The digest that one replica computed of its state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReplicaDigest {
    /// The group.
    pub group: GroupId,
    /// The replica; never 0.
    pub replica: ReplicaId,
    /// The log index at which.
    pub index: u64,
    /// The digest.
    pub digest: [u8; 32],
}

/// Digests of the replicas that the node asked hosts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DigestReply {
    /// At most [`ADMIN_MAX_REPLICAS`](crate::limits::ADMIN_MAX_REPLICAS).
    pub digests: Vec<ReplicaDigest>,
}
