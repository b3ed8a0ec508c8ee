//! VaultService: decode, serve, encode.

use std::sync::Arc;

use renkei_ids::KeyHash;
use renkei_runtime::{PeerIdentity, Role};
use renkei_wire::pb::vault::v1 as pb;
use renkei_wire::vault::{Batch, OpenStubsRequest};
use renkei_wire::{ErrorCode, Refusal, VaultService};
use tonic::{Request, Response, Status};

use crate::serve::Vault;

/// The service towards gateways.
#[derive(Debug)]
pub(crate) struct Rpc {
    pub(crate) vault: Arc<Vault>,
}

#[tonic::async_trait]
impl VaultService for Rpc {
    #[cfg(feature = "dev-insecure")]
    async fn open_insecure(
        &self,
        request: Request<pb::OpenInsecureRequest>,
    ) -> Result<Response<pb::OpenReply>, Status> {
        let gateway = gateway(&request)?;
        let batch = Batch::try_from(request.into_inner()).map_err(Refusal::from)?;
        Ok(Response::new(self.vault.open(gateway, batch).await?.into()))
    }

    #[cfg(not(feature = "dev-insecure"))]
    async fn open_insecure(
        &self,
        request: Request<pb::OpenInsecureRequest>,
    ) -> Result<Response<pb::OpenReply>, Status> {
        gateway(&request)?;
        Err(Refusal::new(ErrorCode::Unimplemented).into())
    }

    async fn puts(&self, request: Request<pb::PutsRequest>) -> Result<Response<pb::PutsReply>, Status> {
        let gateway = gateway(&request)?;
        let batch = Batch::try_from(request.into_inner()).map_err(Refusal::from)?;
        Ok(Response::new(self.vault.puts(gateway, batch).await?.into()))
    }

    async fn deletes(&self, request: Request<pb::DeletesRequest>) -> Result<Response<pb::DeletesReply>, Status> {
        let gateway = gateway(&request)?;
        let batch = Batch::try_from(request.into_inner()).map_err(Refusal::from)?;
        Ok(Response::new(self.vault.deletes(gateway, batch).await?.into()))
    }

    async fn open_stubs(&self, request: Request<pb::OpenStubsRequest>) -> Result<Response<pb::OpenStubsReply>, Status> {
        let gateway = gateway(&request)?;
        let request = OpenStubsRequest::try_from(request.into_inner()).map_err(Refusal::from)?;
        Ok(Response::new(self.vault.open_stubs(gateway, request).await?.into()))
    }
}

/// The key of the gateway that calls.
fn gateway<T>(request: &Request<T>) -> Result<KeyHash, Refusal> {
    request
        .extensions()
        .get::<PeerIdentity>()
        .filter(|caller| caller.role == Role::Gateway)
        .map(|caller| caller.key_hash)
        .ok_or(Refusal::new(ErrorCode::RoleNotAllowed))
}
