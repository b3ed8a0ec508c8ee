//! The end of a document.

use aws_lc_rs::digest::{Context, SHA256};
use renkei_access::Deed;
use renkei_envelope::Category;
use renkei_ids::{RecordId, RecordVersion};
use renkei_wire::record::DeleteDocumentRequest;
use renkei_wire::vault::DeleteItem;
use renkei_wire::{DeleteRecord, ErrorCode, GetRecord, Operation, Outcome, Refusal};

use super::visit::{Visit, is_stale, node_request};
use super::{Caller, Desk};
use crate::nodes::Answer;
use crate::random::request_id;

impl Desk {
    pub(super) async fn delete_document(&self, caller: Caller, request: DeleteDocumentRequest) -> Result<(), Refusal> {
        let DeleteDocumentRequest { patient, actor, idempotency_key, reference, version } = &request;
        let _held = self.admission.admit(0)?;
        let mut visit = Visit::begin(self, caller, patient, actor, Deed::Delete).await?;
        let record = visit.opened.record(reference)?;
        if !visit.actor.may_to_every(Deed::Delete) {
            let category = visit.category(record).await?;
            visit.actor.may_to(Deed::Delete, category)?;
        }
        loop {
            match visit.delete_once(record, *version, idempotency_key).await {
                Err(refusal) if is_stale(refusal.code) => visit.renew(refusal).await?,
                outcome => return outcome,
            }
        }
    }
}

impl Visit<'_> {
    /// What kind of document it is: a read, with a row of its own.
    async fn category(&mut self, record: RecordId) -> Result<Category, Refusal> {
        let get = Operation::Get(GetRecord { record, version: None, with_body: false });
        let Answer { reply, .. } = self.read(get).await?;
        let Outcome::Record(entry) = reply.outcome else { return Err(Refusal::new(ErrorCode::NotFound)) };
        let class = self.opened.class(entry.summary_class).ok_or(Refusal::new(ErrorCode::IntegrityFailed))?;
        Ok(class.category)
    }

    async fn delete_once(
        &self,
        record: RecordId,
        version: RecordVersion,
        idempotency_key: &[u8],
    ) -> Result<(), Refusal> {
        let item = DeleteItem { opening: self.opened.opened.opening.clone(), record, version };
        let grant = self.desk.vault.grant_delete(item, self.deadline()).await?;
        let delete = DeleteRecord {
            record,
            version,
            idem: grant.write_tag_key.idempotency(idempotency_key),
            content: grant.write_tag_key.content(&content_digest(record, version)),
        };
        let request = request_id();
        let actor = self.sealed_actor(&grant.stub_key, request);
        let asked = node_request(request, grant.capability, actor, Operation::Delete(delete), self.deadline())?;
        let Answer { reply, .. } = Box::pin(self.desk.nodes.call(grant.pid, asked, self.deadline())).await?;
        match reply.outcome {
            Outcome::Done => Ok(()),
            Outcome::Nothing => Err(Refusal::new(ErrorCode::NotFound)),
            _ => Err(Refusal::new(ErrorCode::OutcomeUnknown)),
        }
    }
}

fn content_digest(record: RecordId, version: RecordVersion) -> [u8; 32] {
    let mut context = Context::new(&SHA256);
    context.update(b"delete");
    context.update(record.as_bytes());
    context.update(&version.get().to_be_bytes());
    context.finish().as_ref().try_into().expect("SHA-256 gives 32 bytes")
}
