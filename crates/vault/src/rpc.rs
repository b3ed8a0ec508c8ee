//! VaultService: decode, serve, encode.

use std::sync::Arc;

use renkei_runtime::{Denials, PeerIdentity, Role};
use renkei_wire::pb::vault::v1 as pb;
use renkei_wire::vault::{Batch, OpenStubsRequest, Results};
use renkei_wire::{ErrorCode, Refusal, VaultService};
use tonic::{Request, Response, Status};

use crate::serve::Vault;

/// The service towards gateways.
#[derive(Debug)]
pub(crate) struct Rpc {
    pub(crate) vault: Arc<Vault>,
    pub(crate) denials: Denials,
}

impl Rpc {
    /// The gateway that calls.
    fn gateway<T>(&self, request: &Request<T>) -> Result<PeerIdentity, Refusal> {
        let caller = request.extensions().get::<PeerIdentity>().ok_or(Refusal::new(ErrorCode::RoleNotAllowed))?;
        match caller.role {
            Role::Gateway => Ok(caller.clone()),
            _ => Err(self.noted(caller, Refusal::new(ErrorCode::RoleNotAllowed))),
        }
    }

    /// Notes what was denied of a call, or the call.
    fn told<T>(&self, caller: &PeerIdentity, outcome: Result<Results<T>, Refusal>) -> Result<Results<T>, Refusal> {
        if let Ok(Results(results)) = &outcome {
            let denied =
                results.iter().filter_map(|result| result.as_ref().err()).filter(|refusal| is_denial(refusal.code));
            denied.for_each(|refusal| self.denials.note(caller, refusal.code.name()));
        }
        outcome.map_err(|refusal| self.noted(caller, refusal))
    }

    fn noted(&self, caller: &PeerIdentity, refusal: Refusal) -> Refusal {
        if is_denial(refusal.code) {
            self.denials.note(caller, refusal.code.name());
        }
        refusal
    }
}

/// Whether a refusal is a denial: about who asks and with what, not about the state of the system.
fn is_denial(code: ErrorCode) -> bool {
    matches!(
        code,
        ErrorCode::OpeningInvalid
            | ErrorCode::OpeningExpired
            | ErrorCode::OpeningOtherGateway
            | ErrorCode::OpeningScope
            | ErrorCode::BudgetExhausted
            | ErrorCode::EvidenceInsufficient
            | ErrorCode::RoleNotAllowed
            | ErrorCode::TicketInvalid
            | ErrorCode::TicketOtherCloud
            | ErrorCode::TicketOtherInstitution
            | ErrorCode::TicketOtherHomeCell
            | ErrorCode::TicketOtherCell
            | ErrorCode::TicketOtherEpoch
            | ErrorCode::TicketNotYetValid
            | ErrorCode::TicketExpired
            | ErrorCode::TicketCategory
            | ErrorCode::InstitutionDenied
            | ErrorCode::InstitutionNotEnrolled
            | ErrorCode::InstitutionLocked
    )
}

#[tonic::async_trait]
impl VaultService for Rpc {
    #[cfg(feature = "dev-insecure")]
    async fn open_insecure(
        &self,
        request: Request<pb::OpenInsecureRequest>,
    ) -> Result<Response<pb::OpenReply>, Status> {
        let gateway = self.gateway(&request)?;
        let batch = Batch::try_from(request.into_inner()).map_err(Refusal::from)?;
        let opened = self.vault.open_insecure(gateway.key_hash, batch).await;
        Ok(Response::new(self.told(&gateway, opened)?.into()))
    }

    #[cfg(not(feature = "dev-insecure"))]
    async fn open_insecure(
        &self,
        request: Request<pb::OpenInsecureRequest>,
    ) -> Result<Response<pb::OpenReply>, Status> {
        self.gateway(&request)?;
        Err(Refusal::new(ErrorCode::Unimplemented).into())
    }

    async fn open_tickets(&self, request: Request<pb::OpenTicketsRequest>) -> Result<Response<pb::OpenReply>, Status> {
        let gateway = self.gateway(&request)?;
        let batch = Batch::try_from(request.into_inner()).map_err(Refusal::from)?;
        let opened = self.vault.open_tickets(gateway.key_hash, batch).await;
        Ok(Response::new(self.told(&gateway, opened)?.into()))
    }

    async fn puts(&self, request: Request<pb::PutsRequest>) -> Result<Response<pb::PutsReply>, Status> {
        let gateway = self.gateway(&request)?;
        let batch = Batch::try_from(request.into_inner()).map_err(Refusal::from)?;
        let granted = self.vault.puts(gateway.key_hash, batch).await;
        Ok(Response::new(self.told(&gateway, granted)?.into()))
    }

    async fn deletes(&self, request: Request<pb::DeletesRequest>) -> Result<Response<pb::DeletesReply>, Status> {
        let gateway = self.gateway(&request)?;
        let batch = Batch::try_from(request.into_inner()).map_err(Refusal::from)?;
        let granted = self.vault.deletes(gateway.key_hash, batch).await;
        Ok(Response::new(self.told(&gateway, granted)?.into()))
    }

    async fn open_stubs(&self, request: Request<pb::OpenStubsRequest>) -> Result<Response<pb::OpenStubsReply>, Status> {
        let gateway = self.gateway(&request)?;
        let request = OpenStubsRequest::try_from(request.into_inner()).map_err(Refusal::from)?;
        let opened = self.vault.open_stubs(gateway.key_hash, request).await;
        Ok(Response::new(opened.map_err(|refusal| self.noted(&gateway, refusal))?.into()))
    }
}
