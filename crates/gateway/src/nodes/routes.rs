//! Where a slot is served, as the slot map says, and who leads there, as refusals teach.

use std::collections::BTreeMap;

use renkei_ids::{GroupId, NodeId, Slot, SlotEpoch};
use renkei_wire::{GroupPlace, NodeAddress, RouteMap};

/// A slot map by which some requests cannot be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("slot {0} lies in group {1}, no replica of which has an address")]
pub(super) struct Unserved(Slot, GroupId);

/// The routes of one slot map.
#[derive(Clone, Debug)]
pub(super) struct Routes {
    epoch: SlotEpoch,
    slots: Vec<GroupId>,
    groups: BTreeMap<GroupId, Places>,
}

/// Nodes of one group, and the one to ask.
#[derive(Clone, Debug)]
struct Places {
    nodes: Vec<(NodeId, NodeAddress)>,
    ask: usize,
}

/// Where to send a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Route {
    pub(super) epoch: SlotEpoch,
    pub(super) group: GroupId,
    pub(super) node: NodeId,
    pub(super) address: NodeAddress,
}

impl TryFrom<RouteMap> for Routes {
    type Error = Unserved;

    fn try_from(map: RouteMap) -> Result<Self, Unserved> {
        let RouteMap { epoch, slots, groups, nodes } = map;
        let addresses: BTreeMap<_, _> = nodes.into_iter().collect();
        let groups: BTreeMap<_, _> = groups.into_iter().filter_map(|place| places(place, &addresses)).collect();
        let served = |slot| {
            let group = slots.group_of(slot);
            if groups.contains_key(&group) { Ok(group) } else { Err(Unserved(slot, group)) }
        };
        let slots = Slot::all().map(served).collect::<Result<_, _>>()?;
        Ok(Self { epoch, slots, groups })
    }
}

fn places(place: GroupPlace, addresses: &BTreeMap<NodeId, NodeAddress>) -> Option<(GroupId, Places)> {
    let GroupPlace { group, replicas, leader } = place;
    let nodes: Vec<_> = replicas
        .into_iter()
        .filter_map(|(_, node)| addresses.get(&node).map(|address| (node, address.clone())))
        .collect();
    let ask = nodes.iter().position(|(node, _)| Some(*node) == leader).unwrap_or(0);
    (!nodes.is_empty()).then_some((group, Places { nodes, ask }))
}

impl Routes {
    pub(super) fn epoch(&self) -> SlotEpoch {
        self.epoch
    }

    /// Where to send a request about this slot.
    pub(super) fn of(&self, slot: Slot) -> Route {
        let group = self.slots[usize::from(slot.get())];
        let Places { nodes, ask } = &self.groups[&group];
        let (node, address) = nodes[*ask].clone();
        Route { epoch: self.epoch, group, node, address }
    }

    /// A node said who leads the group of a route. One that has no replica of it is not believed.
    pub(super) fn led_by(&mut self, group: GroupId, leader: NodeId) {
        if let Some(places) = self.groups.get_mut(&group)
            && let Some(ask) = places.nodes.iter().position(|(node, _)| *node == leader)
        {
            places.ask = ask;
        }
    }

    /// A node did not serve the group, and named nobody who does: the next one is asked. Of many callers that were
    /// sent away by the same node, only the first moves on.
    pub(super) fn not_at(&mut self, group: GroupId, node: NodeId) {
        if let Some(places) = self.groups.get_mut(&group)
            && places.nodes[places.ask].0 == node
        {
            places.ask = (places.ask + 1) % places.nodes.len();
        }
    }

    /// Takes over a newer map; an older one, which a node that lags may give, is left alone.
    pub(super) fn renew(&mut self, newer: Self) {
        if newer.epoch > self.epoch {
            *self = newer;
        }
    }
}

#[cfg(test)]
mod tests {
    use renkei_ids::ReplicaId;
    use renkei_placement::SlotMap;

    use super::*;

    fn map(epoch: u64) -> RouteMap {
        let place = |replicas: [u32; 3], leader| GroupPlace {
            group: GroupId(1),
            replicas: replicas.map(|node| (ReplicaId(u64::from(node)), NodeId(node))).to_vec(),
            leader,
        };
        RouteMap {
            epoch: SlotEpoch(epoch),
            slots: SlotMap::even(&[GroupId(1)]).unwrap(),
            groups: vec![place([1, 2, 3], Some(NodeId(3)))],
            nodes: (1..=3).map(|node| (NodeId(node), format!("127.0.0.1:{}", 7_000 + node).parse().unwrap())).collect(),
        }
    }

    fn slot() -> Slot {
        Slot::all().next().unwrap()
    }

    #[test]
    fn refusals_teach_where_to_go() {
        let mut routes = Routes::try_from(map(4)).unwrap();
        assert_eq!(routes.of(slot()).node, NodeId(3));
        routes.led_by(GroupId(1), NodeId(2));
        assert_eq!(routes.of(slot()).node, NodeId(2));
        routes.led_by(GroupId(1), NodeId(9));
        assert_eq!(routes.of(slot()).node, NodeId(2), "a node without a replica is not believed");
        // Two callers were sent away by node 2, and both go to node 3.
        routes.not_at(GroupId(1), NodeId(2));
        routes.not_at(GroupId(1), NodeId(2));
        assert_eq!(routes.of(slot()).node, NodeId(3));
    }

    #[test]
    fn an_older_map_changes_nothing() {
        let mut routes = Routes::try_from(map(4)).unwrap();
        routes.renew(Routes::try_from(map(3)).unwrap());
        assert_eq!(routes.epoch(), SlotEpoch(4));
        routes.renew(Routes::try_from(map(5)).unwrap());
        assert_eq!(routes.epoch(), SlotEpoch(5));
    }

    #[test]
    fn a_group_without_an_address_serves_nothing() {
        let mut broken = map(1);
        broken.nodes.clear();
        assert_eq!(Routes::try_from(broken).unwrap_err(), Unserved(slot(), GroupId(1)));
    }
}
