//! Who belongs to a group that is fixed by the configuration, the same on every host: one process, or three.

use std::collections::BTreeMap;
use std::sync::Arc;

use renkei_ids::{GroupId, NodeId, ReplicaId};
use renkei_runtime::Address;

use crate::{AddressBook, HostOf};

/// The one group of a service that has one. Its circle is that of the service's role, so it is no group of the nodes.
pub const GROUP: GroupId = GroupId(1);
/// Processes of a group of more than one: two of three go on.
pub const REPLICATED: usize = 3;

/// Numbers of the processes of the group, this one among them, and where the others are.
#[derive(Clone, Debug)]
pub struct Membership {
    own: NodeId,
    peers: BTreeMap<NodeId, Address>,
}

impl Membership {
    /// `peers` names every process, the own one too; without peers it is alone. `None` where they are neither three nor
    /// none, or the own one is not among them.
    pub fn new(own: NodeId, peers: BTreeMap<NodeId, Address>) -> Option<Self> {
        let complete = peers.is_empty() || (peers.len() == REPLICATED && peers.contains_key(&own));
        complete.then_some(Self { own, peers })
    }

    /// Ascending.
    pub fn numbers(&self) -> Vec<NodeId> {
        if self.peers.is_empty() { vec![self.own] } else { self.peers.keys().copied().collect() }
    }

    pub(crate) fn others(&self) -> impl Iterator<Item = NodeId> {
        self.peers.keys().copied().filter(|number| *number != self.own)
    }

    /// Replica ids are the numbers of their processes: nothing moves, and a number is never used again for another host.
    pub(crate) fn own_replica(&self) -> ReplicaId {
        replica_of(self.own)
    }

    pub(crate) fn replicas(&self) -> BTreeMap<ReplicaId, NodeId> {
        self.numbers().into_iter().map(|number| (replica_of(number), number)).collect()
    }

    /// Where everybody is.
    pub fn book(&self) -> AddressBook {
        AddressBook::new(self.peers.clone())
    }

    /// Where a replica lives; who is no member lives at a number that nobody has.
    pub fn host_of(&self) -> HostOf {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn peers(numbers: &[u32]) -> BTreeMap<NodeId, Address> {
        numbers.iter().map(|number| (NodeId(*number), format!("127.0.0.1:{number}").parse().unwrap())).collect()
    }

    #[test]
    fn a_group_is_one_process_or_three_with_this_one_among_them() {
        assert_eq!(Membership::new(NodeId(1), peers(&[])).unwrap().numbers(), [NodeId(1)]);
        let three = Membership::new(NodeId(2), peers(&[1, 2, 3])).unwrap();
        assert_eq!(three.numbers(), [NodeId(1), NodeId(2), NodeId(3)]);
        assert_eq!(three.others().collect::<Vec<_>>(), [NodeId(1), NodeId(3)]);
        for wrong in [&[1, 2][..], &[1, 2, 3, 4], &[2, 3, 4], &[1]] {
            assert!(Membership::new(NodeId(1), peers(wrong)).is_none(), "{wrong:?}");
        }
    }

    #[test]
    fn a_replica_of_nobody_lives_nowhere() {
        let host_of = Membership::new(NodeId(1), peers(&[1, 2, 3])).unwrap().host_of();
        assert_eq!(host_of(GROUP, ReplicaId(3)), Some(NodeId(3)));
        assert_eq!(host_of(GROUP, ReplicaId(4)), Some(NodeId(0)));
        assert_eq!(host_of(GroupId(2), ReplicaId(3)), Some(NodeId(0)));
    }
}
