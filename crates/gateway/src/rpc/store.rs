//! A document on its way to a node.

use aws_lc_rs::digest::{Context, SHA256};
use bytes::Bytes;
use renkei_access::Deed;
use renkei_envelope::{Category, Reference};
use renkei_ids::{RecordId, RecordVersion, RequestId};
use renkei_records::Accepted;
use renkei_wire::pb::record::v1 as pb;
use renkei_wire::record::{PutDocumentReply, PutHead, ReplaceHead};
use renkei_wire::vault::{PutGrant, PutItem};
use renkei_wire::{ErrorCode, Operation, Outcome, PutBody, PutRecord, Refusal, Stored};
use tonic::Streaming;
use zeroize::Zeroizing;

use super::visit::{Visit, is_stale, node_request};
use super::{Caller, Desk};
use crate::documents::{self, Sealed};
use crate::nodes::Answer;
use crate::random::SystemRandom;

/// A document that was taken, and what it is stored by.
struct Taken {
    kind: Category,
    accepted: Accepted,
    summary: Zeroizing<Vec<u8>>,
    content: [u8; 32],
    document: Bytes,
}

impl Desk {
    pub(super) async fn put_document(
        &self,
        caller: Caller,
        inbound: Streaming<pb::PutDocumentRequest>,
    ) -> Result<PutDocumentReply, Refusal> {
        let size = |head: &PutHead| head.document_bytes;
        let (head, document, _held) = self.receive(caller, inbound, size).await?;
        Box::pin(self.store(caller, &head, None, Deed::Put, document)).await
    }

    pub(super) async fn replace_document(
        &self,
        caller: Caller,
        inbound: Streaming<pb::ReplaceDocumentRequest>,
    ) -> Result<PutDocumentReply, Refusal> {
        let size = |head: &ReplaceHead| head.put.document_bytes;
        let (head, document, _held) = self.receive(caller, inbound, size).await?;
        let ReplaceHead { put, reference, version } = head;
        Box::pin(self.store(caller, &put, Some((&reference, version)), Deed::Put, document)).await
    }

    /// Stores a whole document, whose bytes are counted by the caller.
    pub(super) async fn store(
        &self,
        caller: Caller,
        head: &PutHead,
        replaces: Option<(&Reference, RecordVersion)>,
        deed: Deed,
        document: Bytes,
    ) -> Result<PutDocumentReply, Refusal> {
        let accepted = documents::judge(document.clone()).await?;
        let digest = documents::hash(document.clone()).await?;
        let mut visit = Visit::begin(self, caller, &head.patient, &head.actor, deed).await?;
        visit.actor.may_to(deed, documents::category(accepted.kind))?;
        self.check_patient(&visit.opened, &accepted)?;
        let replaces = replaces
            .map(|(reference, version)| visit.opened.record(reference).map(|record| (record, version)))
            .transpose()?;
        let taken = Taken {
            kind: documents::category(accepted.kind),
            summary: Zeroizing::new(accepted.summary.encode()),
            content: content_digest(&digest, replaces),
            accepted,
            document,
        };
        loop {
            match visit.store_once(head, replaces, &taken).await {
                Err(refusal) if is_stale(refusal.code) => visit.renew(refusal).await?,
                outcome => return outcome,
            }
        }
    }
}

/// The request id of a put: a retry bears the same one, and so does the one that a client makes of a put whose answer it
/// did not get. Tags are unguessable to all but institution and vault, and so is the id.
fn put_request_id(put: &PutRecord) -> RequestId {
    let mut context = Context::new(&SHA256);
    context.update(b"renkei 2026-11 request id of a put\0");
    context.update(put.idem.as_bytes());
    context.update(put.content.as_bytes());
    let digest = context.finish();
    RequestId::from_bytes(*digest.as_ref().first_chunk().expect("SHA-256 gives 32 bytes"))
}

impl Visit<'_> {
    async fn store_once(
        &mut self,
        head: &PutHead,
        replaces: Option<(RecordId, RecordVersion)>,
        taken: &Taken,
    ) -> Result<PutDocumentReply, Refusal> {
        let month = taken.accepted.month;
        let item = PutItem { opening: self.opened.opened.opening.clone(), category: taken.kind, month, replaces };
        let grant = self.desk.vault.grant_put(item, self.deadline()).await?;
        let sealed = documents::seal(self.opened.patient, grant, taken.summary.clone(), taken.document.clone());
        let (grant, sealed) = sealed.await?;
        let put = put_record(&grant, sealed, head, taken);
        let request = put_request_id(&put);
        let actor = self.sealed_actor(&grant.stub_key, request);
        let asked = node_request(request, grant.capability, actor, Operation::Put(put), self.deadline())?;
        let Answer { reply, .. } = Box::pin(self.desk.nodes.call(grant.pid, asked, self.deadline())).await?;
        match reply.outcome {
            Outcome::Stored(Stored { record, version, replayed }) => {
                let reference = grant.reference_key.seal(&self.opened.patient, record, &SystemRandom);
                Ok(PutDocumentReply { reference, version, kind: taken.kind, replayed })
            }
            Outcome::Nothing => Err(Refusal::new(ErrorCode::NotFound)),
            _ => Err(Refusal::new(ErrorCode::OutcomeUnknown)),
        }
    }
}

fn put_record(grant: &PutGrant, sealed: Sealed, head: &PutHead, taken: &Taken) -> PutRecord {
    let Sealed { summary, body, size } = sealed;
    PutRecord {
        record: grant.record,
        version: grant.version,
        month: taken.accepted.month,
        summary_class: grant.summary_class,
        body_class: grant.document_class,
        binding: grant.binding,
        size,
        summary,
        body: PutBody::Whole(body),
        idem: grant.write_tag_key.idempotency(&head.idempotency_key),
        content: grant.write_tag_key.content(&taken.content),
    }
}

/// What makes two requests the same one: the document, and what it replaces. A new record's id is drawn for each try.
fn content_digest(document: &[u8; 32], replaces: Option<(RecordId, RecordVersion)>) -> [u8; 32] {
    let mut context = Context::new(&SHA256);
    context.update(document);
    if let Some((record, version)) = replaces {
        context.update(record.as_bytes());
        context.update(&version.get().to_be_bytes());
    }
    context.finish().as_ref().try_into().expect("SHA-256 gives 32 bytes")
}
