//! Gives vaults their ticket keys, as a registrar and key holders do: each at its own port, under its own certificate.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use renkei_ids::{CloudId, KeyholderId, UnixDay, UnixMillis};
use renkei_runtime::{Admit, Http2, PeerIdentity, Role, Shell, SystemClock, Tls, bind, serve_grpc};
use renkei_wire::keyholder::HeldTicketKey;
use renkei_wire::pb::{keyholder::v1 as keyholder_pb, registrar::v1 as registrar_pb};
use renkei_wire::registrar::RegistrarTicketKey;
use renkei_wire::{
    ErrorCode, KeyholderService, KeyholderServiceServer, Refusal, RegistrarService, RegistrarServiceServer,
};
use tokio::runtime::Runtime;
use tonic::{Request, Response, Status};

use super::{Given, STAND_IN_HOLDERS, StandInError};
use crate::{Authority, Leaf, ReservedPort};

/// Key holders and registrars belong to no cloud.
const NO_CLOUD: CloudId = CloudId::from_bytes([0; 16]);

/// What serves, and where.
pub(super) struct Givers {
    pub(super) registrar: ReservedPort,
    pub(super) holders: BTreeMap<KeyholderId, ReservedPort>,
    away: BTreeMap<KeyholderId, Arc<AtomicBool>>,
    /// Dropped last: what runs in it ends with it.
    runtime: Option<Runtime>,
}

impl Givers {
    pub(super) fn start(certs: &Path, given: &Arc<Given>, now: UnixMillis) -> Result<Self, StandInError> {
        let authority = Authority::open(certs, now)?;
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let entered = runtime.enter();
        let registrar = ReservedPort::take()?;
        let service = RegistrarServiceServer::new(Registrar { given: Arc::clone(given) });
        let shell = shell(&authority, (Role::Registrar, "stand-in"), now)?;
        let tls = shell.tls().server(Admit { cloud: None, roles: &[Role::Vault] });
        serve_grpc(&shell, "registrar", bind(registrar.address())?, tls, Http2::CALLS, service);
        let (mut holders, mut away) = (BTreeMap::new(), BTreeMap::new());
        for number in (1..=STAND_IN_HOLDERS).map(KeyholderId) {
            let (port, is_away) = (ReservedPort::take()?, Arc::new(AtomicBool::new(false)));
            let holder = Holder { number, given: Arc::clone(given), away: Arc::clone(&is_away) };
            let shell = super::givers::shell(&authority, (Role::Keyholder, &number.to_string()), now)?;
            let tls = shell.tls().server(Admit { cloud: None, roles: &[Role::Vault] });
            let service = KeyholderServiceServer::new(holder);
            serve_grpc(&shell, "keyholder", bind(port.address())?, tls, Http2::CALLS, service);
            holders.insert(number, port);
            away.insert(number, is_away);
        }
        drop(entered);
        Ok(Self { registrar, holders, away, runtime: Some(runtime) })
    }

    pub(super) fn away(&self, holder: KeyholderId, away: bool) {
        if let Some(is_away) = self.away.get(&holder) {
            is_away.store(away, Ordering::Relaxed);
        }
    }
}

impl Drop for Givers {
    fn drop(&mut self) {
        // It may be dropped inside another runtime, where waiting for this one is not allowed.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

fn shell(authority: &Authority, (role, name): (Role, &str), now: UnixMillis) -> Result<Shell, StandInError> {
    let files = authority.issue(&Leaf::local(NO_CLOUD, role, name, now))?;
    let clock = Arc::new(SystemClock::new());
    let tls = Tls::load(&files, Arc::<SystemClock>::clone(&clock)).map_err(Box::new)?;
    Ok(Shell::new(role.as_str(), clock, tls))
}

/// The vault's own cloud.
fn cloud<T>(request: &Request<T>) -> Result<CloudId, Status> {
    let caller = request.extensions().get::<PeerIdentity>().filter(|caller| caller.role == Role::Vault);
    caller.map(|caller| caller.cloud).ok_or(Refusal::new(ErrorCode::RoleNotAllowed).into())
}

struct Registrar {
    given: Arc<Given>,
}

#[tonic::async_trait]
impl RegistrarService for Registrar {
    async fn register(
        &self,
        _: Request<registrar_pb::RegisterRequest>,
    ) -> Result<Response<registrar_pb::RegisterReply>, Status> {
        // The stand-in mints without asking over the wire, and knows nobody.
        Err(Refusal::new(ErrorCode::Unimplemented).into())
    }

    async fn check_eligibility(
        &self,
        _: Request<registrar_pb::CheckEligibilityRequest>,
    ) -> Result<Response<registrar_pb::Eligibility>, Status> {
        Err(Refusal::new(ErrorCode::Unimplemented).into())
    }

    async fn bulk_eligibility(
        &self,
        _: Request<registrar_pb::BulkEligibilityRequest>,
    ) -> Result<Response<registrar_pb::BulkEligibilityReply>, Status> {
        Err(Refusal::new(ErrorCode::Unimplemented).into())
    }

    async fn check_in(
        &self,
        _: Request<registrar_pb::CheckInRequest>,
    ) -> Result<Response<registrar_pb::CheckedIn>, Status> {
        Err(Refusal::new(ErrorCode::Unimplemented).into())
    }

    async fn renew(&self, _: Request<registrar_pb::RenewRequest>) -> Result<Response<registrar_pb::CheckedIn>, Status> {
        Err(Refusal::new(ErrorCode::Unimplemented).into())
    }

    async fn ticket_key(
        &self,
        request: Request<registrar_pb::TicketKeyRequest>,
    ) -> Result<Response<registrar_pb::TicketKeyReply>, Status> {
        let cloud = cloud(&request)?;
        let key = self.given.registrar(UnixDay(request.into_inner().key_day), cloud);
        Ok(Response::new(RegistrarTicketKey(key).into()))
    }
}

struct Holder {
    number: KeyholderId,
    given: Arc<Given>,
    away: Arc<AtomicBool>,
}

#[tonic::async_trait]
impl KeyholderService for Holder {
    async fn mint(&self, _: Request<keyholder_pb::MintRequest>) -> Result<Response<keyholder_pb::MintReply>, Status> {
        // The stand-in's registrar mints without asking over the wire.
        Err(Refusal::new(ErrorCode::Unimplemented).into())
    }

    async fn ticket_key(
        &self,
        request: Request<keyholder_pb::TicketKeyRequest>,
    ) -> Result<Response<keyholder_pb::TicketKeyReply>, Status> {
        if self.away.load(Ordering::Relaxed) {
            return Err(Refusal::new(ErrorCode::Unavailable).into());
        }
        let cloud = cloud(&request)?;
        let key = self.given.holder(self.number, UnixDay(request.into_inner().key_day), cloud);
        Ok(Response::new(HeldTicketKey { holder: self.number, key }.into()))
    }
}
