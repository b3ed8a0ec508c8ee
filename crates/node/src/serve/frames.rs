//! The framed stream of a gateway: many calls at once, answered as they finish, documents in pieces.

use std::collections::HashMap;
use std::convert::Infallible;
use std::time::Duration;

use bytes::Bytes;
use futures::future::{AbortHandle, Abortable};
use futures::stream::FuturesUnordered;
use futures::{FutureExt, StreamExt};
use renkei_runtime::PeerIdentity;
use renkei_wire::limits::{FRAMES_MAX, PAGE_MAX_BYTES};
use renkei_wire::pb::node::v1 as pb;
use renkei_wire::{
    BodyAssembly, CallId, ErrorCode, NodeRequest, Operation, PutBody, Refusal, ReplyFrame, ReplyItem, RequestFrame,
    RequestItem, pieces,
};
use tokio::sync::mpsc;
use tonic::{Status, Streaming};

use super::admission::Held;
use super::{Answer, Server};

/// Calls of one stream that may be under way.
const CALLS_MAX: usize = 1_024;
/// Messages that may wait for the gateway to take them; then nothing more is read from it.
const REPLIES_WAITING: usize = 4;
/// A gateway that takes none of them for so long is given up: what waits for it holds admitted bytes.
const TAKE_MAX: Duration = Duration::from_secs(30);

/// A put whose document has not come whole.
struct Gathering {
    request: Box<NodeRequest>,
    body: BodyAssembly,
    /// Room for the largest document, for what will come is not known.
    _held: Held,
}

type Done = (CallId, Result<Answer, Refusal>);

/// Serves one stream until the gateway closes it or takes nothing more.
pub(super) struct FrameStream {
    server: Server,
    caller: PeerIdentity,
    gathering: HashMap<CallId, Gathering>,
    running: HashMap<CallId, AbortHandle>,
    replies: mpsc::Sender<Result<pb::ReplyFrames, Status>>,
}

impl FrameStream {
    pub(super) fn new(server: Server, caller: PeerIdentity) -> (Self, mpsc::Receiver<Result<pb::ReplyFrames, Status>>) {
        let (replies, out) = mpsc::channel(REPLIES_WAITING);
        (Self { server, caller, gathering: HashMap::new(), running: HashMap::new(), replies }, out)
    }

