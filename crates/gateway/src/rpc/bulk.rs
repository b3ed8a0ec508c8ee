//! Many documents over one stream.

use std::collections::HashMap;
use std::time::Duration;

use bytes::Bytes;
use futures::StreamExt;
use futures::stream::FuturesUnordered;
use renkei_ids::InstitutionId;
use renkei_wire::pb::record::v1 as pb;
use renkei_wire::record::{BulkPutReply, BulkPutRequest, PutHead, Upload};
use renkei_wire::{ErrorCode, Refusal};
use tonic::Streaming;

use super::upload::Incoming;
use super::{Caller, Desk, Out, send};
use crate::admission::Held;
use crate::deadline::Deadline;

/// Documents of one stream that may be gathered and stored at once; then nothing more is read from it.
const DOCUMENTS_MAX: usize = 64;
/// Time for one document from when it is whole. The stream itself may live long.
const DOCUMENT_TIME: Duration = Duration::from_secs(30);

#[derive(Default)]
struct Gathering {
    documents: HashMap<u64, (Box<PutHead>, Incoming)>,
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
        let stored = Box::pin(self.store(Caller { institution, deadline }, &head, None, bytes));
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
                    self.documents.insert(document, (head, incoming));
                    Step::Nothing
                }
                Err(refusal) => Step::Refused(refusal),
            },
            Upload::Piece(piece) => self.piece(document, &piece),
        }
    }

    fn piece(&mut self, document: u64, piece: &[u8]) -> Step {
        // A piece behind the refusal of its document: its caller has been told.
        let Some((head, mut incoming)) = self.documents.remove(&document) else { return Step::Nothing };
        match incoming.push(piece) {
            Ok(true) => {
                let (bytes, held) = incoming.finish();
                Step::Whole(head, bytes, held)
            }
            Ok(false) => {
                self.documents.insert(document, (head, incoming));
                Step::Nothing
            }
            Err(refusal) => Step::Refused(refusal),
        }
    }
}
