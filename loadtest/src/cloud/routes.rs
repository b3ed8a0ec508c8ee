//! Where a slot is served, as the slot map says, and who leads there, as refusals teach.

use std::collections::BTreeMap;

use renkei_ids::{GroupId, NodeId, SLOTS, Slot, SlotEpoch};
use renkei_wire::pb::node::v1::{GroupPlace, SlotMap, SlotRange};

/// A slot map that does not say where every slot is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum InvalidSlotMap {
    #[error("slot map has epoch 0")]
    Epoch,
    #[error("slot map has a range that is no range of slots")]
    Range,
    #[error("slot {0} lies in no group that has replicas")]
    Unserved(usize),
}

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

impl TryFrom<SlotMap> for Routes {
    type Error = InvalidSlotMap;

    fn try_from(message: SlotMap) -> Result<Self, InvalidSlotMap> {
        // The nodes' addresses are known from the start, for this run started them.
        let SlotMap { epoch, slots: ranges, groups, nodes: _ } = message;
        if epoch == 0 {
            return Err(InvalidSlotMap::Epoch);
        }
        let groups: BTreeMap<_, _> = groups.into_iter().filter_map(places).collect();
        let mut slots = vec![None; usize::from(SLOTS)];
        for SlotRange { first, last, group } in ranges {
            let (Ok(first), Ok(last)) = (usize::try_from(first), usize::try_from(last)) else {
                return Err(InvalidSlotMap::Range);
            };
            slots.get_mut(first..=last).ok_or(InvalidSlotMap::Range)?.fill(Some(GroupId(group)));
        }
        let slots = slots
            .into_iter()
            .enumerate()
            .map(|(slot, group)| group.filter(|group| groups.contains_key(group)).ok_or(InvalidSlotMap::Unserved(slot)))
            .collect::<Result<_, _>>()?;
        Ok(Self { epoch: SlotEpoch(epoch), slots, groups })
    }
}

fn places(place: GroupPlace) -> Option<(GroupId, Places)> {
    let GroupPlace { group, replicas, leader_node } = place;
    let nodes: Vec<_> = replicas.into_iter().map(|replica| NodeId(replica.node)).collect();
    let ask = nodes.iter().position(|node| Some(node.0) == leader_node).unwrap_or(0);
    (!nodes.is_empty()).then_some((GroupId(group), Places { nodes, ask }))
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
    use renkei_wire::pb::node::v1::ReplicaPlace;

    use super::*;

    fn map(epoch: u64) -> SlotMap {
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

    fn slot(number: u16) -> Slot {
        Slot::try_from(number).unwrap()
    }

    #[test]
    fn a_request_goes_to_the_leader_of_its_group() {
        let routes = Routes::try_from(map(4)).unwrap();
        let route = |group, node| Route { epoch: SlotEpoch(4), group: GroupId(group), node: NodeId(node) };
        assert_eq!(routes.of(slot(2047)), route(1, 3));
        assert_eq!(routes.of(slot(2048)), route(2, 1));
    }

    #[test]
    fn refusals_teach_where_to_go() {
        let mut routes = Routes::try_from(map(4)).unwrap();
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
        let mut routes = Routes::try_from(map(4)).unwrap();
        routes.renew(Routes::try_from(map(3)).unwrap());
        assert_eq!(routes.of(slot(0)).epoch, SlotEpoch(4));
        routes.renew(Routes::try_from(map(5)).unwrap());
        assert_eq!(routes.of(slot(0)).epoch, SlotEpoch(5));
    }

    #[test]
    fn a_map_with_a_hole_is_refused() {
        let refused = |change: fn(&mut SlotMap)| {
            let mut broken = map(1);
            change(&mut broken);
            Routes::try_from(broken).unwrap_err()
        };
        assert_eq!(refused(|map| map.epoch = 0), InvalidSlotMap::Epoch);
        assert_eq!(refused(|map| map.slots[0].last = 2046), InvalidSlotMap::Unserved(2047));
        assert_eq!(refused(|map| map.slots[1].last = 4096), InvalidSlotMap::Range);
        assert_eq!(refused(|map| map.slots[1].first = 4096), InvalidSlotMap::Range);
        assert_eq!(refused(|map| map.groups[1].replicas.clear()), InvalidSlotMap::Unserved(2048));
    }
}
