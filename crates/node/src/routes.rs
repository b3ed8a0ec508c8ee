//! What this node knows of the placement, kept ready for every request.

use std::sync::Arc;

use arc_swap::ArcSwap;
use renkei_ids::{GroupId, NodeId, ReplicaId, Slot, SlotEpoch};
use renkei_placement::Placement;
use tokio::sync::watch;

/// The newest placement seen. Clones share it.
#[derive(Clone, Debug)]
pub(crate) struct Routes {
    current: Arc<ArcSwap<Placement>>,
    changes: watch::Sender<SlotEpoch>,
}

impl Routes {
    pub(crate) fn new() -> Self {
        Self { current: Arc::default(), changes: watch::Sender::new(SlotEpoch(0)) }
    }

    pub(crate) fn current(&self) -> Arc<Placement> {
        self.current.load_full()
    }

    /// The slot map's epoch; 0 before the cloud is founded.
    pub(crate) fn epoch(&self) -> SlotEpoch {
        self.current.load().slots().map_or(SlotEpoch(0), |(epoch, _)| epoch)
    }

    /// The group of a slot; `None` before the cloud is founded.
    pub(crate) fn group_of(&self, slot: Slot) -> Option<GroupId> {
        self.current.load().slots().map(|(_, map)| map.group_of(slot))
    }

    /// The node where a group's leader should be: a hint for callers when nothing better is known.
    pub(crate) fn first_node(&self, group: GroupId) -> Option<NodeId> {
        let placement = self.current.load();
        placement.group(group)?.replicas.first().map(|replica| replica.node)
    }

    /// The node of a replica, if the placement knows it: one that is to join, and one that left, too.
    pub(crate) fn node_of(&self, group: GroupId, replica: ReplicaId) -> Option<NodeId> {
        self.current.load().node_of(group, replica)
    }

    pub(crate) fn publish(&self, placement: Placement) {
        let epoch = placement.slots().map_or(SlotEpoch(0), |(epoch, _)| epoch);
        self.current.store(Arc::new(placement));
        self.changes.send_replace(epoch);
    }

    /// Wakes at each publication.
    pub(crate) fn subscribe(&self) -> watch::Receiver<SlotEpoch> {
        self.changes.subscribe()
    }
}
