//! Many documents over one stream.

use std::collections::HashMap;
use std::time::Duration;

use bytes::Bytes;
use futures::StreamExt;
use futures::stream::FuturesUnordered;
use renkei_access::Deed;
use renkei_ids::InstitutionId;
use renkei_wire::pb::record::v1 as pb;
use renkei_wire::record::{BulkPutReply, BulkPutRequest, PutHead, Upload};
use renkei_wire::{ErrorCode, Refusal};
use tokio::time::Instant;
use tonic::Streaming;

use super::upload::Incoming;
use super::{Caller, Desk, Out, send};
use crate::admission::Held;
use crate::deadline::Deadline;

/// Documents of one stream that may be gathered and stored at once; then nothing more is read from it.
const DOCUMENTS_MAX: usize = 64;
/// Time for one document from its head until it is whole, and again from then on. The stream itself may live long.
const DOCUMENT_TIME: Duration = Duration::from_secs(30);

/// Documents that have begun to come.
#[derive(Default)]
struct Gathering {
    documents: HashMap<u64, Coming>,
}

struct Coming {
    head: Box<PutHead>,
    incoming: Incoming,
    /// A document that stands still gives its room back then.
    until: Instant,
}

enum Step {
    Nothing,
    Whole(Box<PutHead>, Bytes, Held),
    Refused(Refusal),
}

impl Desk {
    pub(super) async fn bulk_put(
        &self,
        institution: InstitutionId,
        mut inbound: Streaming<pb::BulkPutRequest>,
        out: Out<pb::BulkPutReply>,
    ) -> Result<(), Refusal> {
        let stopping = self.shell.stopping();
        let mut gathering = Gathering::default();
        let mut storing = FuturesUnordered::new();
        let mut open = true;
        while open || !storing.is_empty() {
            let room = storing.len() < DOCUMENTS_MAX;
            let reply = tokio::select! {
                Some(reply) = storing.next(), if !storing.is_empty() => Some(reply),
                message = inbound.message(), if open && room => match message {
                    Ok(Some(message)) => {
                        let document = message.document;
                        match gathering.take(message, self) {
                            Step::Nothing => None,
                            Step::Refused(refusal) => Some(BulkPutReply { document, outcome: Err(refusal) }),
                            Step::Whole(head, bytes, held) => {
                                storing.push(self.store_one(institution, document, head, bytes, held));
                                None
                            }
                        }
                    }
                    // Documents that did not come whole are not stored, and the caller knows which those are.
                    Ok(None) | Err(_) => {
                        open = false;
                        None
                    }
                },
                () = gathering.ended(), if open => gathering.give_up(Instant::now()),
                () = stopping.cancelled(), if open => {
                    open = false;
                    None
                }
            };
            if let Some(reply) = reply {
                if let Err(refusal) = &reply.outcome {
                    self.metrics.refused(refusal);
                }
                send(&out, reply.into()).await?;
            }
        }
        Ok(())
    }

    async fn store_one(
        &self,
        institution: InstitutionId,
        document: u64,
        head: Box<PutHead>,
        bytes: Bytes,
        _held: Held,
    ) -> BulkPutReply {
        let deadline = Deadline::after(DOCUMENT_TIME);
        let stored = Box::pin(self.store(Caller { institution, deadline }, &head, None, Deed::BulkPut, bytes));
        BulkPutReply { document, outcome: deadline.bound(ErrorCode::OutcomeUnknown, stored).await }
    }
}

impl Gathering {
    fn take(&mut self, message: pb::BulkPutRequest, desk: &Desk) -> Step {
        let BulkPutRequest { document, part } = match BulkPutRequest::try_from(message) {
            Ok(request) => request,
            Err((document, invalid)) => {
                self.documents.remove(&document);
                return Step::Refused(invalid.into());
            }
        };
        match part {
            Upload::Head(_) if self.documents.contains_key(&document) => {
                self.documents.remove(&document);
                Step::Refused(Refusal::invalid("document"))
            }
            Upload::Head(_) if self.documents.len() >= DOCUMENTS_MAX => Step::Refused(Refusal::new(ErrorCode::Busy)),
            Upload::Head(head) => match Incoming::begin(head.document_bytes, &desk.admission) {
                Ok(incoming) => {
                    let until = Instant::now() + DOCUMENT_TIME;
                    self.documents.insert(document, Coming { head, incoming, until });
                    Step::Nothing
                }
                Err(refusal) => Step::Refused(refusal),
            },
            Upload::Piece(piece) => self.piece(document, &piece),
        }
    }

    fn piece(&mut self, document: u64, piece: &[u8]) -> Step {
        // A piece behind the refusal of its document: its caller has been told.
        let Some(mut coming) = self.documents.remove(&document) else { return Step::Nothing };
        match coming.incoming.push(piece) {
            Ok(true) => {
                let (bytes, held) = coming.incoming.finish();
                Step::Whole(coming.head, bytes, held)
            }
            Ok(false) => {
                self.documents.insert(document, coming);
                Step::Nothing
            }
            Err(refusal) => Step::Refused(refusal),
        }
    }

    /// The first moment at which a document has taken too long; never without one.
    async fn ended(&self) {
        match self.documents.values().map(|coming| coming.until).min() {
            Some(first) => tokio::time::sleep_until(first).await,
            None => std::future::pending().await,
        }
    }

    /// Lets go of one document that has taken too long.
    fn give_up(&mut self, now: Instant) -> Option<BulkPutReply> {
        let document = *self.documents.iter().find(|(_, coming)| coming.until <= now)?.0;
        self.documents.remove(&document);
        Some(BulkPutReply { document, outcome: Err(Refusal::new(ErrorCode::DeadlineExceeded)) })
    }
}

#[cfg(test)]
mod tests {
    use prometheus::IntGauge;
    use renkei_wire::record::{Acting, Actor, Patient};

    use super::*;
    use crate::admission::Admission;

    #[test]
    fn a_document_that_stands_still_is_given_up_and_leaves_its_room() {
        let gauge = IntGauge::new("admitted", "test").unwrap();
        let admission = Admission::new(1 << 20, gauge.clone());
        let mut gathering = Gathering::default();
        let began = Instant::now();
        for (document, seconds) in [(7, 30), (8, 40)] {
            let head = Box::new(PutHead {
                patient: Patient::Ticket(renkei_access::SignedTicket::from_bytes(Bytes::from_static(b"ticket"))),
                actor: Acting::Believed(Actor { id: "i".to_owned(), role: "r".to_owned() }),
                idempotency_key: Bytes::from_static(b"key"),
                document_bytes: 1_000,
            });
            let incoming = Incoming::begin(1_000, &admission).unwrap();
            gathering
                .documents
                .insert(document, Coming { head, incoming, until: began + Duration::from_secs(seconds) });
        }
        let held = gauge.get();
        assert!(gathering.give_up(began + Duration::from_secs(29)).is_none());
        let given_up = gathering.give_up(began + Duration::from_secs(30)).unwrap();
        assert_eq!((given_up.document, given_up.outcome.err().unwrap().code), (7, ErrorCode::DeadlineExceeded));
        assert!(gathering.give_up(began + Duration::from_secs(39)).is_none(), "the other has its time");
        assert_eq!(gauge.get(), held / 2);
    }
}
