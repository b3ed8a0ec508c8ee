//! NodeAdminService: what operators ask, and nodes on behalf of one another while a cloud is founded.

use std::sync::Arc;

use renkei_peers::Digests;
use renkei_runtime::{Chain, PeerIdentity, Role};
use renkei_storage::DiskWatch;
use renkei_wire::admin::{
    AddNodeRequest, BootstrapRequest, ChangeMembersRequest, ClaimDiskRequest, DigestReply, DigestRequest,
    FollowRequest, OpenReplicaRequest, PlacementReply, PlacementRequest, StatusReply, SubmitRequest,
    TransferLeaderRequest,
};
use renkei_wire::pb::admin::v1 as pb;
use renkei_wire::{ErrorCode, NodeAdminService, Refusal};
use tonic::{Request, Response, Status};

use crate::controller::Controller;
use crate::founding::{BootstrapError, DiskStanding, Founder};

/// The service towards operators and peers.
#[derive(Clone, Debug)]
pub(crate) struct NodeAdmin {
    pub(crate) founder: Founder,
    pub(crate) controller: Controller,
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
        BootstrapError::Open(_) | BootstrapError::Keep(_) => ErrorCode::InternalIo,
        BootstrapError::OtherDisk => ErrorCode::OtherDisk,
        BootstrapError::Leader(source) | BootstrapError::Remote(source) => {
            return source.refusal().cloned().unwrap_or(Refusal::new(ErrorCode::Unavailable));
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
        admit(&request, &[Role::Operator, Role::Node])?;
        let follower = &self.founder.follower;
        let mut replicas: Vec<_> = follower.engine.replicas().iter().map(renkei_peers::standing).collect();
        replicas.sort_by_key(|replica| replica.group);
        let placement = follower.routes.current();
        let reply = StatusReply {
            node: follower.engine.node(),
            stamp: placement.stamp(),
            disk: follower.known.disk(),
            disk_refused: follower.known.standing() == DiskStanding::Other,
            job: placement.job_under_way().map(|(id, job)| (id, job.clone())),
            slot_epoch: follower.routes.epoch(),
            replicas,
            disk_free_permille: u16::from(self.disk.free_percent()) * 10,
            commands_version: renkei_placement::COMMANDS_VERSION,
        };
        Ok(Response::new(reply.into()))
    }

    async fn digest(&self, request: Request<pb::DigestRequest>) -> Result<Response<pb::DigestReply>, Status> {
        admit(&request, &[Role::Operator, Role::Node])?;
        let DigestRequest { group } = request.into_inner().into();
        let digests = self.digests.of(group).await?;
        Ok(Response::new(DigestReply { digests }.into()))
    }

    async fn add_node(&self, request: Request<pb::AddNodeRequest>) -> Result<Response<pb::AddNodeReply>, Status> {
        admit(&request, &[Role::Operator])?;
        let request = AddNodeRequest::try_from(request.into_inner()).map_err(Refusal::from)?;
        self.controller.add_node(request).await?;
        Ok(Response::new(pb::AddNodeReply {}))
    }

    async fn submit(&self, request: Request<pb::SubmitRequest>) -> Result<Response<pb::SubmitReply>, Status> {
        admit(&request, &[Role::Operator])?;
        let request = SubmitRequest::try_from(request.into_inner()).map_err(Refusal::from)?;
        Ok(Response::new(self.controller.submit(request).await?.into()))
    }

    async fn jobs(&self, request: Request<pb::JobsRequest>) -> Result<Response<pb::JobsReply>, Status> {
        admit(&request, &[Role::Operator])?;
        Ok(Response::new(self.controller.jobs()?.into()))
    }

    async fn abandon(&self, request: Request<pb::AbandonRequest>) -> Result<Response<pb::AbandonReply>, Status> {
        admit(&request, &[Role::Operator])?;
        self.controller.abandon().await?;
        Ok(Response::new(pb::AbandonReply {}))
    }

    async fn placement(&self, request: Request<pb::PlacementRequest>) -> Result<Response<pb::PlacementReply>, Status> {
        admit(&request, &[Role::Operator, Role::Node])?;
        let PlacementRequest { stamp, epoch } = request.into_inner().into();
        let routes = &self.founder.follower.routes;
        let known = routes.current();
        let newer = (known.stamp(), routes.epoch()) > (stamp, epoch);
        let placement = newer.then(|| renkei_placement::Placement::clone(&known));
        Ok(Response::new(PlacementReply { placement }.into()))
    }

    async fn follow(&self, request: Request<pb::FollowRequest>) -> Result<Response<pb::FollowReply>, Status> {
        admit(&request, &[Role::Node])?;
        let FollowRequest { placement } = FollowRequest::try_from(request.into_inner()).map_err(Refusal::from)?;
        Ok(Response::new(self.founder.follower.follow(placement).await?.into()))
    }

    async fn claim_disk(&self, request: Request<pb::ClaimDiskRequest>) -> Result<Response<pb::ClaimDiskReply>, Status> {
        admit(&request, &[Role::Node])?;
        let caller = request.extensions().get::<PeerIdentity>().map(|caller| caller.name.to_string());
        let request = ClaimDiskRequest::try_from(request.into_inner()).map_err(Refusal::from)?;
        // For itself only.
        if caller != Some(request.node.to_string()) {
            return Err(Refusal::new(ErrorCode::RoleNotAllowed).into());
        }
        self.controller.claim(request).await?;
        Ok(Response::new(pb::ClaimDiskReply {}))
    }

    async fn change_members(
        &self,
        request: Request<pb::ChangeMembersRequest>,
    ) -> Result<Response<pb::ChangeMembersReply>, Status> {
        admit(&request, &[Role::Node])?;
        let request = ChangeMembersRequest::try_from(request.into_inner()).map_err(Refusal::from)?;
        self.controller.change_members(request).await?;
        Ok(Response::new(pb::ChangeMembersReply {}))
    }

    async fn transfer_leader(
        &self,
        request: Request<pb::TransferLeaderRequest>,
    ) -> Result<Response<pb::TransferLeaderReply>, Status> {
        admit(&request, &[Role::Node])?;
        let request = TransferLeaderRequest::try_from(request.into_inner()).map_err(Refusal::from)?;
        self.controller.transfer_leader(request).await?;
        Ok(Response::new(pb::TransferLeaderReply {}))
    }
}
