//! NodeAdminService: what operators ask, and nodes on behalf of one another while a cloud is founded.

use std::sync::Arc;

use renkei_runtime::{Chain, PeerIdentity, Role};
use renkei_storage::DiskWatch;
use renkei_wire::admin::{
    BootstrapRequest, DigestReply, DigestRequest, Member, OpenReplicaRequest, ReplicaStatus, StatusReply,
};
use renkei_wire::pb::admin::v1 as pb;
use renkei_wire::{ErrorCode, NodeAdminService, Refusal};
use tonic::{Request, Response, Status};

use crate::digests::Digests;
use crate::founding::{BootstrapError, Founder};

/// The service towards operators and peers.
#[derive(Clone, Debug)]
pub(crate) struct NodeAdmin {
    pub(crate) founder: Founder,
    pub(crate) digests: Digests,
    pub(crate) disk: Arc<DiskWatch>,
}

fn admit<T>(request: &Request<T>, roles: &[Role]) -> Result<(), Refusal> {
    let caller = request.extensions().get::<PeerIdentity>();
    match caller.is_some_and(|caller| roles.contains(&caller.role)) {
        true => Ok(()),
        false => Err(Refusal::new(ErrorCode::RoleNotAllowed)),
    }
}

fn refused(error: &BootstrapError) -> Refusal {
    use renkei_placement::Refused;
    tracing::warn!(error = %Chain(error), "bootstrap refused");
    Refusal::new(match error {
        BootstrapError::Refused(Refused::AlreadyFounded) => ErrorCode::AlreadyBootstrapped,
        BootstrapError::Refused(_) | BootstrapError::Address => ErrorCode::InvalidArgument,
        BootstrapError::AskAnother(node) => return Refusal::new(ErrorCode::NotLeader).led_by(*node),
        BootstrapError::Open(_) => ErrorCode::InternalIo,
        BootstrapError::Leader(source) | BootstrapError::Remote { source, .. } => {
            return Refusal::from_status(source).unwrap_or(Refusal::new(ErrorCode::Unavailable));
        }
        BootstrapError::Initialize(_) | BootstrapError::TimedOut => ErrorCode::Unavailable,
    })
}

#[tonic::async_trait]
impl NodeAdminService for NodeAdmin {
    async fn bootstrap(&self, request: Request<pb::BootstrapRequest>) -> Result<Response<pb::BootstrapReply>, Status> {
        admit(&request, &[Role::Operator, Role::Node])?;
        let request = BootstrapRequest::try_from(request.into_inner()).map_err(Refusal::from)?;
        let reply = self.founder.found(request).await.map_err(|error| refused(&error))?;
        Ok(Response::new(reply.into()))
    }

    async fn open_replica(
        &self,
        request: Request<pb::OpenReplicaRequest>,
    ) -> Result<Response<pb::OpenReplicaReply>, Status> {
        admit(&request, &[Role::Node])?;
        let OpenReplicaRequest { group, replica, nodes } =
            OpenReplicaRequest::try_from(request.into_inner()).map_err(Refusal::from)?;
        self.founder.open(group, replica, &nodes).await.map_err(|error| refused(&error))?;
        Ok(Response::new(pb::OpenReplicaReply {}))
    }

    async fn status(&self, request: Request<pb::StatusRequest>) -> Result<Response<pb::StatusReply>, Status> {
        admit(&request, &[Role::Operator])?;
        let follower = &self.founder.follower;
        let mut replicas: Vec<_> = follower.engine.replicas().iter().map(status).collect();
        replicas.sort_by_key(|replica| replica.group);
        let reply = StatusReply {
            node: follower.engine.node(),
            slot_epoch: follower.routes.epoch(),
            replicas,
            disk_free_permille: u16::from(self.disk.free_percent()) * 10,
        };
        Ok(Response::new(reply.into()))
    }

    async fn digest(&self, request: Request<pb::DigestRequest>) -> Result<Response<pb::DigestReply>, Status> {
        admit(&request, &[Role::Operator, Role::Node])?;
        let DigestRequest { group } = request.into_inner().into();
        let digests = self.digests.of(group).await?;
        Ok(Response::new(DigestReply { digests }.into()))
    }
}

fn status(replica: &renkei_consensus::Replica) -> ReplicaStatus {
    let status = replica.status();
    let place =
        |(replica, node): (&renkei_ids::ReplicaId, &renkei_ids::NodeId)| Member { replica: *replica, node: *node };
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
    }
}
