//! Where a gateway sends what: the slot map with the places of groups and nodes.

use renkei_ids::{GroupId, NodeId, ReplicaId, SlotEpoch};
use renkei_placement::SlotMap;

use crate::NodeAddress;

/// Everything that routing needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouteMap {
    /// Version of the slot map; never 0.
    pub epoch: SlotEpoch,
    /// The group of every slot.
    pub slots: SlotMap,
    /// The shard groups, ascending by id.
    pub groups: Vec<GroupPlace>,
    /// The nodes, ascending by id.
    pub nodes: Vec<(NodeId, NodeAddress)>,
}

/// Where a group's replicas are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupPlace {
    /// The group.
    pub group: GroupId,
    /// Its replicas and their nodes; the first is where its leader should be.
    pub replicas: Vec<(ReplicaId, NodeId)>,
    /// The node that was last seen to lead it; a hint.
    pub leader: Option<NodeId>,
}

impl RouteMap {
    /// The node to try first for a group: the leader last seen, else that of the first replica.
    pub fn node_for(&self, group: GroupId) -> Option<NodeId> {
        let place = self.groups.iter().find(|place| place.group == group)?;
        place.leader.or_else(|| place.replicas.first().map(|(_, node)| *node))
    }
}
