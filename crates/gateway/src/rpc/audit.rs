//! Audit rows that the institution itself caused.

use std::collections::HashMap;

use renkei_access::Deed;
use renkei_ids::CapabilityId;
use renkei_merkle::LeafHash;
use renkei_shard::audit::AuditContent;
use renkei_shard::{Operation as Does, Outcome as Came};
use renkei_wire::limits::{AUDIT_CONTENT_MAX_BYTES, AUDIT_MAX_ROWS};
use renkei_wire::pb::record::v1 as pb;
use renkei_wire::record::{AuditEntry, AuditOperation, AuditOutcome, ListAuditRequest};
use renkei_wire::vault::{OpenedStub, SealedStub};
use renkei_wire::{AuditRow, ErrorCode, ListAudit, Operation, Outcome, Refusal};

use super::served::read_actor;
use super::visit::{Visit, is_stale};
use super::{Caller, Desk, Out, send};
use crate::random::SystemRandom;

/// Rows of one page: what the vault opens the stubs of in one call.
const PAGE_ROWS: u16 = 100;
const _: () = assert!(PAGE_ROWS <= AUDIT_MAX_ROWS);

impl Desk {
    pub(super) async fn list_audit(
        &self,
        caller: Caller,
        request: ListAuditRequest,
        out: Out<pb::AuditPage>,
    ) -> Result<(), Refusal> {
        let _held = self.admission.admit(2 * usize::from(PAGE_ROWS) * AUDIT_CONTENT_MAX_BYTES)?;
        let mut visit = Visit::begin(self, caller, &request.patient, &request.actor, Deed::ListAudit).await?;
        let mut after = request.after;
        loop {
            let answer = visit.read(Operation::ListAudit(ListAudit { after, max_rows: PAGE_ROWS })).await?;
            let Outcome::Audit(page) = answer.reply.outcome else {
                return Err(Refusal::new(ErrorCode::OutcomeUnknown));
            };
            let rows = page.rows.into_iter().map(read).collect::<Result<Vec<_>, _>>()?;
            let last = rows.last().map(|(_, content)| content.seq);
            let entries = visit.tell(rows).await?;
            send(&out, pb::AuditPage { entries: entries.into_iter().map(Into::into).collect() }).await?;
            // Listing leaves rows too, so the end is where the node says, and never a full page.
            match last.filter(|_| page.more) {
                Some(last) => after = last,
                None => return Ok(()),
            }
        }
    }
}

/// A row whose leaf is the hash of what it says.
fn read(row: AuditRow) -> Result<(AuditRow, AuditContent), Refusal> {
    let failed = || Refusal::new(ErrorCode::IntegrityFailed);
    if *LeafHash::of(&row.salt, &row.content).as_bytes() != row.leaf_hash {
        return Err(failed());
    }
    let content = AuditContent::decode(&row.content).map_err(|_| failed())?;
    Ok((row, content))
}

impl Visit<'_> {
    async fn tell(&mut self, rows: Vec<(AuditRow, AuditContent)>) -> Result<Vec<AuditEntry>, Refusal> {
        let own = self.opened.opened.institution;
        let rows: Vec<_> = rows.into_iter().filter(|(_, content)| content.institution == own).collect();
        let mut stubs: HashMap<CapabilityId, SealedStub> = HashMap::new();
        for (_, AuditContent { capability, stub, .. }) in &rows {
            stubs.entry(*capability).or_insert_with(|| SealedStub { capability: *capability, stub: stub.clone() });
        }
        let opened = self.open_stubs(stubs.into_values().collect()).await?;
        // A stub that the vault does not open was another institution's, whatever the tag says.
        let known = rows
            .into_iter()
            .filter_map(|(row, content)| opened.get(&content.capability).map(|stub| (row, content, stub)));
        known.map(|(row, content, stub)| self.entry(&row, content, stub)).collect()
    }

    async fn open_stubs(&mut self, stubs: Vec<SealedStub>) -> Result<HashMap<CapabilityId, OpenedStub>, Refusal> {
        if stubs.is_empty() {
            return Ok(HashMap::new());
        }
        let ids: Vec<_> = stubs.iter().map(|stub| stub.capability).collect();
        loop {
            let opening = self.opened.opened.opening.clone();
            match self.desk.vault.open_stubs(opening, stubs.clone(), self.deadline()).await {
                Ok(opened) => {
                    return Ok(ids.into_iter().zip(opened).filter_map(|(id, stub)| Some((id, stub?))).collect());
                }
                Err(refusal) if is_stale(refusal.code) => self.renew(refusal).await?,
                Err(refusal) => return Err(refusal),
            }
        }
    }

    fn entry(&self, row: &AuditRow, content: AuditContent, stub: &OpenedStub) -> Result<AuditEntry, Refusal> {
        let (patient, key) = (&self.opened.patient, &self.opened.opened.reference_key);
        let actor = stub.stub_key.open_actor(patient, content.request, &content.actor).ok();
        let actor = actor.and_then(|actor| read_actor(&actor)).ok_or(Refusal::new(ErrorCode::IntegrityFailed))?;
        Ok(AuditEntry {
            seq: content.seq,
            time: content.time,
            operation: operation(content.operation),
            outcome: outcome(content.outcome),
            references: content.records.iter().map(|record| key.seal(patient, *record, &SystemRandom)).collect(),
            actor,
            purpose: stub.purpose,
            evidence: stub.evidence,
            log: row.log,
            leaf: row.leaf,
            leaf_hash: row.leaf_hash,
        })
    }
}

const fn operation(operation: Does) -> AuditOperation {
    match operation {
        Does::Get => AuditOperation::Get,
        Does::Timeline => AuditOperation::Timeline,
        Does::ListAudit => AuditOperation::ListAudit,
        Does::Put => AuditOperation::Put,
        Does::Delete => AuditOperation::Delete,
        Does::SetRules => AuditOperation::SetRules,
        Does::Revoke => AuditOperation::Revoke,
    }
}

const fn outcome(outcome: Came) -> AuditOutcome {
    match outcome {
        Came::Done => AuditOutcome::Done,
        Came::Nothing => AuditOutcome::Nothing,
        Came::Replayed => AuditOutcome::Replayed,
        Came::VersionConflict => AuditOutcome::VersionConflict,
        Came::IdempotencyConflict => AuditOutcome::IdempotencyConflict,
        Came::Deleted => AuditOutcome::Deleted,
        Came::DeniedRevoked => AuditOutcome::DeniedRevoked,
        Came::DeniedExpired => AuditOutcome::DeniedExpired,
        Came::DeniedScope => AuditOutcome::DeniedScope,
        Came::LimitReached => AuditOutcome::LimitReached,
    }
}
