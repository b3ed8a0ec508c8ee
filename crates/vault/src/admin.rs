//! VaultAdminService: what operators ask, and vaults on behalf of one another while the vault is founded.

use std::sync::Arc;

use renkei_peers::{Digests, GROUP, HostStanding};
use renkei_runtime::{PeerIdentity, Role};
use renkei_storage::DiskWatch;
use renkei_wire::admin::{DigestReply, VaultStatus};
use renkei_wire::pb::admin::v1 as pb;
use renkei_wire::{ErrorCode, Refusal, VaultAdminService};
use tonic::{Request, Response, Status};

use crate::founding::Founder;

/// The service towards operators and peers.
#[derive(Clone, Debug)]
pub(crate) struct VaultAdmin {
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

#[tonic::async_trait]
impl VaultAdminService for VaultAdmin {
    async fn found(&self, request: Request<pb::FoundVaultRequest>) -> Result<Response<pb::FoundVaultReply>, Status> {
        admit(&request, &[Role::Operator, Role::Vault])?;
        self.founder.found().await.map_err(Refusal::from)?;
        Ok(Response::new(pb::FoundVaultReply {}))
    }

    async fn open_replica(
        &self,
        request: Request<pb::OpenVaultReplicaRequest>,
    ) -> Result<Response<pb::OpenVaultReplicaReply>, Status> {
        admit(&request, &[Role::Vault])?;
        self.founder.open_for_founding().await.map_err(Refusal::from)?;
        Ok(Response::new(pb::OpenVaultReplicaReply {}))
    }

    async fn status(&self, request: Request<pb::VaultStatusRequest>) -> Result<Response<pb::VaultStatusReply>, Status> {
        admit(&request, &[Role::Operator, Role::Vault])?;
        let HostStanding { members, keys: _, begun, founded, replica } = self.founder.standing();
        let keys = &self.founder.charter().keys;
        let status = VaultStatus {
            vault: self.founder.engine().node(),
            members,
            replica,
            begun,
            founded,
            signing_key: *keys.signing.verifying_key().as_bytes(),
            key_epoch: keys.epoch.0,
            disk_free_permille: u16::from(self.disk.free_percent()) * 10,
        };
        Ok(Response::new(status.into()))
    }

    async fn digest(&self, request: Request<pb::VaultDigestRequest>) -> Result<Response<pb::DigestReply>, Status> {
        admit(&request, &[Role::Operator, Role::Vault])?;
        let digests = self.digests.of(GROUP).await?;
        Ok(Response::new(DigestReply { digests }.into()))
    }
}
