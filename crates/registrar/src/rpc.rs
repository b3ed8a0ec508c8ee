//! RegistrarService: who calls, decode, serve, encode.

use std::sync::Arc;

use renkei_ids::UnixDay;
use renkei_runtime::{Denials, PeerIdentity, Role};
use renkei_wire::pb::registrar::v1 as pb;
use renkei_wire::registrar::{
    BulkEligibilityRequest, CheckEligibilityRequest, CheckInRequest, RegisterReply, RegisterRequest, RenewRequest,
};
use renkei_wire::{ErrorCode, Refusal, RegistrarService};
use tonic::{Request, Response, Status};

use crate::directory::Asker;
use crate::serve::Registrar;

/// The service towards insurers, institutions and vaults.
#[derive(Debug)]
pub(crate) struct Rpc {
    pub(crate) registrar: Arc<Registrar>,
    pub(crate) denials: Denials,
}

impl Rpc {
    /// The institution that calls, as the directory names it.
    fn asker<T>(&self, request: &Request<T>) -> Result<(PeerIdentity, Asker), Refusal> {
        let caller = caller(request)?;
        let asker = self.registrar.directory.asker(&caller, self.registrar.clock.now());
        let asker = asker.map_err(|refusal| self.noted(&caller, refusal))?;
        Ok((caller, asker))
    }

    fn noted(&self, caller: &PeerIdentity, refusal: Refusal) -> Refusal {
        if is_denial(refusal.code) {
            self.denials.note(caller, refusal.code.name());
        }
        refusal
    }
}

fn caller<T>(request: &Request<T>) -> Result<PeerIdentity, Refusal> {
    request.extensions().get::<PeerIdentity>().cloned().ok_or(Refusal::new(ErrorCode::RoleNotAllowed))
}

/// Whether a refusal is a denial: about who asks and with what, not about the state of the system. Who of the patients is
/// known is no part of it.
fn is_denial(code: ErrorCode) -> bool {
    matches!(
        code,
        ErrorCode::RoleNotAllowed
            | ErrorCode::CloudMismatch
            | ErrorCode::InstitutionNotEnrolled
            | ErrorCode::InstitutionDenied
            | ErrorCode::InstitutionLocked
            | ErrorCode::StatementInvalid
            | ErrorCode::StatementStale
            | ErrorCode::BudgetExhausted
            | ErrorCode::CardInvalid
            | ErrorCode::CardExpired
            | ErrorCode::CardOtherInstitution
            | ErrorCode::CardStale
            | ErrorCode::CardUsed
            | ErrorCode::GrantUnknown
            | ErrorCode::GrantEnded
            | ErrorCode::EvidenceInsufficient
            | ErrorCode::KeyDayRefused
    )
}

#[tonic::async_trait]
impl RegistrarService for Rpc {
    async fn register(&self, request: Request<pb::RegisterRequest>) -> Result<Response<pb::RegisterReply>, Status> {
        let caller = caller(&request)?;
        let insurer = self.registrar.directory.insurer(&caller).map_err(|refusal| self.noted(&caller, refusal))?;
        let request = RegisterRequest::try_from(request.into_inner()).map_err(Refusal::from)?;
        let served = self.registrar.register(insurer, request).await;
        let RegisterReply(results) = served.map_err(|refusal| self.noted(&caller, refusal))?;
        let denied = results.iter().filter_map(|result| result.as_ref().err()).filter(|it| is_denial(it.code));
        denied.for_each(|refusal| self.denials.note(&caller, refusal.code.name()));
        Ok(Response::new(RegisterReply(results).into()))
    }

    async fn check_eligibility(
        &self,
        request: Request<pb::CheckEligibilityRequest>,
    ) -> Result<Response<pb::Eligibility>, Status> {
        let (caller, asker) = self.asker(&request)?;
        let request = CheckEligibilityRequest::try_from(request.into_inner()).map_err(Refusal::from)?;
        let served = self.registrar.check_eligibility(asker, request).await;
        Ok(Response::new(served.map_err(|refusal| self.noted(&caller, refusal))?.into()))
    }

    async fn bulk_eligibility(
        &self,
        request: Request<pb::BulkEligibilityRequest>,
    ) -> Result<Response<pb::BulkEligibilityReply>, Status> {
        let (caller, asker) = self.asker(&request)?;
        let request = BulkEligibilityRequest::try_from(request.into_inner()).map_err(Refusal::from)?;
        let served = self.registrar.bulk_eligibility(asker, request).await;
        Ok(Response::new(served.map_err(|refusal| self.noted(&caller, refusal))?.into()))
    }

    async fn check_in(&self, request: Request<pb::CheckInRequest>) -> Result<Response<pb::CheckedIn>, Status> {
        let (caller, asker) = self.asker(&request)?;
        let request = CheckInRequest::try_from(request.into_inner()).map_err(Refusal::from)?;
        let served = self.registrar.check_in(asker, request).await;
        Ok(Response::new(served.map_err(|refusal| self.noted(&caller, refusal))?.into()))
    }

    async fn renew(&self, request: Request<pb::RenewRequest>) -> Result<Response<pb::CheckedIn>, Status> {
        let (caller, asker) = self.asker(&request)?;
        let request = RenewRequest::try_from(request.into_inner()).map_err(Refusal::from)?;
        let served = self.registrar.renew(asker, request).await;
        Ok(Response::new(served.map_err(|refusal| self.noted(&caller, refusal))?.into()))
    }

    async fn ticket_key(&self, request: Request<pb::TicketKeyRequest>) -> Result<Response<pb::TicketKeyReply>, Status> {
        let vault = caller(&request)?;
        if vault.role != Role::Vault {
            return Err(self.noted(&vault, Refusal::new(ErrorCode::RoleNotAllowed)).into());
        }
        let pb::TicketKeyRequest { key_day } = request.into_inner();
        let served = self.registrar.ticket_key(&vault, UnixDay(key_day)).await;
        Ok(Response::new(served.map_err(|refusal| self.noted(&vault, refusal))?.into()))
    }
}
