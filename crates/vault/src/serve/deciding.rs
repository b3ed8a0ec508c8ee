//! Has items decided: makes the command, proposes it, and makes it again where the state has changed meanwhile.

use std::sync::Arc;

use renkei_access::{Directory, Evidence, Period, Purpose, Scope};
use renkei_consensus::ProposeError;
use renkei_envelope::ClassSet;
use renkei_ids::{InstitutionId, KeyHash, Pid, RequestId};
use renkei_wire::{ErrorCode, Refusal};
use std::time::Duration;
use tokio::task::spawn_blocking;

use super::Vault;
use super::keys::UnwrapError;
use crate::machine::VaultView;
use crate::state::{self, Ask, Batch, Command, Item, LOCK_MILLIS, Reason, Verdict, Verdicts, Wanted};

/// How often a command is made again because the state changed under it.
const TRIES: usize = 3;

/// For each item, in order, whose patient's keys may now be unwrapped.
pub(super) type Decided = Vec<Result<Pid, Refusal>>;

impl Vault {
    /// Prepares items, has them decided and recorded, and finishes what was decided; the two closures run on blocking
    /// threads, for they read the state and compute.
    pub(super) async fn decide<P, T>(
        self: &Arc<Self>,
        gateway: KeyHash,
        request: RequestId,
        prepare: impl Fn(&Self, &VaultView) -> Result<(Vec<Item>, P), UnwrapError> + Send + Sync + 'static,
        finish: impl FnOnce(&Self, &VaultView, P, Decided) -> Result<T, UnwrapError> + Send + 'static,
    ) -> Result<T, Refusal>
    where
        P: Send + 'static,
        T: Send + 'static,
    {
        let prepare = Arc::new(prepare);
        for _ in 0..TRIES {
            let replica = self.replica()?;
            let elsewhere = || self.not_leader(replica.leader_hint().map(|(_, vault)| vault));
            let under = replica.leadership().ok_or_else(elsewhere)?;
            let time = self.clocks.stamp().ok_or(Refusal::new(ErrorCode::ClockOff))?;
            // Taken after the leadership, so that it holds everything that earlier leaders acknowledged.
            let (vault, making, view) = (Arc::clone(self), Arc::clone(&prepare), VaultView(replica.view()));
            let (command, askers, prepared) = blocking(move || {
                let (mut items, prepared) = making(&vault, &view)?;
                if let Some(held) = vault.read_directory.of(&view)? {
                    deny(&mut items, held.directory(), &gateway);
                }
                let askers: Vec<_> = items.iter().map(|item| (item.institution, item.purpose, item.evidence)).collect();
                let directory = state::head(&view)?.and_then(|head| head.directory);
                let batch = Batch { time, gateway, request, limits: vault.limits, directory, items };
                Ok((Command::Decide(batch).encode(), askers, prepared))
            })
            .await?;
            let verdicts = match askers.is_empty() {
                // Nothing could be judged, so there is nothing to record.
                true => Ok(Verdicts::Decided(Vec::new())),
                false => {
                    let reply = replica.propose(under, command).await.map_err(|error| self.not_recorded(error))?;
                    Verdicts::decode(&reply)
                }
            };
            match verdicts {
                Ok(Verdicts::Decided(verdicts)) => {
                    let breaches = askers.iter().zip(&verdicts).filter(|(_, verdict)| verdict.is_breach());
                    breaches.for_each(|(asker, _)| self.alarm(asker));
                    let (vault, view) = (Arc::clone(self), VaultView(replica.view()));
                    let decided = verdicts.into_iter().map(decided).collect();
                    return blocking(move || finish(&vault, &view, prepared, decided)).await;
                }
                Ok(Verdicts::Again) => {}
                Ok(Verdicts::NotFounded) => return Err(Refusal::new(ErrorCode::NotBootstrapped)),
                Ok(Verdicts::Malformed | Verdicts::Directed | Verdicts::NotDirected) | Err(_) => {
                    return Err(Refusal::new(ErrorCode::InternalIo));
                }
            }
        }
        Err(Refusal::new(ErrorCode::Busy))
    }

