//! Whether the replicas of a group hold the same: a digest of the state, computed by each at one index of the log.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures::future::{BoxFuture, join_all};
use prometheus::IntCounter;
use renkei_consensus::{Digest, Engine, Replica};
use renkei_ids::{GroupId, NodeId};
use renkei_wire::admin::ReplicaDigest;
use renkei_wire::{ErrorCode, Refusal};

/// Longest time that a follower may take to get to the index and read its state.
const PATIENCE: Duration = Duration::from_secs(30);
/// Pause between two looks at a follower.
const PAUSE: Duration = Duration::from_millis(100);

/// Asks a peer for the digests that it computed of its replicas of a group; `None` where there is no answer.
pub type AskDigests = Arc<dyn Fn(NodeId, GroupId) -> BoxFuture<'static, Option<Vec<ReplicaDigest>>> + Send + Sync>;

/// Computes and compares digests. Clones share everything.
#[derive(Clone)]
pub struct Digests {
    engine: Engine,
    ask: AskDigests,
    mismatches: IntCounter,
}

impl fmt::Debug for Digests {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Digests").field("engine", &self.engine).finish_non_exhaustive()
    }
}

impl Digests {
    /// Digests of an engine's replicas and, by asking, of their peers'. `mismatches` counts replicas whose state differed
    /// from their leader's.
    pub fn new(engine: Engine, ask: AskDigests, mismatches: IntCounter) -> Self {
        Self { engine, ask, mismatches }
    }

    /// On the leader: has every replica compute its digest at one index, and gives those that came in time. Elsewhere:
    /// the last one that was computed here, if there is one.
    ///
    /// # Errors
    /// `invalid_argument` where no replica of the group is open, `unavailable` where its leader could not compute one.
    pub async fn of(&self, group: GroupId) -> Result<Vec<ReplicaDigest>, Refusal> {
        let replica = self.engine.replica(group).ok_or(Refusal::invalid("group"))?;
        let Some(under) = replica.leadership() else {
            return Ok(replica.last_digest().map(|digest| row(&replica, digest)).into_iter().collect());
        };
        let computed = replica.digest(under).await.map_err(|_| Refusal::new(ErrorCode::Unavailable))?;
        let own = row(&replica, computed);
        let followers = replica.status().members.nodes.into_values().filter(|node| *node != self.engine.node());
        let others = join_all(followers.map(|node| self.at(node, own))).await;
        let digests: Vec<_> = std::iter::once(own).chain(others.into_iter().flatten()).collect();
        for other in digests.iter().filter(|other| other.index == own.index && other.digest != own.digest) {
            self.mismatches.inc();
            tracing::error!(%group, index = own.index, replica = %other.replica, leader = %own.replica, "states differ");
        }
        Ok(digests)
    }

    /// A follower's digest at the index of the leader's, or at a later one.
    async fn at(&self, node: NodeId, leaders: ReplicaDigest) -> Option<ReplicaDigest> {
        let look = async {
            loop {
                let digests = (self.ask)(node, leaders.group).await;
                let there = digests.and_then(|digests| digests.into_iter().find(|own| own.index >= leaders.index));
                if there.is_some() {
                    return there;
                }
                tokio::time::sleep(PAUSE).await;
            }
        };
        tokio::time::timeout(PATIENCE, look).await.ok().flatten()
    }
}

fn row(replica: &Replica, digest: Digest) -> ReplicaDigest {
    ReplicaDigest { group: replica.group(), replica: replica.replica(), index: digest.index, digest: digest.sha256 }
}
