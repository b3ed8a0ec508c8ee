//! The way of a request: who asks, what is known of whom, have it decided and committed, then open and mint.
//!
//! Invariant: nothing of a person leaves before what was asked for her is committed in the check-in log.

mod check_in;
mod deciding;
mod directing;
mod eligibility;
mod insuring;
mod refusals;
mod ticket_key;

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use renkei_access::VerifyingKey;
use renkei_consensus::{Engine, Replica};
use renkei_ids::{AttributeTag, Clock, CloudId, KeyHash, MemberIndex, NodeId};
use renkei_peers::{Clocks, GROUP};
use renkei_runtime::Chain;
use renkei_storage::DiskWatch;
use renkei_wire::registrar::Insured;
use renkei_wire::{ErrorCode, Refusal};
use tokio::task::spawn_blocking;

use crate::admission::Admission;
use crate::day_keys::DayKeys;
use crate::directory::Named;
use crate::keys::Keys;
use crate::metrics::Metrics;
use crate::mint::Mint;
use crate::register::ResidentRegister;

pub(crate) use directing::Kept;

/// What serving a request needs.
pub(crate) struct Registrar {
    pub(crate) engine: Engine,
    pub(crate) keys: Arc<Keys>,
    pub(crate) directory: Named,
    pub(crate) register: Arc<dyn ResidentRegister>,
    pub(crate) card_authorities: Vec<VerifyingKey>,
    /// The clouds that tickets are minted for, and the public keys of their vaults.
    pub(crate) clouds: BTreeMap<CloudId, Vec<KeyHash>>,
    pub(crate) old_member_days: u32,
    pub(crate) ticket_minutes: u32,
    pub(crate) mint: Mint,
    pub(crate) days: DayKeys,
    pub(crate) disk: Arc<DiskWatch>,
    pub(crate) admission: Admission,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) clocks: Clocks,
    pub(crate) metrics: Metrics,
}

impl fmt::Debug for Registrar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registrar").field("engine", &self.engine).finish_non_exhaustive()
    }
}

impl Registrar {
    /// The replica here; there is none before the founding, and none where the disk was lost.
    fn replica(&self) -> Result<Replica, Refusal> {
        self.engine.replica(GROUP).ok_or(Refusal::new(ErrorCode::NotBootstrapped))
    }

    /// Where to go instead.
    fn not_leader(&self, leader: Option<NodeId>) -> Refusal {
        let refusal = Refusal::new(ErrorCode::NotLeader);
        match leader.filter(|host| *host != self.engine.node()) {
            Some(host) => refusal.led_by(host),
            None => refusal,
        }
    }

    /// Serves a call that the clock is right and memory and disk have room for, and measures it.
    async fn told<T>(
        &self,
        (call, items): (&'static str, usize),
        deadline: Duration,
        served: impl Future<Output = Result<T, Refusal>>,
    ) -> Result<T, Refusal> {
        let began = Instant::now();
        let room = self.disk.admit_reads().map_err(|_| Refusal::new(ErrorCode::DiskLow));
        let outcome = match room.and_then(|()| self.admission.admit(items)) {
            // Before anything is judged by it.
            _ if !self.clocks.in_line() => Err(Refusal::new(ErrorCode::ClockOff)),
            // What was proposed is not undone; a ticket that nobody waits for is dropped.
            Ok(_until_answered) => {
                tokio::time::timeout(deadline, served).await.unwrap_or(Err(Refusal::new(ErrorCode::OutcomeUnknown)))
            }
            Err(refusal) => Err(refusal),
        };
        self.metrics.call_seconds.with_label_values(&[call]).observe(began.elapsed().as_secs_f64());
        if let Err(refusal) = &outcome {
            self.metrics.refusals.with_label_values(&[call, refusal.code.name()]).inc();
        }
        outcome
    }

    /// Under what somebody is found who is named by member id and birth date.
    fn named(&self, insured: &Insured) -> (MemberIndex, AttributeTag) {
        let member = self.keys.registrar.member(insured.member.comparison_form());
        (member, self.keys.registrar.birth(member, &insured.birth_date.to_string()))
    }

    /// Counts an item of a call by what became of it.
    fn count<T>(&self, call: &'static str, result: &Result<T, Refusal>) {
        let outcome = result.as_ref().map_or_else(|refusal| refusal.code.name(), |_| "ok");
        self.metrics.items.with_label_values(&[call, outcome]).inc();
    }
}

/// Whether a refusal says that the registrar has no majority, so that nobody can know.
fn has_no_majority(refusal: &Refusal) -> bool {
    match refusal.code {
        ErrorCode::NotLeader => refusal.leader_node.is_none(),
        ErrorCode::Unavailable | ErrorCode::OutcomeUnknown => true,
        _ => false,
    }
}

/// What reads the state, opens or computes does it on a blocking thread.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T, Refusal> + Send + 'static) -> Result<T, Refusal> {
    // A panic there is a fault of ours, and the hook has told of it.
    spawn_blocking(work).await.map_err(|_| Refusal::new(ErrorCode::InternalIo))?
}

/// A row or a sealed value that does not read.
pub(crate) fn damaged(error: &(dyn Error + 'static)) -> Refusal {
    tracing::error!(error = %Chain(error), "the registrar's state");
    Refusal::new(ErrorCode::InternalIo)
}
