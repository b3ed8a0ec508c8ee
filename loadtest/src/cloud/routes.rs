//! Where a slot is served, as the slot map says, and who leads there, as refusals teach.

use std::collections::BTreeMap;

use renkei_ids::{GroupId, NodeId, Slot, SlotEpoch};
use renkei_wire::{GroupPlace, RouteMap};

/// A slot map by which some requests cannot be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("slot {0} lies in group {1}, which has no replicas")]
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
    nodes: Vec<NodeId>,
    ask: usize,
}

/// Where to send a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Route {
    pub(super) epoch: SlotEpoch,
    pub(super) group: GroupId,
    pub(super) node: NodeId,
}

impl TryFrom<RouteMap> for Routes {
    type Error = Unserved;

    fn try_from(map: RouteMap) -> Result<Self, Unserved> {
        // The nodes' addresses are known from the start, for this run started them.
        let RouteMap { epoch, slots, groups, nodes: _ } = map;
        let groups: BTreeMap<_, _> = groups.into_iter().filter_map(places).collect();
        let served = |slot| {
            let group = slots.group_of(slot);
            if groups.contains_key(&group) { Ok(group) } else { Err(Unserved(slot, group)) }
        };
        let slots = Slot::all().map(served).collect::<Result<_, _>>()?;
        Ok(Self { epoch, slots, groups })
    }
}

fn places(place: GroupPlace) -> Option<(GroupId, Places)> {
    let GroupPlace { group, replicas, leader } = place;
    let nodes: Vec<_> = replicas.into_iter().map(|(_, node)| node).collect();
    let ask = nodes.iter().position(|node| Some(*node) == leader).unwrap_or(0);
    (!nodes.is_empty()).then_some((group, Places { nodes, ask }))
}

impl Routes {
    /// Where to send a request about this slot.
    pub(super) fn of(&self, slot: Slot) -> Route {
        let group = self.slots[usize::from(slot.get())];
        let Places { nodes, ask } = &self.groups[&group];
        Route { epoch: self.epoch, group, node: nodes[*ask] }
    }

    /// A node said who leads the group of a route. One that has no replica of it is not believed.
    pub(super) fn led_by(&mut self, group: GroupId, leader: NodeId) {
        if let Some(places) = self.groups.get_mut(&group)
            && let Some(ask) = places.nodes.iter().position(|node| *node == leader)
        {
            places.ask = ask;
        }
    }

    /// A node did not serve the group, and named nobody who does: the next one is asked. Of many callers that were
    /// sent away by the same node, only the first moves on.
    pub(super) fn not_at(&mut self, group: GroupId, node: NodeId) {
        if let Some(places) = self.groups.get_mut(&group)
            && places.nodes[places.ask] == node
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
    use renkei_wire::pb::node::v1::{GroupPlace, ReplicaPlace, SlotMap, SlotRange};

    use super::*;

    fn message(epoch: u64) -> SlotMap {
        let group = |group, leader| GroupPlace {
            group,
            replicas: (1..=3).map(|node| ReplicaPlace { replica: u64::from(group * 10 + node), node }).collect(),
            leader_node: leader,
        };
        SlotMap {
            epoch,
            slots: vec![SlotRange { first: 0, last: 2047, group: 1 }, SlotRange { first: 2048, last: 4095, group: 2 }],
            groups: vec![group(1, Some(3)), group(2, None)],
            nodes: Vec::new(),
        }
    }

    fn routes(message: SlotMap) -> Result<Routes, Unserved> {
        Option::<RouteMap>::try_from(message).unwrap().expect("it names groups").try_into()
    }

    fn slot(number: u32) -> Slot {
        Slot::try_from(number).unwrap()
    }

    #[test]
    fn a_request_goes_to_the_leader_of_its_group() {
        let routes = routes(message(4)).unwrap();
        let route = |group, node| Route { epoch: SlotEpoch(4), group: GroupId(group), node: NodeId(node) };
        assert_eq!(routes.of(slot(2047)), route(1, 3));
        assert_eq!(routes.of(slot(2048)), route(2, 1));
    }

    #[test]
    fn refusals_teach_where_to_go() {
        let mut routes = routes(message(4)).unwrap();
        routes.led_by(GroupId(1), NodeId(2));
        assert_eq!(routes.of(slot(0)).node, NodeId(2));
        routes.led_by(GroupId(1), NodeId(9));
        assert_eq!(routes.of(slot(0)).node, NodeId(2));
        // Two callers were sent away by node 2, and both go to node 3.
        routes.not_at(GroupId(1), NodeId(2));
        routes.not_at(GroupId(1), NodeId(2));
        assert_eq!(routes.of(slot(0)).node, NodeId(3));
        routes.not_at(GroupId(1), NodeId(3));
        assert_eq!(routes.of(slot(0)).node, NodeId(1));
    }

    #[test]
    fn an_older_map_changes_nothing() {
        let mut current = routes(message(4)).unwrap();
        current.renew(routes(message(3)).unwrap());
        assert_eq!(current.of(slot(0)).epoch, SlotEpoch(4));
        current.renew(routes(message(5)).unwrap());
        assert_eq!(current.of(slot(0)).epoch, SlotEpoch(5));
    }

    #[test]
    fn a_group_without_replicas_serves_nothing() {
        let mut broken = message(1);
        broken.groups[1].replicas.clear();
        assert_eq!(routes(broken).unwrap_err(), Unserved(slot(2048), GroupId(2)));
    }
}
