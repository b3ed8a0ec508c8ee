//! One framed stream to one node: many calls at once, each answered as it is done, bodies in pieces between them.

use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::stream::{self, Stream};
use renkei_runtime::{OnError, OnShutdown, Shell, TaskKind};
use renkei_wire::limits::{FRAMES_MAX, NODE_MESSAGE_MAX_BYTES, PAGE_MAX_BYTES};
use renkei_wire::pb::node::v1::{ReplyFrames, RequestFrames};
use renkei_wire::{
    CallId, NodeRequest, NodeServiceClient, Operation, PutBody, Refusal, RequestFrame, RequestItem, pieces,
};
use tokio::sync::{mpsc, oneshot};
use tonic::Streaming;
use tonic::transport::Channel;

use super::Miss;
use super::calls::{Answer, Calls};
use crate::admission::Admission;

/// Frames that may wait to be sent. A caller whose document does not fit waits, so that others get their turn.
const QUEUE_FRAMES: usize = 64;
/// Bodies up to this size travel inside their request; larger ones in pieces, between which others get their turn.
const WHOLE_MAX_BYTES: usize = 64 * 1_024;

/// An open stream. Dropping it ends it.
#[derive(Debug)]
pub(super) struct Link {
    outgoing: mpsc::Sender<RequestFrame>,
    calls: Arc<Mutex<Calls>>,
}

impl Link {
    /// Opens the stream on a connection.
    pub(super) async fn open(shell: &Shell, channel: Channel, admission: Admission) -> Result<Arc<Self>, Miss> {
        let (outgoing, requests) = mpsc::channel(QUEUE_FRAMES);
        let mut client = NodeServiceClient::new(channel)
            .max_decoding_message_size(NODE_MESSAGE_MAX_BYTES)
            .max_encoding_message_size(NODE_MESSAGE_MAX_BYTES);
        let replies = match client.stream(batches(requests)).await {
            Ok(replies) => replies.into_inner(),
            Err(status) => return Err(Refusal::from_status(&status).map_or(Miss::Lost, Miss::Refused)),
        };
        let calls = Arc::new(Mutex::new(Calls::default()));
        // The reader holds no sender of the stream for good: it ends when the link is dropped, or the node ends it.
        let reader = read(replies, Arc::clone(&calls), outgoing.downgrade(), admission);
        let kind = TaskKind { name: "node stream", on_error: OnError::Log, on_shutdown: OnShutdown::CancelLast };
        shell.tasks().spawn(kind, reader);
        Ok(Arc::new(Self { outgoing, calls }))
    }

    pub(super) fn is_closed(&self) -> bool {
        lock(&self.calls).closed || self.outgoing.is_closed()
    }

    /// Sends one request and waits for its answer. A caller that stops waiting cancels it.
    pub(super) async fn ask(&self, mut request: NodeRequest) -> Result<Answer, Miss> {
        let (answered, answer) = oneshot::channel();
        let call = lock(&self.calls).open(answered).ok_or(Miss::Lost)?;
        let mut underway = Underway { link: self, call };
        let body = match &mut request.operation {
            Operation::Put(put) => match std::mem::replace(&mut put.body, PutBody::InPieces) {
                PutBody::Whole(body) if body.len() <= WHOLE_MAX_BYTES => {
                    put.body = PutBody::Whole(body);
                    None
                }
                PutBody::Whole(body) => Some(body),
                PutBody::InPieces => None,
            },
            _ => None,
        };
        underway.send(RequestItem::Request(Box::new(request))).await?;
        for piece in body.into_iter().flat_map(pieces) {
            underway.send(RequestItem::Piece(piece)).await?;
        }
        answer.await.unwrap_or(Err(Miss::Lost))
    }
}

/// A call; dropping it before its answer has come tells the node that nobody waits.
struct Underway<'a> {
    link: &'a Link,
    call: CallId,
}

impl Underway<'_> {
    async fn send(&mut self, item: RequestItem) -> Result<(), Miss> {
        self.link.outgoing.send(RequestFrame { call: self.call, item }).await.map_err(|_| Miss::Lost)
    }
}

impl Drop for Underway<'_> {
    fn drop(&mut self) {
        if lock(&self.link.calls).forget(self.call) {
            // Where the queue is full the node answers to nobody, which costs it no more than the answer.
            let _full = self.link.outgoing.try_send(RequestFrame { call: self.call, item: RequestItem::Cancel });
        }
    }
}

/// What waits to be sent goes in one message, up to the size that a message may have.
fn batches(requests: mpsc::Receiver<RequestFrame>) -> impl Stream<Item = RequestFrames> + Send + 'static {
    stream::unfold(requests, |mut requests| async {
        let first = requests.recv().await?;
        let mut bytes = content_bytes(&first);
        let mut frames = vec![first];
        while bytes < PAGE_MAX_BYTES
            && frames.len() < FRAMES_MAX
            && let Ok(frame) = requests.try_recv()
        {
            bytes += content_bytes(&frame);
            frames.push(frame);
        }
        Some((frames.into_iter().collect(), requests))
    })
}

fn content_bytes(frame: &RequestFrame) -> usize {
    match &frame.item {
        RequestItem::Piece(piece) => piece.data.len(),
        RequestItem::Request(request) => match &request.operation {
            Operation::Put(put) => {
                let body = match &put.body {
                    PutBody::Whole(body) => body.len(),
                    PutBody::InPieces => 0,
                };
                put.summary.len() + body
            }
            _ => 0,
        },
        RequestItem::Cancel => 0,
    }
}

async fn read(
    mut replies: Streaming<ReplyFrames>,
    calls: Arc<Mutex<Calls>>,
    outgoing: mpsc::WeakSender<RequestFrame>,
    admission: Admission,
) -> Result<(), Infallible> {
    while let Ok(Some(message)) = replies.message().await {
        let Ok(frames) = message.into_frames() else { break };
        for frame in frames {
            let given_up = match frame {
                Ok(frame) => lock(&calls).take(frame, &admission),
                Err(invalid) => {
                    lock(&calls).spoilt(invalid.call);
                    Some(invalid.call)
                }
            };
            if let Some(call) = given_up
                && let Some(outgoing) = outgoing.upgrade()
            {
                let _full = outgoing.try_send(RequestFrame { call, item: RequestItem::Cancel });
            }
        }
    }
    lock(&calls).close();
    Ok(())
}

/// Nothing that holds the lock can panic half way through a change.
fn lock(calls: &Mutex<Calls>) -> MutexGuard<'_, Calls> {
    calls.lock().unwrap_or_else(PoisonError::into_inner)
}
