use renkei_ids::{GroupId, NodeId, ReplicaId, Slot, SlotEpoch};
use renkei_placement::{InvalidSlotMap, SlotMap, SlotRange};

use crate::bounds::at_most;
use crate::limits::{ADMIN_MAX_NODES, ADMIN_MAX_REPLICAS};
use crate::pb::node::v1 as pb;
use crate::{GroupPlace, InvalidNodeAddress, InvalidSize, RouteMap};

/// A map that routes nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidRouteMap {
    /// Its epoch is 0.
    #[error("epoch of the map is 0")]
    Epoch,
    /// A range names a slot past the last.
    #[error("slot of a range")]
    Slot(#[source] renkei_ids::InvalidSlot),
    /// The ranges do not cover every slot once.
    #[error("ranges of the map")]
    Ranges(#[source] InvalidSlotMap),
    /// Too many groups, replicas or nodes.
    #[error("size of the map")]
    Size(#[source] InvalidSize),
    /// A replica or node is 0.
    #[error("a replica or node of the map is 0")]
    Zero,
    /// The address of a node.
    #[error("address of a node of the map")]
    Address(#[source] InvalidNodeAddress),
}

impl TryFrom<pb::SlotMap> for Option<RouteMap> {
    type Error = InvalidRouteMap;

    /// `None` is the answer to a caller whose map is the newest.
    fn try_from(message: pb::SlotMap) -> Result<Self, InvalidRouteMap> {
        let pb::SlotMap { epoch, slots, groups, nodes } = message;
        if slots.is_empty() && groups.is_empty() && nodes.is_empty() {
            return Ok(None);
        }
        if epoch == 0 {
            return Err(InvalidRouteMap::Epoch);
        }
        at_most(nodes.len(), ADMIN_MAX_NODES).map_err(InvalidRouteMap::Size)?;
        at_most(groups.len(), ADMIN_MAX_REPLICAS).map_err(InvalidRouteMap::Size)?;
        let ranges = slots.into_iter().map(range).collect::<Result<Vec<_>, _>>()?;
        Ok(Some(RouteMap {
            epoch: SlotEpoch(epoch),
            slots: SlotMap::from_ranges(&ranges).map_err(InvalidRouteMap::Ranges)?,
            groups: groups.into_iter().map(GroupPlace::try_from).collect::<Result<_, _>>()?,
            nodes: nodes
                .into_iter()
                .map(|pb::NodePlace { node, address }| {
                    Ok((nonzero(node).map(NodeId)?, address.parse().map_err(InvalidRouteMap::Address)?))
                })
                .collect::<Result<_, _>>()?,
        }))
    }
}

fn range(message: pb::SlotRange) -> Result<SlotRange, InvalidRouteMap> {
    let pb::SlotRange { first, last, group } = message;
    let slot = |raw| Slot::try_from(raw).map_err(InvalidRouteMap::Slot);
    Ok(SlotRange { first: slot(first)?, last: slot(last)?, group: GroupId(group) })
}

fn nonzero(value: u32) -> Result<u32, InvalidRouteMap> {
    if value == 0 { Err(InvalidRouteMap::Zero) } else { Ok(value) }
}

impl TryFrom<pb::GroupPlace> for GroupPlace {
    type Error = InvalidRouteMap;

    fn try_from(message: pb::GroupPlace) -> Result<Self, InvalidRouteMap> {
        let pb::GroupPlace { group, replicas, leader_node } = message;
        at_most(replicas.len(), ADMIN_MAX_REPLICAS).map_err(InvalidRouteMap::Size)?;
        let replicas = replicas.into_iter().map(|pb::ReplicaPlace { replica, node }| {
            if replica == 0 { Err(InvalidRouteMap::Zero) } else { Ok((ReplicaId(replica), nonzero(node).map(NodeId)?)) }
        });
        Ok(Self {
            group: GroupId(group),
            replicas: replicas.collect::<Result<_, _>>()?,
            leader: leader_node.map(nonzero).transpose()?.map(NodeId),
        })
    }
}

impl From<RouteMap> for pb::SlotMap {
    fn from(map: RouteMap) -> Self {
        let RouteMap { epoch, slots, groups, nodes } = map;
        let range = |range: SlotRange| pb::SlotRange {
            first: u32::from(range.first.get()),
            last: u32::from(range.last.get()),
            group: range.group.0,
        };
        Self {
            epoch: epoch.0,
            slots: slots.ranges().into_iter().map(range).collect(),
            groups: groups.into_iter().map(Into::into).collect(),
            nodes: nodes
                .into_iter()
                .map(|(node, address)| pb::NodePlace { node: node.0, address: address.to_string() })
                .collect(),
        }
    }
}

impl From<GroupPlace> for pb::GroupPlace {
    fn from(place: GroupPlace) -> Self {
        let GroupPlace { group, replicas, leader } = place;
        let replicas =
            replicas.into_iter().map(|(replica, node)| pb::ReplicaPlace { replica: replica.0, node: node.0 });
        Self { group: group.0, replicas: replicas.collect(), leader_node: leader.map(|node| node.0) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map() -> RouteMap {
        let groups = [GroupId(1), GroupId(2)];
        RouteMap {
            epoch: SlotEpoch(3),
            slots: SlotMap::even(&groups).unwrap(),
            groups: groups
                .map(|group| GroupPlace { group, replicas: vec![(ReplicaId(4), NodeId(1))], leader: None })
                .into(),
            nodes: vec![(NodeId(1), "127.0.0.1:7000".parse().unwrap())],
        }
    }

    #[test]
    fn a_map_reads_back_and_an_empty_one_is_none() {
        assert_eq!(Option::try_from(pb::SlotMap::from(map())), Ok(Some(map())));
        assert_eq!(Option::<RouteMap>::try_from(pb::SlotMap { epoch: 3, ..Default::default() }), Ok(None));
    }

    #[test]
    fn a_map_that_routes_nothing_is_refused_by_name() {
        let refused = |change: fn(&mut pb::SlotMap)| {
            let mut message = pb::SlotMap::from(map());
            change(&mut message);
            Option::<RouteMap>::try_from(message).unwrap_err()
        };
        assert_eq!(refused(|map| map.epoch = 0), InvalidRouteMap::Epoch);
        assert!(matches!(refused(|map| map.slots[0].last = 4096), InvalidRouteMap::Slot(_)));
        assert!(matches!(refused(|map| map.slots.truncate(1)), InvalidRouteMap::Ranges(_)));
        assert_eq!(refused(|map| map.nodes[0].node = 0), InvalidRouteMap::Zero);
        assert_eq!(refused(|map| map.groups[0].replicas[0].replica = 0), InvalidRouteMap::Zero);
        assert!(matches!(refused(|map| map.nodes[0].address.clear()), InvalidRouteMap::Address(_)));
        assert!(matches!(
            refused(|map| map.nodes = vec![map.nodes[0].clone(); ADMIN_MAX_NODES + 1]),
            InvalidRouteMap::Size(_)
        ));
    }

    #[test]
    fn the_last_leader_is_tried_first() {
        let mut map = map();
        assert_eq!(map.node_for(GroupId(2)), Some(NodeId(1)));
        map.groups[1].leader = Some(NodeId(9));
        assert_eq!(map.node_for(GroupId(2)), Some(NodeId(9)));
        assert_eq!(map.node_for(GroupId(3)), None);
    }
}
