//! Founds a cloud: the meta group first, then, through it, everything else.

use std::time::Duration;

use renkei_ids::{GroupId, NodeId, SlotEpoch};
use renkei_placement::Founding;
use renkei_wire::admin::{BootstrapReply, BootstrapRequest, OpenReplicaRequest};
use renkei_wire::pb::admin::v1 as pb;

use super::{
    Address, Change, DiskStanding, Follower, Group, KnownError, LOOK_EVERY, MetaReply, NodeAt, OpenError, Refused,
    Replica, members,
};
use crate::remote::{Client, RemoteError};

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
    #[error("keeping the placement of a cloud that exists")]
    Keep(#[source] KnownError),
    #[error("this node's disk is not the one that the cloud knows")]
    OtherDisk,
    #[error("asking the nodes that are to be the cloud")]
    Remote(#[source] RemoteError),
    #[error("starting the meta group")]
    Initialize(#[source] renkei_consensus::InitializeGroupError),
    #[error("the node that leads the meta group")]
    Leader(#[source] RemoteError),
    #[error("no leader of the meta group in time")]
    TimedOut,
}

/// Carries out what operators and peers ask while a cloud begins.
#[derive(Clone, Debug)]
pub(crate) struct Founder {
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
        let meta = Group::founding(founding.meta_replicas());
        let here = meta.replicas.iter().find(|replica| replica.node == self.node());
        let here = *here.ok_or(BootstrapError::AskAnother(meta.replicas[0].node))?;
        self.look_around(&request.nodes).await?;
        if self.follower.routes.epoch() > SlotEpoch(0) {
            // The cloud exists. Whether it was founded the same way is for its meta group to say.
            let elsewhere = meta.replicas.iter().map(|replica| replica.node).find(|node| *node != self.node());
            let replica = self.follower.engine.replica(GroupId::META);
            let replica = replica.ok_or(BootstrapError::AskAnother(elsewhere.unwrap_or(self.node())))?;
            return self.decide(&replica, founding, request).await;
        }
        let replica = self.open(GroupId::META, here.id, &request.nodes).await?;
        for other in meta.replicas.iter().filter(|replica| replica.node != self.node()) {
            let open = OpenReplicaRequest { group: GroupId::META, replica: other.id, nodes: request.nodes.clone() };
            let call =
                |mut client: Client| async move { client.open_replica(pb::OpenReplicaRequest::from(open)).await };
            let opened = self.follower.remote.ask(other.node, PATIENCE, call).await;
            let pb::OpenReplicaReply {} = opened.map_err(BootstrapError::Remote)?;
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
                let call =
                    |mut client: Client| async move { client.bootstrap(pb::BootstrapRequest::from(request)).await };
                return self.follower.remote.ask(leader, PATIENCE, call).await.map_err(BootstrapError::Leader);
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

    /// Learns whether the cloud exists already. A node without a replica of the meta group may be one that lost its
    /// disk: it must not take part as if it had never voted, so each node that is named has to answer it first.
    async fn look_around(&self, nodes: &[NodeAt]) -> Result<(), BootstrapError> {
        self.note(nodes)?;
        if self.follower.engine.replica(GroupId::META).is_some() {
            return Ok(());
        }
        for at in nodes.iter().filter(|at| at.node != self.node()) {
            let placement = self.follower.placement_of(at.node).await.map_err(BootstrapError::Remote)?;
            if let Some(placement) = placement {
                self.follower.known.take(placement).await.map_err(BootstrapError::Keep)?;
            }
        }
        Ok(())
    }

    /// Opens a replica here, for a cloud that is being founded.
    pub(crate) async fn open(
        &self,
        group: GroupId,
        replica: renkei_ids::ReplicaId,
        nodes: &[NodeAt],
    ) -> Result<Replica, BootstrapError> {
        self.look_around(nodes).await?;
        let named = self.follower.routes.current().hosted_on(self.node());
        match self.follower.known.standing() {
            DiskStanding::Stranger => {}
            DiskStanding::Claimed if named.iter().any(|(_, named)| named.id == replica) => {}
            // Open already, from the first time that this was asked.
            DiskStanding::Unclaimed if self.follower.engine.replica(group).is_some() => {}
            _ => return Err(BootstrapError::OtherDisk),
        }
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
