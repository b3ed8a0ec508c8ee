//! How a replica stands, as operators are told.

use renkei_consensus::Replica;
use renkei_ids::{NodeId, ReplicaId};
use renkei_wire::admin::{Member, ReplicaStatus};

/// The status of a replica, for the wire.
pub fn standing(replica: &Replica) -> ReplicaStatus {
    let status = replica.status();
    let place = |(replica, node): (&ReplicaId, &NodeId)| Member { replica: *replica, node: *node };
    let index = |index: Option<u64>| index.unwrap_or(0);
    ReplicaStatus {
        group: status.group,
        replica: status.replica,
        term: status.term,
        leader: status.leader.map(|(replica, node)| Member { replica, node }),
        last_log: index(status.last_log),
        committed: index(status.committed),
        applied: index(status.applied),
        snapshot: index(status.snapshot),
        purged: index(status.purged),
        members: status.members.nodes.iter().map(place).collect(),
        // A leader that has not applied its own first entry does not serve yet.
        leads: replica.leadership().is_some(),
        voters: status.members.voters.iter().copied().collect(),
        changing: status.members.changing,
        membership: index(status.members.index),
    }
}
