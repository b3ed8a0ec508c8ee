//! NodeAdminService: what operators ask, and nodes on behalf of one another while a cloud is founded.

use std::sync::Arc;

use renkei_peers::Digests;
use renkei_runtime::{Chain, PeerIdentity, Role};
use renkei_storage::DiskWatch;
use renkei_wire::admin::{BootstrapRequest, DigestReply, DigestRequest, OpenReplicaRequest, StatusReply};
use renkei_wire::pb::admin::v1 as pb;
use renkei_wire::{ErrorCode, NodeAdminService, Refusal};
use tonic::{Request, Response, Status};

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
        let mut replicas: Vec<_> = follower.engine.replicas().iter().map(renkei_peers::standing).collect();
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
