//! How a cloud begins: on which nodes, and where each group's replicas come to lie.

use renkei_ids::{NodeId, ReplicaId};

use crate::format::pb;
use crate::group::{GROUPS_MAX, NODES_MAX, Replica};
use crate::refused::Refused;

/// How a cloud begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Founding {
    /// The nodes and their addresses.
    pub nodes: Vec<(NodeId, String)>,
    /// Shard groups, 1 to [`GROUPS_MAX`].
    pub groups: u32,
    /// Replicas of each group: odd, and no more than nodes.
    pub replicas: u32,
}

/// Replicas of `groups` groups dealt over nodes: each group on `replicas` neighbouring nodes, the first of which moves on
/// by one from group to group, so that leaders are spread evenly. Ids count up from `first`.
pub fn spread(nodes: &[NodeId], groups: u32, replicas: u32, first: ReplicaId) -> Vec<Vec<Replica>> {
    let mut ids = first.0..;
    let mut place = |start: usize| {
        (0..replicas as usize)
            .map(|offset| Replica {
                id: ReplicaId(ids.next().expect("u64 replica ids do not run out")),
                node: nodes[(start + offset) % nodes.len()],
            })
            .collect()
    };
    (0..groups as usize).map(|group| place(group % nodes.len())).collect()
}

impl Founding {
    pub(crate) fn node_ids(&self) -> Vec<NodeId> {
        self.nodes.iter().map(|(node, _)| *node).collect()
    }

    /// Whether it can be carried out.
    ///
    /// # Errors
    /// [`Refused::InvalidFounding`] or [`Refused::LimitReached`].
    pub fn validate(&self) -> Result<(), Refused> {
        let mut ids = self.node_ids();
        ids.sort_unstable();
        ids.dedup();
        if ids.len() > NODES_MAX || self.groups as usize > GROUPS_MAX {
            return Err(Refused::LimitReached);
        }
        let whole = ids.len() == self.nodes.len() && self.groups > 0;
        let quorum = self.replicas % 2 == 1 && self.replicas as usize <= ids.len();
        if whole && quorum { Ok(()) } else { Err(Refused::InvalidFounding) }
    }

    /// The replicas of the meta group, which must exist before anything can be decided.
    pub fn meta_replicas(&self) -> Vec<Replica> {
        spread(&self.node_ids(), 1, self.replicas, ReplicaId(1)).remove(0)
    }
}

impl From<&Founding> for pb::Founding {
    fn from(founding: &Founding) -> Self {
        let Founding { nodes, groups, replicas } = founding;
        let nodes =
            nodes.iter().map(|(id, address)| pb::Node { id: id.0, address: address.clone(), ..pb::Node::default() });
        Self { nodes: nodes.collect(), groups: *groups, replicas: *replicas }
    }
}

impl From<pb::Founding> for Founding {
    fn from(founding: pb::Founding) -> Self {
        let pb::Founding { nodes, groups, replicas } = founding;
        let nodes = nodes.into_iter().map(|node| (NodeId(node.id), node.address));
        Self { nodes: nodes.collect(), groups, replicas }
    }
}
