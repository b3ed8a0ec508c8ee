//! RegistrarAdminService: what operators ask, and registrars on behalf of one another while the registrar is founded.

use std::sync::Arc;

use renkei_ids::InstitutionId;
use renkei_peers::{Digests, GROUP, HostStanding};
use renkei_runtime::{PeerIdentity, Role};
use renkei_wire::admin::{DigestReply, RegistrarStatus};
use renkei_wire::pb::admin::v1 as pb;
use renkei_wire::{ErrorCode, Refusal, RegistrarAdminService};
use tonic::{Request, Response, Status};

use crate::founding::Founder;
use crate::remote::NO_CLOUD;
use crate::serve::Registrar;

/// The service towards operators and peers.
#[derive(Clone, Debug)]
pub(crate) struct RegistrarAdmin {
    pub(crate) founder: Founder,
    pub(crate) digests: Digests,
    pub(crate) registrar: Arc<Registrar>,
}

/// An operator of a cloud is none of the registrar's.
fn admit<T>(request: &Request<T>, roles: &[Role]) -> Result<(), Refusal> {
    let caller = request.extensions().get::<PeerIdentity>();
    match caller.is_some_and(|caller| caller.cloud == NO_CLOUD && roles.contains(&caller.role)) {
        true => Ok(()),
        false => Err(Refusal::new(ErrorCode::RoleNotAllowed)),
    }
}

#[tonic::async_trait]
impl RegistrarAdminService for RegistrarAdmin {
    async fn found(
        &self,
        request: Request<pb::FoundRegistrarRequest>,
    ) -> Result<Response<pb::FoundRegistrarReply>, Status> {
        admit(&request, &[Role::Operator, Role::Registrar])?;
        self.founder.found().await.map_err(Refusal::from)?;
        Ok(Response::new(pb::FoundRegistrarReply {}))
    }

    async fn open_replica(
        &self,
        request: Request<pb::OpenRegistrarReplicaRequest>,
    ) -> Result<Response<pb::OpenRegistrarReplicaReply>, Status> {
        admit(&request, &[Role::Registrar])?;
        self.founder.open_for_founding().await.map_err(Refusal::from)?;
        Ok(Response::new(pb::OpenRegistrarReplicaReply {}))
    }

    async fn status(
        &self,
        request: Request<pb::RegistrarStatusRequest>,
    ) -> Result<Response<pb::RegistrarStatusReply>, Status> {
        admit(&request, &[Role::Operator, Role::Registrar])?;
        let HostStanding { members, keys: _, begun, founded, replica } = self.founder.standing();
        let status = RegistrarStatus {
            registrar: self.founder.engine().node(),
            members,
            replica,
            begun,
            founded,
            keys_check: self.founder.charter().keys.check(),
            disk_free_permille: u16::from(self.registrar.disk.free_percent()) * 10,
        };
        Ok(Response::new(status.into()))
    }

    async fn digest(&self, request: Request<pb::RegistrarDigestRequest>) -> Result<Response<pb::DigestReply>, Status> {
        admit(&request, &[Role::Operator, Role::Registrar])?;
        let digests = self.digests.of(GROUP).await?;
        Ok(Response::new(DigestReply { digests }.into()))
    }

    async fn lock_institution(
        &self,
        request: Request<pb::LockInstitutionRequest>,
    ) -> Result<Response<pb::LockInstitutionReply>, Status> {
        admit(&request, &[Role::Operator])?;
        let pb::LockInstitutionRequest { institution, locked } = request.into_inner();
        let institution = InstitutionId::try_from(&institution[..]).map_err(|_| Refusal::invalid("institution"))?;
        self.registrar.lock(institution, locked).await?;
        tracing::warn!(locked, "an operator has locked or unlocked an institution");
        Ok(Response::new(pb::LockInstitutionReply {}))
    }
}
