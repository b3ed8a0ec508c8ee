//! Groups, their replicas, and the nodes that host them.

use renkei_ids::{DiskId, GroupId, NodeId, ReplicaId};

/// Most nodes of a cloud.
pub const NODES_MAX: usize = 64;
/// Most shard groups of a cloud.
pub const GROUPS_MAX: usize = 64;
/// Most replicas that are remembered after they left: the oldest is forgotten first.
pub const RETIRED_MAX: usize = 1024;

/// A node as the registry knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// host:port of its services.
    pub address: String,
    /// The disk that it has claimed; `None` until it has.
    pub disk: Option<DiskId>,
    /// Replicas up to this id were named for a disk that is lost, and are never opened again; 0 for none.
    pub lost: ReplicaId,
    /// It gets no new replicas.
    pub drained: bool,
}

impl Node {
    /// A node that has claimed no disk yet.
    pub(crate) fn at(address: String) -> Self {
        Self { address, disk: None, lost: ReplicaId(0), drained: false }
    }
}

/// One replica of a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Replica {
    /// Its id, never used for another.
    pub id: ReplicaId,
    /// Where it runs.
    pub node: NodeId,
}

/// A group. Its first replica founds it and is where its leader should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Its replicas.
    pub replicas: Vec<Replica>,
    /// Replicas up to this id were there when it was founded; `None` for those of the cloud's own founding, 0 when it is
    /// known to have started.
    pub(crate) founders: Option<u64>,
}

impl Group {
    /// A group of the cloud's founding.
    pub fn founding(replicas: Vec<Replica>) -> Self {
        Self { replicas, founders: None }
    }

    /// Whether it has a replica on this node.
    pub fn is_on(&self, node: NodeId) -> bool {
        self.on(node).is_some()
    }

    /// Its replica on a node.
    pub fn on(&self, node: NodeId) -> Option<Replica> {
        self.replicas.iter().find(|replica| replica.node == node).copied()
    }
}

/// A replica that left its group. Its node removes it, and says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retired {
    /// The group that it was of.
    pub group: GroupId,
    /// The replica and its node.
    pub replica: Replica,
}
