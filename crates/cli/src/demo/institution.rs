//! The institution of the demo: it puts, reads and lists, and follows the advice of refusals.

use std::time::{Duration, Instant};

use bytes::Bytes;
use renkei_envelope::{Pseudonym, Reference};
use renkei_ids::AuditSeq;
use renkei_runtime::{Address, Role};
use renkei_wire::pb::record::v1 as pb;
use renkei_wire::record::{
    Actor, AuditEntry, DocumentHead, GetDocumentRequest, ListAuditRequest, Patient, PutDocumentReply, PutHead, Upload,
};
use renkei_wire::{RecordServiceClient, limits};
use tonic::transport::Channel;
use tonic::{Request, Status};

use crate::connection::Caller;
use crate::failure::Failure;

/// Longest time that one attempt takes.
const ATTEMPT: Duration = Duration::from_secs(10);
/// Longest time that one operation is tried again.
const PATIENCE: Duration = Duration::from_secs(60);
/// Pause after an attempt that nobody answered.
const PAUSE: Duration = Duration::from_millis(50);

/// Somebody of an institution, and the gateway that is asked.
#[derive(Clone, Debug)]
pub(super) struct Institution {
    client: RecordServiceClient<Channel>,
    address: Address,
    actor: Actor,
}

impl Institution {
    /// Asks the gateway at `address`, for the actor of this id.
    pub(super) fn new(caller: &Caller, address: Address, actor: &str) -> Self {
        let client = RecordServiceClient::new(caller.channel(&address, Role::Gateway))
            .max_decoding_message_size(limits::RECORD_MESSAGE_MAX_BYTES);
        Self { client, address, actor: Actor { id: actor.to_owned(), role: "physician".to_owned() } }
    }

    /// Stores a document; its key makes a repeated attempt harmless.
    pub(super) async fn put(
        &self,
        patient: &Pseudonym,
        key: &Bytes,
        document: &Bytes,
    ) -> Result<PutDocumentReply, Failure> {
        self.patiently(async || {
            let head = PutHead {
                patient: Patient::InsecurePseudonym(patient.clone()),
                actor: self.actor.clone(),
                idempotency_key: key.clone(),
                document_bytes: document.len(),
            };
            let offsets = (0..document.len()).step_by(limits::PIECE_MAX_BYTES);
            let piece = |at: usize| document.slice(at..document.len().min(at + limits::PIECE_MAX_BYTES));
            let pieces: Vec<Bytes> = offsets.map(piece).collect();
            let parts = std::iter::once(Upload::Head(Box::new(head))).chain(pieces.into_iter().map(Upload::Piece));
            let messages: Vec<pb::PutDocumentRequest> = parts.map(Into::into).collect();
            let mut request = Request::new(tokio_stream::iter(messages));
            request.set_timeout(ATTEMPT);
            let reply = self.client.clone().put_document(request).await.map_err(|status| self.failed(status))?;
            PutDocumentReply::try_from(reply.into_inner()).map_err(|error| self.unreadable(error))
        })
        .await
    }

    /// Reads the current version of a document.
    pub(super) async fn get(&self, patient: &Pseudonym, reference: &Reference) -> Result<Vec<u8>, Failure> {
        self.patiently(async || {
            let request = GetDocumentRequest {
                patient: Patient::InsecurePseudonym(patient.clone()),
                actor: self.actor.clone(),
                reference: reference.clone(),
                version: None,
            };
            let mut request = Request::new(pb::GetDocumentRequest::from(request));
            request.set_timeout(ATTEMPT);
            let mut pieces =
                self.client.clone().get_document(request).await.map_err(|status| self.failed(status))?.into_inner();
            let (mut announced, mut document) = (0, Vec::new());
            while let Some(message) = pieces.message().await.map_err(|status| self.failed(status))? {
                match Upload::<DocumentHead>::try_from(message).map_err(|error| self.unreadable(error))? {
                    Upload::Head(head) => announced = head.document_bytes,
                    Upload::Piece(piece) => document.extend_from_slice(&piece),
                }
            }
            if announced != document.len() {
                let address = self.address.to_string().into();
                return Err(Failure::Length { address, announced, received: document.len() });
            }
            Ok(document)
        })
        .await
    }

    /// The rows of a patient's history that the institution caused.
    pub(super) async fn rows(&self, patient: &Pseudonym) -> Result<Vec<AuditEntry>, Failure> {
        self.patiently(async || {
            let request = ListAuditRequest {
                patient: Patient::InsecurePseudonym(patient.clone()),
                actor: self.actor.clone(),
                after: AuditSeq(0),
            };
            let request = pb::ListAuditRequest::from(request);
            let mut pages =
                self.client.clone().list_audit(request).await.map_err(|status| self.failed(status))?.into_inner();
            let mut rows = Vec::new();
            while let Some(page) = pages.message().await.map_err(|status| self.failed(status))? {
                for entry in page.entries {
                    rows.push(AuditEntry::try_from(entry).map_err(|error| self.unreadable(error))?);
                }
            }
            Ok(rows)
        })
        .await
    }

    /// The outcome of the first attempt whose failure does not pass by waiting.
    async fn patiently<T>(&self, mut attempt: impl AsyncFnMut() -> Result<T, Failure>) -> Result<T, Failure> {
        let began = Instant::now();
        loop {
            let outcome = tokio::time::timeout(ATTEMPT, attempt()).await.unwrap_or_else(|_| {
                Err(Failure::TimedOut { address: self.address.to_string().into(), seconds: ATTEMPT.as_secs() })
            });
            match outcome.as_ref().err().and_then(passes_after) {
                Some(wait) if began.elapsed() < PATIENCE => tokio::time::sleep(wait).await,
                _ => return outcome,
            }
        }
    }

    fn failed(&self, status: Status) -> Failure {
        Failure::of_status(&self.address, status)
    }

    fn unreadable(&self, error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Failure {
        Failure::UnreadableAnswer { address: self.address.to_string().into(), source: error.into() }
    }
}

/// How long to wait before the same attempt may succeed; `None` where waiting does not help.
fn passes_after(failure: &Failure) -> Option<Duration> {
    match failure {
        Failure::Refused { source, .. } => source.retry_after,
        Failure::Unreachable { .. } | Failure::TimedOut { .. } => Some(PAUSE),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use renkei_wire::{ErrorCode, Refusal};

    use super::*;

    #[test]
    fn only_what_passes_is_tried_again() {
        let refused = |source| Failure::Refused { address: "a:1".into(), source };
        let wait = Duration::from_millis(70);
        assert_eq!(passes_after(&refused(Refusal::new(ErrorCode::Busy).after(wait))), Some(wait));
        assert_eq!(passes_after(&refused(Refusal::new(ErrorCode::DocumentNotUtf8))), None);
        assert_eq!(passes_after(&Failure::TimedOut { address: "a:1".into(), seconds: 1 }), Some(PAUSE));
        assert_eq!(passes_after(&Failure::Length { address: "a:1".into(), announced: 1, received: 0 }), None);
    }
}
