//! The way of a request: look up and wrap, have it decided and committed, then unwrap and sign.
//!
//! Invariant: nothing is unwrapped for an answer before its items are committed in the log of openings.

mod audit;
mod deciding;
mod directing;
mod keys;
mod open;
#[cfg(feature = "dev-insecure")]
mod open_insecure;
mod open_tickets;
mod puts;
mod tickets;

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use renkei_access::{Period, RecordGrant, Scope, SignedCapability};
use renkei_consensus::{Engine, Replica};
use renkei_envelope::{EscrowKey, Opening};
use renkei_ids::{CapabilityId, ClassTag, Clock, CloudId, KeyHash, NodeId};
use renkei_peers::{Clocks, GROUP};
use renkei_storage::{DiskWatch, StorageError};
use renkei_wire::vault::Results;
use renkei_wire::{ErrorCode, Refusal};

use crate::admission::Admission;
use crate::metrics::Metrics;
use crate::state::{Ask, Item, Limits};
use crate::ticket_keys::TicketKeys;

pub(crate) use directing::ReadDirectory;
pub(crate) use keys::Keys;
use keys::PatientKeys;

/// What serving a request needs.
pub(crate) struct Vault {
    pub(crate) cloud: CloudId,
    pub(crate) engine: Engine,
    pub(crate) keys: Arc<Keys>,
    pub(crate) disk: Arc<DiskWatch>,
    pub(crate) admission: Admission,
    pub(crate) limits: Limits,
    pub(crate) life: Duration,
    /// `None` where the configuration names nobody who gives some.
    pub(crate) ticket_keys: Option<TicketKeys>,
    pub(crate) read_directory: ReadDirectory,
    /// Whom escrow rows are sealed to; `None` where none are made.
    pub(crate) escrow: Option<EscrowKey>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) clocks: Clocks,
    pub(crate) metrics: Metrics,
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vault").field("cloud", &self.cloud).field("engine", &self.engine).finish_non_exhaustive()
    }
}

/// What a capability is to say, beyond what its opening says.
struct ToSign {
    id: CapabilityId,
    scope: Scope,
    classes: Vec<ClassTag>,
    period: Period,
    records: Vec<RecordGrant>,
}

impl Vault {
    /// The replica here; there is none before the founding, and none where the disk was lost.
    fn replica(&self) -> Result<Replica, Refusal> {
        self.engine.replica(GROUP).ok_or(Refusal::new(ErrorCode::NotBootstrapped))
    }

    /// Where to go instead.
    fn not_leader(&self, leader: Option<NodeId>) -> Refusal {
        let refusal = Refusal::new(ErrorCode::NotLeader);
        match leader.filter(|vault| *vault != self.engine.node()) {
            Some(vault) => refusal.led_by(vault),
            None => refusal,
        }
    }

    /// Reads an opening that a gateway presents, for one use.
    fn present(&self, gateway: KeyHash, sealed: &[u8], scope: Scope) -> Result<Opening, Refusal> {
        let invalid = |_| Refusal::new(ErrorCode::OpeningInvalid);
        let opening = self.keys.opening.open(self.cloud, sealed).map_err(invalid)?;
        if opening.gateway != gateway {
            return Err(Refusal::new(ErrorCode::OpeningOtherGateway));
        }
        if self.clock.now() >= opening.expires {
            return Err(Refusal::new(ErrorCode::OpeningExpired));
        }
        if !opening.scope.allows(scope) {
            return Err(Refusal::new(ErrorCode::OpeningScope));
        }
        Ok(opening)
    }

    /// Signs a capability for what an opening was decided for. It ends with its opening.
    fn sign(&self, opening: &Opening, keys: &PatientKeys, wanted: ToSign) -> SignedCapability {
        let ToSign { id, scope, classes, period, records } = wanted;
        let capability = renkei_access::Capability {
            id,
            pid: opening.pid,
            institution: keys.tags.institution(opening.institution),
            classes,
            period,
            scope,
            purpose: opening.purpose,
            issued: self.clock.now(),
            expires: opening.expires,
            gateway: opening.gateway,
            stub: keys.seal_stub(id, opening),
            records,
        };
        capability
            .sign(&self.keys.signing)
            .expect("six classes, one record and a stub of 95 bytes are within the limits")
    }

    /// Serves a call that the clock is right and memory and disk have room for, measures it and counts its items.
    async fn told<T>(
        &self,
        (call, items): (&'static str, usize),
        deadline: Duration,
        room: Result<(), StorageError>,
        served: impl Future<Output = Result<Results<T>, Refusal>>,
    ) -> Result<Results<T>, Refusal> {
        let began = Instant::now();
        let room = room.map_err(|_| Refusal::new(ErrorCode::DiskLow));
        let outcome = match room.and_then(|()| self.admission.admit(items)) {
            // Before anything is judged by it.
            _ if !self.clocks.in_line() => Err(Refusal::new(ErrorCode::ClockOff)),
            // What was proposed is not undone; a key that nobody waits for is dropped.
            Ok(_until_answered) => {
                tokio::time::timeout(deadline, served).await.unwrap_or(Err(Refusal::new(ErrorCode::OutcomeUnknown)))
            }
            Err(refusal) => Err(refusal),
        };
        self.metrics.call_seconds.with_label_values(&[call]).observe(began.elapsed().as_secs_f64());
        match &outcome {
            Ok(Results(results)) => results.iter().for_each(|result| {
                let outcome = result.as_ref().map_or_else(|refusal| refusal.code.name(), |_| "ok");
                self.metrics.items.with_label_values(&[call, outcome]).inc();
            }),
            Err(refusal) => self.metrics.refusals.with_label_values(&[call, refusal.code.name()]).inc(),
        }
        outcome
    }
}

/// What every item says of its opening.
fn item(id: CapabilityId, salt: [u8; renkei_merkle::SALT_BYTES], opening: &Opening, ask: Ask) -> Item {
    Item {
        capability: id,
        salt,
        institution: opening.institution,
        purpose: Some(opening.purpose),
        evidence: Some(opening.evidence),
        ask,
    }
}
