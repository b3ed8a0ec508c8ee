//! One request's view of a patient: the opening it goes by, and a second one where the first has gone stale.

use std::sync::Arc;

use bytes::Bytes;
use renkei_access::Deed;
use renkei_ids::RequestId;
use renkei_wire::record::{Acting, Patient};
use renkei_wire::{ErrorCode, NodeRequest, Operation, Refusal};

use super::served::Judged;
use super::{Caller, Desk};
use crate::deadline::Deadline;
use crate::nodes::Answer;
use crate::openings::OpenedPatient;
use crate::random::{SystemRandom, request_id};

/// A patient who is open for one request.
pub(super) struct Visit<'a> {
    pub(super) desk: &'a Desk,
    pub(super) caller: Caller,
    asked: &'a Patient,
    pub(super) actor: Judged,
    pub(super) opened: Arc<OpenedPatient>,
    renewed: bool,
}

impl<'a> Visit<'a> {
    pub(super) async fn begin(
        desk: &'a Desk,
        caller: Caller,
        asked: &'a Patient,
        acting: &Acting,
        deed: Deed,
    ) -> Result<Self, Refusal> {
        desk.still_serves(caller.institution)?;
        let actor = desk.judged(caller.institution, acting, asked)?;
        actor.may(deed)?;
        let opened = Box::pin(desk.open(caller, asked, None)).await?;
        Ok(Self { desk, caller, asked, actor, opened, renewed: false })
    }

    pub(super) fn deadline(&self) -> Deadline {
        self.caller.deadline
    }

    /// Opens the patient anew, once in a request: an opening can end or be revoked, and it lacks the keys of a class
    /// and year whose first record came after it.
    ///
    /// # Errors
    /// `because`, the second time.
    pub(super) async fn renew(&mut self, because: Refusal) -> Result<(), Refusal> {
        if std::mem::replace(&mut self.renewed, true) {
            return Err(because);
        }
        self.opened = Box::pin(self.desk.open(self.caller, self.asked, Some(&self.opened))).await?;
        Ok(())
    }

    /// Asks the node something that the opening itself allows.
    pub(super) async fn read(&mut self, operation: Operation) -> Result<Answer, Refusal> {
        // One id for all tries: rows of retries tell by it that they are of one request.
        let request = request_id();
        self.desk.still_serves(self.caller.institution)?;
        loop {
            let opened = Arc::clone(&self.opened);
            let actor = self.sealed_actor(&opened.opened.stub_key, request);
            let capability = opened.opened.capability.clone();
            let asked = node_request(request, capability, actor, operation.clone(), self.deadline())?;
            match Box::pin(self.desk.nodes.call(opened.opened.pid, asked, self.deadline())).await {
                Err(refusal) if is_stale(refusal.code) => self.renew(refusal).await?,
                outcome => return outcome,
            }
        }
    }

    pub(super) fn sealed_actor(&self, key: &renkei_envelope::StubKey, request: RequestId) -> Bytes {
        key.seal_actor(&self.opened.patient, request, self.actor.row(), &SystemRandom)
    }
}

/// Whether a new opening may help.
pub(super) fn is_stale(code: ErrorCode) -> bool {
    matches!(
        code,
        ErrorCode::CapabilityExpired
            | ErrorCode::CapabilityRevoked
            | ErrorCode::CapabilityInvalid
            | ErrorCode::OpeningExpired
            | ErrorCode::OpeningInvalid
    )
}

/// A request to a node; the slot epoch is set where it is routed.
pub(super) fn node_request(
    request: RequestId,
    capability: renkei_access::SignedCapability,
    actor: Bytes,
    operation: Operation,
    deadline: Deadline,
) -> Result<NodeRequest, Refusal> {
    let slot_epoch = renkei_ids::SlotEpoch(0);
    Ok(NodeRequest { request, deadline: deadline.left()?, slot_epoch, capability, actor, operation })
}

impl Desk {
    async fn open(
        &self,
        caller: Caller,
        asked: &Patient,
        stale: Option<&Arc<OpenedPatient>>,
    ) -> Result<Arc<OpenedPatient>, Refusal> {
        let pseudonym = match asked {
            Patient::Ticket(ticket) => return self.open_ticket(caller, ticket, stale).await,
            Patient::InsecurePseudonym(pseudonym) => pseudonym,
        };
        if !cfg!(feature = "dev-insecure") {
            return Err(Refusal::new(ErrorCode::Unimplemented));
        }
        let now = self.clock.now();
        let key = (caller.institution, *pseudonym.hash(self.cloud).expose());
        let open = async {
            let opened = self.open_insecure(caller, pseudonym.clone(), now).await?;
            let patient = renkei_envelope::Patient { cloud: self.cloud, pid: opened.pid };
            Ok(OpenedPatient { patient, opened, ticket: None })
        };
        caller.deadline.bound(ErrorCode::DeadlineExceeded, self.openings.get(key, now, stale, open)).await
    }

    #[cfg(feature = "dev-insecure")]
    async fn open_insecure(
        &self,
        caller: Caller,
        pseudonym: renkei_envelope::Pseudonym,
        now: renkei_ids::UnixMillis,
    ) -> Result<renkei_wire::vault::Opened, Refusal> {
        self.vault.open(insecure_opening(caller, pseudonym, now), caller.deadline).await
    }

    #[cfg(not(feature = "dev-insecure"))]
    async fn open_insecure(
        &self,
        _caller: Caller,
        _pseudonym: renkei_envelope::Pseudonym,
        _now: renkei_ids::UnixMillis,
    ) -> Result<renkei_wire::vault::Opened, Refusal> {
        Err(Refusal::new(ErrorCode::Unimplemented))
    }
}

/// Everything that an institution may ask for a patient who is present with a card, for the next calendar year and as
/// many before it as one opening takes.
#[cfg(feature = "dev-insecure")]
fn insecure_opening(
    caller: Caller,
    pseudonym: renkei_envelope::Pseudonym,
    now: renkei_ids::UnixMillis,
) -> renkei_wire::vault::InsecureOpening {
    use renkei_access::{Evidence, Period, Purpose, Scope};
    use renkei_ids::MonthBucket;
    let last = now.month().year() + 1;
    let first = last.saturating_sub(renkei_wire::limits::VAULT_MAX_YEARS - 1);
    let month = |year, month, none| MonthBucket::new(year, month).unwrap_or(none);
    renkei_wire::vault::InsecureOpening {
        pseudonym,
        institution: caller.institution,
        purpose: Purpose::Care,
        evidence: Evidence::Card,
        classes: renkei_envelope::Class::every().collect(),
        period: Period { from: month(first, 1, MonthBucket::MIN), to: month(last, 12, MonthBucket::MAX) },
        scope: Scope::READ.with(Scope::WRITE).with(Scope::DELETE).with(Scope::AUDIT),
    }
}
