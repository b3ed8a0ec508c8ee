//! Whether the replicas of a group hold the same: a digest of the state, computed by each at one index of the log.

use std::time::Duration;

use renkei_consensus::{Engine, Replica};
use renkei_ids::{CloudId, GroupId, NodeId};
use renkei_peers::AddressBook;
use renkei_runtime::Shell;
use renkei_wire::admin::ReplicaDigest;
use renkei_wire::{ErrorCode, Refusal};

use crate::metrics::Metrics;
use crate::remote;

/// Longest time that a follower may take to get to the index and read its state.
const PATIENCE: Duration = Duration::from_secs(30);
/// Pause between two looks at a follower.
const PAUSE: Duration = Duration::from_millis(100);

/// Computes and compares digests. Clones share everything.
#[derive(Clone, Debug)]
pub(crate) struct Digests {
    pub(crate) shell: Shell,
    pub(crate) cloud: CloudId,
    pub(crate) engine: Engine,
    pub(crate) book: AddressBook,
    pub(crate) metrics: Metrics,
}

impl Digests {
    /// On the leader: has every replica compute its digest at one index, and gives those that came in time. Elsewhere:
    /// the last one that was computed here, if there is one.
    pub(crate) async fn of(&self, group: GroupId) -> Result<Vec<ReplicaDigest>, Refusal> {
        let replica = self.engine.replica(group).ok_or(Refusal::invalid("group"))?;
        let Some(under) = replica.leadership() else {
            return Ok(replica.last_digest().map(|digest| row(&replica, digest)).into_iter().collect());
        };
        let computed = replica.digest(under).await.map_err(|_| Refusal::new(ErrorCode::Unavailable))?;
        let own = row(&replica, computed);
        let followers = replica.status().members.nodes.into_values().filter(|node| *node != self.engine.node());
        let others = futures::future::join_all(followers.map(|node| self.at(node, own))).await;
        let digests: Vec<_> = std::iter::once(own).chain(others.into_iter().flatten()).collect();
        for other in digests.iter().filter(|other| other.index == own.index && other.digest != own.digest) {
            self.metrics.digest_mismatches.inc();
            tracing::error!(%group, index = own.index, replica = %other.replica, leader = %own.replica, "states differ");
        }
        Ok(digests)
    }

    /// A follower's digest at the index of the leader's, or at a later one.
    async fn at(&self, node: NodeId, leaders: ReplicaDigest) -> Option<ReplicaDigest> {
        let address = self.book.address(node)?;
        let look = async {
            loop {
                let digests = remote::digests(self.shell.tls(), self.cloud, node, &address, leaders.group).await;
                let there = digests.ok().and_then(|digests| digests.into_iter().find(|own| own.index >= leaders.index));
                if there.is_some() {
                    return there;
                }
                tokio::time::sleep(PAUSE).await;
            }
        };
        tokio::time::timeout(PATIENCE, look).await.ok().flatten()
    }
}

fn row(replica: &Replica, digest: renkei_consensus::Digest) -> ReplicaDigest {
    ReplicaDigest { group: replica.group(), replica: replica.replica(), index: digest.index, digest: digest.sha256 }
}
