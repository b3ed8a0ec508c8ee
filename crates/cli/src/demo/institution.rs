//! The institution of the demo: it puts, reads and lists, and follows the advice of refusals.

use std::time::{Duration, Instant};

use bytes::Bytes;
use renkei_envelope::{Pseudonym, Reference};
use renkei_ids::AuditSeq;
use renkei_runtime::{Address, Role};
use renkei_wire::pb::record::v1 as pb;
use renkei_wire::record::{
    Acting, Actor, AuditEntry, GetDocumentRequest, ListAuditRequest, Patient, PutDocumentReply, PutHead,
};
use renkei_wire::{RecordServiceClient, limits};
use tonic::transport::Channel;

use crate::call::{Answers, answer, timed};
use crate::connection::Caller;
use crate::failure::Failure;
use crate::record::{upload, whole_document};

/// Longest time that one attempt takes.
const ATTEMPT: Duration = Duration::from_secs(10);
/// Longest time that one operation is tried again.
const PATIENCE: Duration = Duration::from_secs(60);
/// Pause after an attempt that nobody answered.
const PAUSE: Duration = Duration::from_millis(50);

type Client = RecordServiceClient<Channel>;

/// Somebody of an institution, and the gateway that is asked.
#[derive(Clone, Debug)]
pub(super) struct Institution {
    client: Client,
    address: Address,
    actor: Acting,
}

impl Institution {
    /// Asks the gateway at `address`, for the actor of this id.
    pub(super) fn new(caller: &Caller, address: Address, actor: &str) -> Self {
        let client = RecordServiceClient::new(caller.channel(&address, Role::Gateway))
            .max_decoding_message_size(limits::RECORD_MESSAGE_MAX_BYTES);
        let actor = Acting::Believed(Actor { id: actor.to_owned(), role: "physician".to_owned() });
        Self { client, address, actor }
    }

    /// Stores a document; its key makes a repeated attempt harmless.
    pub(super) async fn put(
        &self,
        patient: &Pseudonym,
        key: &Bytes,
        document: &Bytes,
    ) -> Result<PutDocumentReply, Failure> {
        self.patiently(async |mut client| {
            let head = PutHead {
                patient: Patient::InsecurePseudonym(patient.clone()),
                actor: self.actor.clone(),
                idempotency_key: key.clone(),
                document_bytes: document.len(),
            };
            let request = timed(upload::<_, pb::PutDocumentRequest>(head, document.clone()), ATTEMPT);
            answer(&self.address, client.put_document(request)).await
        })
        .await
    }

    /// Reads the current version of a document.
    pub(super) async fn get(&self, patient: &Pseudonym, reference: &Reference) -> Result<Vec<u8>, Failure> {
        self.patiently(async |mut client| {
            let request = GetDocumentRequest {
                patient: Patient::InsecurePseudonym(patient.clone()),
                actor: self.actor.clone(),
                reference: reference.clone(),
                version: None,
            };
            let request = timed(pb::GetDocumentRequest::from(request), ATTEMPT);
            let (_, document) = whole_document(&self.address, client.get_document(request)).await?;
            Ok(document)
        })
        .await
    }

    /// The rows of a patient's history that the institution caused.
    pub(super) async fn rows(&self, patient: &Pseudonym) -> Result<Vec<AuditEntry>, Failure> {
        self.patiently(async |mut client| {
            let request = ListAuditRequest {
                patient: Patient::InsecurePseudonym(patient.clone()),
                actor: self.actor.clone(),
                after: AuditSeq(0),
            };
            let request = timed(pb::ListAuditRequest::from(request), ATTEMPT);
            let mut pages = Answers::begin(&self.address, client.list_audit(request)).await?;
            let mut rows = Vec::new();
            while let Some(pb::AuditPage { entries }) = pages.next().await? {
                for entry in entries {
                    rows.push(AuditEntry::try_from(entry).map_err(|error| Failure::unreadable(&self.address, error))?);
                }
            }
            Ok(rows)
        })
        .await
    }

    /// The outcome of the first attempt whose failure does not pass by waiting.
    async fn patiently<T>(&self, attempt: impl AsyncFn(Client) -> Result<T, Failure>) -> Result<T, Failure> {
        let began = Instant::now();
        loop {
            let outcome = tokio::time::timeout(ATTEMPT, attempt(self.client.clone())).await.unwrap_or_else(|_| {
                Err(Failure::TimedOut { address: self.address.to_string().into(), seconds: ATTEMPT.as_secs() })
            });
            match outcome.as_ref().err().and_then(passes_after) {
                Some(wait) if began.elapsed() < PATIENCE => tokio::time::sleep(wait).await,
                _ => return outcome,
            }
        }
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
