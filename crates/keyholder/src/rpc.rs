//! KeyholderService: who calls, decode, serve on a blocking thread, encode.

use std::sync::Arc;
use std::time::Instant;

use renkei_ids::UnixDay;
use renkei_runtime::{Denials, PeerIdentity, Role};
use renkei_wire::keyholder::{MintReply, MintRequest};
use renkei_wire::pb::keyholder::v1 as pb;
use renkei_wire::{ErrorCode, KeyholderService, Refusal};
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;
use tonic::{Request, Response, Status};

use crate::holder::Holder;
use crate::metrics::Metrics;
use crate::service::NO_CLOUD;

/// Calls that are served or wait for a thread: a batch takes 2 ms of one, so the last of them waits about 60 ms.
const CALLS_MAX: usize = 64;

/// The service towards registrars and vaults.
#[derive(Clone, Debug)]
pub(crate) struct Rpc {
    holder: Arc<Holder>,
    denials: Denials,
    metrics: Metrics,
    calls: Arc<Semaphore>,
}

impl Rpc {
    pub(crate) fn new(holder: Arc<Holder>, denials: Denials, metrics: Metrics) -> Self {
        Self { holder, denials, metrics, calls: Arc::new(Semaphore::new(CALLS_MAX)) }
    }

    /// Serves callers of one role on a blocking thread, as long as there are not too many; counts and notes what was refused.
    async fn serve<T: Send + 'static>(
        &self,
        call: &'static str,
        (caller, role): (Option<PeerIdentity>, Role),
        serve: impl FnOnce(&Holder, &PeerIdentity) -> Result<T, Refusal> + Send + 'static,
    ) -> Result<T, Refusal> {
        let began = Instant::now();
        let served = match &caller {
            Some(caller) if caller.role == role => self.blocking(caller.clone(), serve).await,
            _ => Err(Refusal::new(ErrorCode::RoleNotAllowed)),
        };
        self.metrics.call_seconds.with_label_values(&[call]).observe(began.elapsed().as_secs_f64());
        if let Err(refusal) = &served {
            self.metrics.refusals.with_label_values(&[call, refusal.code.name()]).inc();
            if let Some(caller) = caller.filter(|_| is_denial(refusal.code)) {
                self.denials.note(&caller, refusal.code.name());
            }
        }
        served
    }

    async fn blocking<T: Send + 'static>(
        &self,
        caller: PeerIdentity,
        serve: impl FnOnce(&Holder, &PeerIdentity) -> Result<T, Refusal> + Send + 'static,
    ) -> Result<T, Refusal> {
        let permit = Arc::clone(&self.calls).try_acquire_owned().map_err(|_| Refusal::new(ErrorCode::Busy))?;
        let holder = Arc::clone(&self.holder);
        let served = spawn_blocking(move || {
            let _permit = permit;
            serve(&holder, &caller)
        });
        // A thread ends without an answer while the process stops, or by a panic, which the log then tells of.
        served.await.map_err(|_| Refusal::new(ErrorCode::ShuttingDown))?
    }
}

fn caller<T>(request: &Request<T>) -> Option<PeerIdentity> {
    request.extensions().get::<PeerIdentity>().cloned()
}

/// Whether a refusal is a denial: about who asks and for how much, not about the state of the system.
fn is_denial(code: ErrorCode) -> bool {
    matches!(
        code,
        ErrorCode::RoleNotAllowed
            | ErrorCode::CloudMismatch
            | ErrorCode::BudgetExhausted
            | ErrorCode::KeyDayRefused
            | ErrorCode::LimitReached
    )
}

#[tonic::async_trait]
impl KeyholderService for Rpc {
    async fn mint(&self, request: Request<pb::MintRequest>) -> Result<Response<pb::MintReply>, Status> {
        let registrar = (caller(&request), Role::Registrar);
        let message = request.into_inner();
        let (metrics, denials) = (self.metrics.clone(), self.denials.clone());
        let served = self.serve("mint", registrar, move |holder, registrar| {
            // Budgets are told apart by the registrar's name, which says one thing without a cloud only.
            if registrar.cloud != NO_CLOUD {
                return Err(Refusal::new(ErrorCode::CloudMismatch));
            }
            let request = MintRequest::try_from(message)?;
            let reply = holder.mint(&registrar.name, &request)?;
            let MintReply(results) = &reply;
            for result in results {
                let code = result.as_ref().err().map(|refusal| refusal.code);
                metrics.items.with_label_values(&[code.map_or("ok", ErrorCode::name)]).inc();
                code.into_iter().filter(|code| is_denial(*code)).for_each(|code| denials.note(registrar, code.name()));
            }
            Ok(pb::MintReply::from(reply))
        });
        Ok(Response::new(served.await?))
    }

    async fn ticket_key(&self, request: Request<pb::TicketKeyRequest>) -> Result<Response<pb::TicketKeyReply>, Status> {
        let vault = (caller(&request), Role::Vault);
        let pb::TicketKeyRequest { key_day } = request.into_inner();
        let served = self.serve("ticket_key", vault, move |holder, vault| {
            holder.ticket_key(vault.cloud, &vault.key_hash, UnixDay(key_day)).map(pb::TicketKeyReply::from)
        });
        Ok(Response::new(served.await?))
    }
}
