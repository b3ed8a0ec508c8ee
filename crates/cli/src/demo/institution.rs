//! The institution of the demo: it puts, reads and lists, and follows the advice of refusals.

use std::time::{Duration, Instant};

use bytes::Bytes;
use renkei_access::SignedActor;
use renkei_envelope::Reference;
use renkei_ids::AuditSeq;
use renkei_runtime::{Address, Role};
use renkei_wire::pb::record::v1 as pb;
use renkei_wire::record::{
    Acting, AuditEntry, GetDocumentRequest, ListAuditRequest, Patient, PutDocumentReply, PutHead,
};
use renkei_wire::{RecordServiceClient, limits};
use tonic::transport::Channel;

use super::check_in::{Desk, Who};
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

/// Somebody of an institution, the desk that gives tickets, and the gateway that is asked.
pub(super) struct Institution<'a> {
    client: Client,
    address: Address,
    desk: &'a Desk,
    actor: Acting,
}

impl<'a> Institution<'a> {
    /// Asks the gateway at `address`, for this actor.
    pub(super) fn new(caller: &Caller, address: Address, desk: &'a Desk, actor: SignedActor) -> Self {
        let client = RecordServiceClient::new(caller.channel(&address, Role::Gateway))
            .max_decoding_message_size(limits::RECORD_MESSAGE_MAX_BYTES);
        Self { client, address, desk, actor: Acting::Signed(actor) }
    }

    /// Stores a document; its key makes a repeated attempt harmless.
    pub(super) async fn put(&self, patient: Who, key: &Bytes, document: &Bytes) -> Result<PutDocumentReply, Failure> {
        patiently(&self.address, async || {
            let mut client = self.client.clone();
            let head = PutHead {
                patient: Patient::Ticket(self.desk.ticket(patient).await?),
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
    pub(super) async fn get(&self, patient: Who, reference: &Reference) -> Result<Vec<u8>, Failure> {
        patiently(&self.address, async || {
            let mut client = self.client.clone();
            let request = GetDocumentRequest {
                patient: Patient::Ticket(self.desk.ticket(patient).await?),
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
    pub(super) async fn rows(&self, patient: Who) -> Result<Vec<AuditEntry>, Failure> {
        patiently(&self.address, async || {
            let mut client = self.client.clone();
            let request = ListAuditRequest {
                patient: Patient::Ticket(self.desk.ticket(patient).await?),
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
}

/// The outcome of the first attempt whose failure does not pass by waiting.
pub(super) async fn patiently<T>(
    address: &Address,
    attempt: impl AsyncFn() -> Result<T, Failure>,
) -> Result<T, Failure> {
    let began = Instant::now();
    loop {
        let outcome = tokio::time::timeout(ATTEMPT, attempt()).await.unwrap_or_else(|_| {
            Err(Failure::TimedOut { address: address.to_string().into(), seconds: ATTEMPT.as_secs() })
        });
        match outcome.as_ref().err().and_then(passes_after) {
            Some(wait) if began.elapsed() < PATIENCE => tokio::time::sleep(wait).await,
            _ => return outcome,
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
