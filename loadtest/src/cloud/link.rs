//! One framed stream to one node: many calls at once, each answered as it is done.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::stream::{self, Stream};
use renkei_wire::limits::NODE_MESSAGE_MAX_BYTES;
use renkei_wire::pb::node::v1::{ReplyFrames, RequestFrames};
use renkei_wire::{
    CallId, NodeReply, NodeRequest, NodeServiceClient, Refusal, ReplyFrame, ReplyItem, RequestFrame, RequestItem,
};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tonic::Streaming;
use tonic::transport::Channel;

/// Requests that go into one message; with values of 1 KiB some 150 KiB.
const BATCH_MAX_FRAMES: usize = 64;

/// What came of a call.
#[derive(Debug)]
pub(super) enum Answer {
    Reply(Box<NodeReply>),
    Refusal(Refusal),
    /// It does not read, or is of a kind that this client never asks for.
    Unreadable,
    /// The stream broke first: whether the request took effect is not known.
    Lost,
}

/// An open stream. Dropping it ends it.
#[derive(Debug)]
pub(super) struct Link {
    outgoing: mpsc::UnboundedSender<RequestFrame>,
    waiting: Arc<Mutex<Waiting>>,
    _reader: JoinSet<()>,
}

#[derive(Debug, Default)]
struct Waiting {
    closed: bool,
    last_call: u64,
    calls: HashMap<CallId, oneshot::Sender<Answer>>,
}

impl Link {
    /// Opens the stream on a connection.
    pub(super) async fn open(channel: Channel) -> Result<Self, Box<tonic::Status>> {
        // Bounded by the clients of the closed loop, each of which has one request under way.
        let (outgoing, requests) = mpsc::unbounded_channel();
        let mut client = NodeServiceClient::new(channel)
            .max_decoding_message_size(NODE_MESSAGE_MAX_BYTES)
            .max_encoding_message_size(NODE_MESSAGE_MAX_BYTES);
        let replies = client.stream(batches(requests)).await?.into_inner();
        let waiting = Arc::new(Mutex::new(Waiting::default()));
        let mut reader = JoinSet::new();
        reader.spawn(read(replies, Arc::clone(&waiting)));
        Ok(Self { outgoing, waiting, _reader: reader })
    }

    pub(super) fn is_closed(&self) -> bool {
        lock(&self.waiting).closed
    }

    /// Sends one request and waits for its answer.
    pub(super) async fn ask(&self, request: NodeRequest) -> Answer {
        let (answered, answer) = oneshot::channel();
        let call = {
            let mut waiting = lock(&self.waiting);
            if waiting.closed {
                return Answer::Lost;
            }
            waiting.last_call += 1;
            let call = CallId(waiting.last_call);
            waiting.calls.insert(call, answered);
            call
        };
        let frame = RequestFrame { call, item: RequestItem::Request(Box::new(request)) };
        if self.outgoing.send(frame).is_err() {
            lock(&self.waiting).calls.remove(&call);
            return Answer::Lost;
        }
        answer.await.unwrap_or(Answer::Lost)
    }
}

/// All that wait to be sent go in one message.
fn batches(requests: mpsc::UnboundedReceiver<RequestFrame>) -> impl Stream<Item = RequestFrames> + Send + 'static {
    stream::unfold(requests, |mut requests| async {
        let mut frames = Vec::with_capacity(BATCH_MAX_FRAMES);
        match requests.recv_many(&mut frames, BATCH_MAX_FRAMES).await {
            0 => None,
            _ => Some((frames.into_iter().collect(), requests)),
        }
    })
}

async fn read(mut replies: Streaming<ReplyFrames>, waiting: Arc<Mutex<Waiting>>) {
    while let Ok(Some(message)) = replies.message().await {
        let Ok(frames) = message.into_frames() else { break };
        let mut waiting = lock(&waiting);
        for frame in frames {
            let (call, answer) = match frame {
                Ok(ReplyFrame { call, item: ReplyItem::Reply(reply) }) => (call, Answer::Reply(reply)),
                Ok(ReplyFrame { call, item: ReplyItem::Refusal(refusal) }) => (call, Answer::Refusal(refusal)),
                Ok(ReplyFrame { call, item: ReplyItem::Piece(_) }) => (call, Answer::Unreadable),
                Err(invalid) => (invalid.call, Answer::Unreadable),
            };
            if let Some(answered) = waiting.calls.remove(&call) {
                // A caller that gave up is gone, and its answer with it.
                let _given_up = answered.send(answer);
            }
        }
    }
    let mut waiting = lock(&waiting);
    waiting.closed = true;
    // Dropping the senders tells every caller that its answer is lost.
    waiting.calls.clear();
}

/// Nothing that holds the lock can panic half way through a change.
fn lock(waiting: &Mutex<Waiting>) -> MutexGuard<'_, Waiting> {
    waiting.lock().unwrap_or_else(PoisonError::into_inner)
}