    pub(super) async fn run(
        mut self,
        mut inbound: Streaming<pb::RequestFrames>,
        stopping: impl Future<Output = ()>,
    ) -> Result<(), Infallible> {
        let mut calls = FuturesUnordered::new();
        let mut stopping = std::pin::pin!(stopping.fuse());
        let mut open = true;
        while open || !calls.is_empty() {
            let mut frames = Vec::new();
            tokio::select! {
                biased;
                Some(done) = calls.next(), if !calls.is_empty() => {
                    self.finish(done, &mut frames);
                    // What is ready now shares a message.
                    while frames.len() < FRAMES_MAX / 2
                        && let Some(Some(done)) = calls.next().now_or_never()
                    {
                        self.finish(done, &mut frames);
                    }
                }
                message = inbound.message(), if open => match message {
                    Ok(Some(message)) => match message.into_frames() {
                        Ok(incoming) => for frame in incoming {
                            match frame {
                                Ok(frame) => calls.extend(self.take(frame, &mut frames)),
                                Err(invalid) => frames.push(refused(invalid.call, invalid.reason.into())),
                            }
                        },
                        Err(too_many) => {
                            let _gone = self.replies.send(Err(Refusal::from(too_many).into())).await;
                            return Ok(());
                        }
                    },
                    // The gateway is done asking, or gone; what it asked for is still answered if it listens.
                    Ok(None) | Err(_) => open = false,
                },
                () = &mut stopping, if open => open = false,
            }
            if !self.send(frames).await {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Takes a frame in. Gives the work that it starts, or puts its refusal among the frames to send.
    fn take(
        &mut self,
        frame: RequestFrame,
        frames: &mut Vec<ReplyFrame>,
    ) -> Option<impl Future<Output = Done> + Send + use<>> {
        let RequestFrame { call, item } = frame;
        let started = match item {
            RequestItem::Request(request) => self.open(call, request),
            RequestItem::Piece(piece) => match self.gathering.get_mut(&call) {
                // A piece behind a refusal of its put: nobody waits for it.
                None => Ok(None),
                Some(gathering) => match gathering.body.push(piece) {
                    Ok(None) => Ok(None),
                    Ok(Some(body)) => {
                        let gathering = self.gathering.remove(&call).expect("it was there a line ago");
                        Ok(Some((gathering.request, Some(body))))
                    }
                    Err(invalid) => {
                        self.gathering.remove(&call);
                        Err(invalid.into())
                    }
                },
            },
            RequestItem::Cancel => {
                self.gathering.remove(&call);
                if let Some(running) = self.running.remove(&call) {
                    running.abort();
                }
                Ok(None)
            }
        };
        match started {
            Ok(None) => None,
            Ok(Some((request, body))) => Some(self.start(call, *request, body)),
            Err(refusal) => {
                frames.push(refused(call, refusal));
                None
            }
        }
    }

    #[expect(clippy::type_complexity, reason = "what a call needs to start, used in one place")]
    fn open(
        &mut self,
        call: CallId,
        request: Box<NodeRequest>,
    ) -> Result<Option<(Box<NodeRequest>, Option<Bytes>)>, Refusal> {
        if self.running.contains_key(&call) || self.gathering.contains_key(&call) {
            return Err(Refusal::invalid("call"));
        }
        if self.running.len() + self.gathering.len() >= CALLS_MAX {
            return Err(Refusal::new(ErrorCode::Busy));
        }
        if matches!(&request.operation, Operation::Put(put) if put.body == PutBody::InPieces) {
            let held = self.server.admission.admit(renkei_wire::limits::BODY_MAX_BYTES)?;
            self.gathering.insert(call, Gathering { request, body: BodyAssembly::new(), _held: held });
            return Ok(None);
        }
        Ok(Some((request, None)))
    }

    fn start(
        &mut self,
        call: CallId,
        request: NodeRequest,
        body: Option<Bytes>,
    ) -> impl Future<Output = Done> + Send + use<> {
        let (server, caller) = (self.server.clone(), self.caller.clone());
        let (abort, registration) = AbortHandle::new_pair();
        self.running.insert(call, abort);
        let work = Abortable::new(async move { server.serve(&caller, request, body).await }, registration);
        async move {
            // A cancelled call is answered to nobody: its entry in `running` is gone.
            let outcome = work.await.unwrap_or_else(|_| Err(Refusal::new(ErrorCode::DeadlineExceeded)));
            (call, outcome)
        }
    }

    fn finish(&mut self, (call, outcome): Done, frames: &mut Vec<ReplyFrame>) {
        if self.running.remove(&call).is_none() {
            return;
        }
        match outcome {
            Err(refusal) => frames.push(refused(call, refusal)),
            Ok(Answer { reply, body, held: _until_framed }) => {
                frames.push(ReplyFrame { call, item: ReplyItem::Reply(Box::new(reply)) });
                let body = body.into_iter().flat_map(pieces);
                frames.extend(body.map(|piece| ReplyFrame { call, item: ReplyItem::Piece(piece) }));
            }
        }
    }

    /// Sends frames in as few messages as they fit; `false` when nobody takes them any more.
    async fn send(&self, frames: Vec<ReplyFrame>) -> bool {
        let mut frames = frames.into_iter().peekable();
        while frames.peek().is_some() {
            let (mut batch, mut bytes) = (Vec::new(), 0);
            while let Some(frame) = frames.next_if(|_| bytes < PAGE_MAX_BYTES && batch.len() < FRAMES_MAX) {
                bytes += frame.content_bytes();
                batch.push(frame);
            }
            let taken = tokio::time::timeout(TAKE_MAX, self.replies.send(Ok(batch.into_iter().collect())));
            if !matches!(taken.await, Ok(Ok(()))) {
                return false;
            }
        }
        true
    }
}

fn refused(call: CallId, refusal: Refusal) -> ReplyFrame {
    ReplyFrame { call, item: ReplyItem::Refusal(refusal) }
}
