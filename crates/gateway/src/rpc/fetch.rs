//! A document on its way out.

use bytes::Bytes;
use renkei_access::Deed;
use renkei_envelope::{Class, Part};
use renkei_ids::RecordId;
use renkei_wire::limits::{DOCUMENT_MAX_BYTES, PIECE_MAX_BYTES, WHOLE_BODY_MAX_BYTES};
use renkei_wire::pb::record::v1 as pb;
use renkei_wire::record::{DocumentHead, GetDocumentRequest, Upload};
use renkei_wire::{EntryBody, ErrorCode, GetRecord, Operation, Outcome, RecordEntry, Refusal};
use zeroize::Zeroizing;

use super::visit::Visit;
use super::{Caller, Desk, Out, send};
use crate::documents;
use crate::nodes::Answer;

impl Desk {
    pub(super) async fn get_document(
        &self,
        caller: Caller,
        request: GetDocumentRequest,
        out: Out<pb::GetDocumentReply>,
    ) -> Result<(), Refusal> {
        let GetDocumentRequest { patient, actor, reference, version } = &request;
        // A body of up to so many bytes comes inside of the node's answer, unannounced.
        let _held = self.admission.admit(WHOLE_BODY_MAX_BYTES)?;
        let mut visit = Visit::begin(self, caller, patient, actor, Deed::Read).await?;
        let record = visit.opened.record(reference)?;
        let get = Operation::Get(GetRecord { record, version: *version, with_body: true });
        let Answer { reply, body, held: _body_held } = visit.read(get).await?;
        let Outcome::Record(mut entry) = reply.outcome else { return Err(Refusal::new(ErrorCode::NotFound)) };
        let sealed = match (std::mem::replace(&mut entry.body, EntryBody::Absent), body) {
            (EntryBody::Whole(body), _) | (EntryBody::InPieces(_), Some(body)) => body,
            (EntryBody::Absent | EntryBody::InPieces(_), _) => return Err(Refusal::new(ErrorCode::NotFound)),
        };
        // The bucket is a power of two that the document fits in.
        let most = 1_usize.checked_shl(u32::from(entry.size.raw())).unwrap_or(usize::MAX).min(DOCUMENT_MAX_BYTES);
        let _room = self.admission.admit(sealed.len() + most)?;
        let (kind, document) = visit.open_document(record, &entry, sealed).await?;
        let head = DocumentHead { version: entry.version, kind, document_bytes: document.len() };
        send(&out, Upload::Head(Box::new(head)).into()).await?;
        // Pieces share the document's memory, which is erased when the last of them is sent.
        let mut rest = Bytes::from_owner(document);
        while !rest.is_empty() {
            let piece = rest.split_to(rest.len().min(PIECE_MAX_BYTES));
            send(&out, Upload::<DocumentHead>::Piece(piece).into()).await?;
        }
        Ok(())
    }
}

impl Visit<'_> {
    async fn open_document(
        &mut self,
        record: RecordId,
        entry: &RecordEntry,
        sealed: Bytes,
    ) -> Result<(renkei_envelope::Category, Zeroizing<Vec<u8>>), Refusal> {
        let place = documents::place(self.opened.patient, record, entry.version, entry.body_class);
        loop {
            let class = self.opened.class(entry.body_class).filter(|class| class.part == Part::Document);
            let Class { category, part: _ } = class.ok_or(Refusal::new(ErrorCode::IntegrityFailed))?;
            // What it is shows here first: the row is there, and the document stays.
            self.actor.may_to(Deed::Read, category)?;
            let key = self.opened.record_key(Class::document(category), entry.month, record, entry.version)?;
            match documents::open(key, place, sealed.clone()).await {
                Ok(document) => return Ok((category, document)),
                // The class and year had no record when the patient was opened, so its key was another one.
                Err(refusal) => self.renew(refusal).await?,
            }
        }
    }
}
