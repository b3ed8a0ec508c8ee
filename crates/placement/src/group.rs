//! Groups, their replicas, and the nodes that host them.

use renkei_ids::{NodeId, ReplicaId};

/// Most nodes of a cloud.
pub const NODES_MAX: usize = 64;
/// Most shard groups of a cloud.
pub const GROUPS_MAX: usize = 64;

/// A node as the registry knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// host:port of its services.
    pub address: String,
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
}
