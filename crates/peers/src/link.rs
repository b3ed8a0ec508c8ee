//! One lane to one peer: a stream that is made when there is something to send, and made again after a loss.

use std::collections::HashMap;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use bytes::Bytes;
use futures::stream;
use renkei_consensus::{Address, Lane, TransportError};
use renkei_ids::NodeId;
use renkei_runtime::{ExpectedPeer, Http2, Tls};
use renkei_wire::limits::PEER_MESSAGE_MAX_BYTES;
use renkei_wire::pb::peer::v1 as pb;
use renkei_wire::peer::PeerFrames;
use renkei_wire::{CallId, PeerServiceClient};
use tokio::sync::oneshot;

use crate::assembly::{Assembly, Incoming};
use crate::book::AddressBook;
use crate::outbox::{Outbox, Outgoing};
use crate::{Circle, IDLE_TIMEOUT, wire_lane};

/// Pause after a lost or refused stream. Meanwhile requests fail at once, which makes Raft back off.
const PAUSE: Duration = Duration::from_millis(100);
/// Longest time until a stream is open: a peer that is overloaded counts as one that is gone.
const OPEN_TIMEOUT: Duration = Duration::from_secs(5);

type Answer = Result<Bytes, TransportError>;

#[derive(Debug)]
pub(crate) struct Link {
    circle: Circle,
    node: NodeId,
    lane: Lane,
    outbox: Outbox,
    waiting: Mutex<HashMap<CallId, oneshot::Sender<Answer>>>,
    next_call: AtomicU64,
    down: AtomicBool,
}

/// A request that was queued. Dropping it gives the answer up.
#[derive(Debug)]
pub(crate) struct Asked {
    link: Arc<Link>,
    call: CallId,
    answer: oneshot::Receiver<Answer>,
}

impl Asked {
    pub(crate) async fn answer(mut self) -> Answer {
        (&mut self.answer).await.unwrap_or(Err(TransportError::Unreachable))
    }
}

impl Drop for Asked {
    fn drop(&mut self) {
        self.link.waiting().remove(&self.call);
    }
}

impl Link {
    pub(crate) fn new(circle: Circle, node: NodeId, lane: Lane) -> Self {
        Self {
            circle,
            node,
            lane,
            outbox: Outbox::new(circle.cloud),
            waiting: Mutex::default(),
            next_call: AtomicU64::new(1),
            down: AtomicBool::new(false),
        }
    }

    /// Queues a request; `None` while the peer cannot be reached or takes nothing.
    pub(crate) fn ask(self: Arc<Self>, to: Address, body: Bytes) -> Option<Asked> {
        if self.down.load(Ordering::Relaxed) {
            return None;
        }
        let call = CallId(self.next_call.fetch_add(1, Ordering::Relaxed));
        let (tell, answer) = oneshot::channel();
        // Before the message can leave, so that no answer finds nobody waiting.
        self.waiting().insert(call, tell);
        let asked = Asked { link: Arc::clone(&self), call, answer };
        let message = Outgoing { group: to.group, from: to.from, to: to.to, call, content: Ok(body) };
        self.outbox.push(message).then_some(asked)
    }

    /// Keeps the stream up for as long as it is used.
    pub(crate) async fn run(self: Arc<Self>, tls: Tls, book: AddressBook) {
        loop {
            self.outbox.filled().await;
            let lost = Arc::clone(&self).exchange(&tls, &book).await;
            self.down.store(true, Ordering::Relaxed);
            self.waiting().clear();
            self.outbox.clear();
            tracing::debug!(peer = %self.node, lane = ?self.lane, reason = lost, "peer link down");
            tokio::time::sleep(PAUSE).await;
            self.down.store(false, Ordering::Relaxed);
        }
    }

    /// One stream from its opening to its loss, and why it was lost.
    async fn exchange(self: Arc<Self>, tls: &Tls, book: &AddressBook) -> &'static str {
        let Some(address) = book.address(self.node) else { return "no address" };
        let name = Some(self.node.to_string().into());
        let Circle { cloud, role } = self.circle;
        let expected = ExpectedPeer { cloud, role, name };
        let channel = tls.channel(&address, expected, Http2::LANES);
        let mut client = PeerServiceClient::new(channel)
            .max_decoding_message_size(PEER_MESSAGE_MAX_BYTES)
            .max_encoding_message_size(PEER_MESSAGE_MAX_BYTES);
        let lane = wire_lane(self.lane);
        let frames = stream::unfold(Arc::clone(&self), move |link| async move {
            let frames = link.outbox.next_batch().await;
            Some((pb::PeerFrames::from(PeerFrames { lane, frames }), link))
        });
        let opened = tokio::time::timeout(OPEN_TIMEOUT, client.exchange(frames)).await;
        let mut answers = match opened {
            Err(_) => return "not opened in time",
            Ok(Err(_)) => return "refused",
            Ok(Ok(answers)) => answers.into_inner(),
        };
        let mut assembly = Assembly::default();
        loop {
            let message = match tokio::time::timeout(IDLE_TIMEOUT, pin!(answers.message())).await {
                Err(_) if self.waiting().is_empty() => continue,
                Err(_) => return "answers are due and none comes",
                Ok(Err(_)) => return "broken",
                Ok(Ok(None)) => return "closed",
                Ok(Ok(Some(message))) => message,
            };
            if let Err(reason) = self.take(&mut assembly, message) {
                return reason;
            }
        }
    }

    fn take(&self, assembly: &mut Assembly, message: pb::PeerFrames) -> Result<(), &'static str> {
        let PeerFrames { lane, frames } = message.try_into().map_err(|_| "frames do not read")?;
        if lane != wire_lane(self.lane) {
            return Err("answers of another lane");
        }
        for frame in frames {
            if frame.cloud != self.circle.cloud {
                return Err("a frame of another cloud");
            }
            if let Some(Incoming { call, content, .. }) = assembly.push(frame).map_err(|_| "frames in disorder")?
                && let Some(tell) = self.waiting().remove(&call)
            {
                // Whoever asked may have given up just now.
                let _given_up = tell.send(content.map_err(TransportError::Refused));
            }
        }
        Ok(())
    }

    fn waiting(&self) -> MutexGuard<'_, HashMap<CallId, oneshot::Sender<Answer>>> {
        self.waiting.lock().expect("nothing panics while it holds the calls")
    }
}