    /// Tells of who opened one patient too many, and is locked. The log of openings says so too.
    fn alarm(&self, (institution, purpose, evidence): &(InstitutionId, Option<Purpose>, Option<Evidence>)) {
        self.metrics.locks.inc();
        tracing::error!(
            %institution,
            ?purpose,
            ?evidence,
            minutes = LOCK_MILLIS / 60_000,
            "ALARM: an institution opened more patients than its size allows, and is locked"
        );
    }

    pub(super) fn not_recorded(&self, error: ProposeError) -> Refusal {
        match error {
            ProposeError::NotLeader { hint } => self.not_leader(hint.map(|(_, vault)| vault)),
            ProposeError::Overloaded => Refusal::new(ErrorCode::Busy),
            ProposeError::OutcomeUnknown => Refusal::new(ErrorCode::OutcomeUnknown),
            ProposeError::Stopped => Refusal::new(ErrorCode::ShuttingDown),
        }
    }
}

/// What is open ends where its institution is denied, or the cell that it is asked through.
fn deny(items: &mut [Item], directory: &Directory, gateway: &KeyHash) {
    let cell = directory.cell_of(gateway).is_some_and(|cell| directory.denies_cell(cell.id));
    for item in items {
        let scope = match item.ask {
            // Judged by the same directory when its ticket was.
            Ask::Open { .. } | Ask::Refuse { .. } => continue,
            Ask::Put { .. } => Scope::WRITE,
            Ask::Delete { .. } => Scope::DELETE,
            Ask::Stubs { .. } => Scope::AUDIT,
        };
        if cell || directory.denies_institution(item.institution) {
            let wanted = Wanted { classes: ClassSet::default(), period: Period::ALL, scope };
            item.ask = Ask::Refuse { reason: Reason::Denied, wanted, ticket: None };
        }
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, UnwrapError> + Send + 'static,
) -> Result<T, Refusal> {
    // A panic there is a fault of ours, and the hook has told of it.
    spawn_blocking(work).await.map_err(|_| Refusal::new(ErrorCode::InternalIo))?.map_err(Refusal::from)
}

fn decided(verdict: Verdict) -> Result<Pid, Refusal> {
    match verdict {
        Verdict::Allowed { pid, leaf: _ } => Ok(pid),
        Verdict::Refused { reason, retry_after_millis } => {
            let refusal = Refusal::new(code(reason));
            let wait = Duration::from_millis(retry_after_millis);
            Err(if wait.is_zero() { refusal } else { refusal.after(wait) })
        }
    }
}

const fn code(reason: Reason) -> ErrorCode {
    match reason {
        Reason::Budget => ErrorCode::BudgetExhausted,
        Reason::Evidence => ErrorCode::EvidenceInsufficient,
        Reason::NoPatient => ErrorCode::OpeningInvalid,
        Reason::Ticket | Reason::Sealed => ErrorCode::TicketInvalid,
        Reason::OtherCloud => ErrorCode::TicketOtherCloud,
        Reason::OtherInstitution => ErrorCode::TicketOtherInstitution,
        Reason::OtherHomeCell => ErrorCode::TicketOtherHomeCell,
        Reason::OtherCell => ErrorCode::TicketOtherCell,
        Reason::OtherEpoch => ErrorCode::TicketOtherEpoch,
        Reason::NotYetValid => ErrorCode::TicketNotYetValid,
        Reason::Expired => ErrorCode::TicketExpired,
        Reason::Denied => ErrorCode::InstitutionDenied,
        Reason::Category => ErrorCode::TicketCategory,
        Reason::Breach | Reason::Locked => ErrorCode::InstitutionLocked,
        Reason::NotEnrolled => ErrorCode::InstitutionNotEnrolled,
    }
}
