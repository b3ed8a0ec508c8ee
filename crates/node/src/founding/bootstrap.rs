//! Founds a cloud: the meta group first, then, through it, everything else.

use std::time::Duration;

use renkei_ids::{CloudId, GroupId, NodeId, SlotEpoch};
use renkei_placement::Founding;
use renkei_wire::admin::{BootstrapReply, BootstrapRequest};
use tonic::Status;

use super::{Address, Change, Follower, Group, LOOK_EVERY, MetaReply, NodeAt, OpenError, Refused, Replica, members};
use crate::remote;

/// Longest time from the request to the committed placement.
const PATIENCE: Duration = Duration::from_secs(30);
/// Pause between two tries to reach a leader.
const PAUSE: Duration = Duration::from_millis(100);

/// Why a cloud was not founded. The request may be repeated.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BootstrapError {
    #[error("the founding is refused")]
    Refused(#[source] Refused),
    #[error("this node is not one that hosts the meta group; ask node {0}")]
    AskAnother(NodeId),
    #[error("an address does not read")]
    Address,
    #[error("opening the meta replica")]
    Open(#[source] OpenError),
    #[error("node {node} does not open its replica")]
    Remote {
        node: NodeId,
        #[source]
        source: Box<Status>,
    },
    #[error("starting the meta group")]
    Initialize(#[source] renkei_consensus::InitializeGroupError),
    #[error("the node that leads the meta group")]
    Leader(#[source] Box<Status>),
    #[error("no leader of the meta group in time")]
    TimedOut,
}

/// Carries out what operators and peers ask while a cloud begins.
#[derive(Clone, Debug)]
pub(crate) struct Founder {
    pub(crate) cloud: CloudId,
    pub(crate) follower: Follower,
}

impl Founder {
    /// Founds the cloud, or finds it founded the same way.
    pub(crate) async fn found(&self, request: BootstrapRequest) -> Result<BootstrapReply, BootstrapError> {
        tokio::time::timeout(PATIENCE, self.found_in_time(request)).await.unwrap_or(Err(BootstrapError::TimedOut))
    }

    async fn found_in_time(&self, request: BootstrapRequest) -> Result<BootstrapReply, BootstrapError> {
        let founding = Founding {
            nodes: request.nodes.iter().map(|at| (at.node, at.address.to_string())).collect(),
            groups: request.groups,
            replicas: request.replicas,
        };
        founding.validate().map_err(BootstrapError::Refused)?;
        let meta = Group { replicas: founding.meta_replicas() };
        let here = meta.replicas.iter().find(|replica| replica.node == self.node());
        let here = *here.ok_or(BootstrapError::AskAnother(meta.replicas[0].node))?;
        self.note(&request.nodes)?;
        let replica = self.open(GroupId::META, here.id, &[]).await?;
        for other in meta.replicas.iter().filter(|replica| replica.node != self.node()) {
            let address = self.follower.book.address(other.node).ok_or(BootstrapError::Address)?;
            let tls = self.follower.shell.tls();
            remote::open_replica(tls, self.cloud, &address, GroupId::META, *other, request.nodes.clone())
                .await
                .map_err(|source| BootstrapError::Remote { node: other.node, source: Box::new(source) })?;
        }
        // Every first member may start the group with the same members, so a repeated request does no harm.
        replica.initialize(members(&meta)).await.map_err(BootstrapError::Initialize)?;
        self.decide(&replica, founding, request).await
    }

    async fn decide(
        &self,
        replica: &Replica,
        founding: Founding,
        request: BootstrapRequest,
    ) -> Result<BootstrapReply, BootstrapError> {
        let command = Change::Found(founding).encode();
        loop {
            if let Some(under) = replica.leadership() {
                if let Ok(reply) = replica.propose(under, command.clone()).await {
                    return match MetaReply::decode(&reply) {
                        Ok(MetaReply::Done { epoch, .. }) => {
                            self.published(epoch).await;
                            Ok(BootstrapReply { slot_epoch: epoch })
                        }
                        Ok(MetaReply::Refused(refused)) => Err(BootstrapError::Refused(refused)),
                        Err(_) => Err(BootstrapError::Refused(Refused::Malformed)),
                    };
                }
            } else if let Some((_, leader)) = replica.leader_hint().filter(|(_, leader)| *leader != self.node()) {
                let address = self.follower.book.address(leader).ok_or(BootstrapError::Address)?;
                return remote::bootstrap(self.follower.shell.tls(), self.cloud, leader, &address, request)
                    .await
                    .map_err(|source| BootstrapError::Leader(Box::new(source)));
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Waits until this node routes by the placement it has just committed.
    async fn published(&self, epoch: SlotEpoch) {
        let mut routes = self.follower.routes.subscribe();
        while self.follower.routes.epoch() < epoch {
            self.follower.changed.notify_one();
            let _changed = tokio::time::timeout(LOOK_EVERY, routes.changed()).await;
        }
    }

    /// Opens a replica here, for a cloud that is being founded.
    pub(crate) async fn open(
        &self,
        group: GroupId,
        replica: renkei_ids::ReplicaId,
        nodes: &[NodeAt],
    ) -> Result<Replica, BootstrapError> {
        self.note(nodes)?;
        let machine = self.follower.machine(group);
        self.follower.engine.create(group, replica, machine).await.map_err(BootstrapError::Open)
    }

    fn note(&self, nodes: &[NodeAt]) -> Result<(), BootstrapError> {
        let places = nodes.iter().map(|at| Ok((at.node, at.address.as_str().parse::<Address>()?)));
        let places: Result<Vec<_>, renkei_runtime::InvalidAddress> = places.collect();
        self.follower.book.note(&places.map_err(|_| BootstrapError::Address)?);
        Ok(())
    }

    fn node(&self) -> NodeId {
        self.follower.engine.node()
    }
}
