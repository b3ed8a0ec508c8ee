//! Who belongs to the vault's group: fixed by the configuration, the same on every host.

use std::collections::BTreeMap;
use std::sync::Arc;

use renkei_ids::{GroupId, NodeId, ReplicaId};
use renkei_peers::{AddressBook, HostOf};
use renkei_runtime::Address;

/// The vault's one group. Its circle is that of vaults, so it is no group of the nodes.
pub(crate) const GROUP: GroupId = GroupId(1);

/// Numbers of the vaults of the group, this one among them, and where the others are.
#[derive(Clone, Debug)]
pub(crate) struct Membership {
    own: NodeId,
    peers: BTreeMap<NodeId, Address>,
}

impl Membership {
    /// `peers` names every vault, the own one too; without peers the vault is alone.
    pub(crate) fn new(own: NodeId, peers: BTreeMap<NodeId, Address>) -> Self {
        Self { own, peers }
    }

    /// Ascending.
    pub(crate) fn numbers(&self) -> Vec<NodeId> {
        if self.peers.is_empty() { vec![self.own] } else { self.peers.keys().copied().collect() }
    }

    pub(crate) fn others(&self) -> impl Iterator<Item = NodeId> {
        self.peers.keys().copied().filter(|number| *number != self.own)
    }

    /// Replica ids are the numbers of their vaults: nothing moves, and a number is never used again for another host.
    pub(crate) fn own_replica(&self) -> ReplicaId {
        replica_of(self.own)
    }

    pub(crate) fn replicas(&self) -> BTreeMap<ReplicaId, NodeId> {
        self.numbers().into_iter().map(|number| (replica_of(number), number)).collect()
    }

    pub(crate) fn book(&self) -> AddressBook {
        AddressBook::new(self.peers.clone())
    }

    /// Where a replica lives; who is no member lives at a number that nobody has.
    pub(crate) fn host_of(&self) -> HostOf {
        const NOWHERE: NodeId = NodeId(0);
        let replicas = self.replicas();
        Arc::new(move |group, replica| match replicas.get(&replica) {
            Some(number) if group == GROUP => Some(*number),
            _ => Some(NOWHERE),
        })
    }
}

fn replica_of(number: NodeId) -> ReplicaId {
    ReplicaId(u64::from(number.0))
}
