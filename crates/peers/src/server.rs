//! The answering side of the lanes.

use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};

use futures::stream::FuturesUnordered;
use futures::{Stream, StreamExt, stream};
use renkei_consensus::{Engine, ReceiveError};
use renkei_ids::{GroupId, NodeId, ReplicaId};
use renkei_runtime::{OnError, OnShutdown, PeerIdentity, Shell, TaskKind};
use renkei_wire::pb::peer::v1 as pb;
use renkei_wire::peer::{Lane, PeerFrames};
use renkei_wire::{ErrorCode, PeerService, Refusal};
use tonic::{Request, Response, Status, Streaming};

use crate::assembly::{Assembly, Disorder, Incoming};
use crate::outbox::{Outbox, Outgoing};
use crate::{Circle, engine_lane};

/// Requests of one stream that may wait for their answers. Above what a peer's pipeline has in flight for 64 groups.
const CALLS_MAX: usize = 8_192;

/// Where a replica lives, as far as this process knows; `None` where it does not, and the certificate is all there is.
pub type HostOf = Arc<dyn Fn(GroupId, ReplicaId) -> Option<NodeId> + Send + Sync>;

/// Takes in what peers send, and refuses everybody else. Clones share everything.
#[derive(Clone)]
pub struct Peers {
    shell: Shell,
    circle: Circle,
    engine: Engine,
    host_of: HostOf,
}

impl fmt::Debug for Peers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Peers").field("circle", &self.circle).field("engine", &self.engine).finish_non_exhaustive()
    }
}

impl Peers {
    /// Hands frames of the circle to the replicas of an engine.
    pub fn new(shell: Shell, circle: Circle, engine: Engine, host_of: HostOf) -> Self {
        Self { shell, circle, engine, host_of }
    }

    /// The number of a caller who belongs to the circle.
    fn member(&self, caller: Option<&PeerIdentity>) -> Result<NodeId, Refusal> {
        let Circle { cloud, role } = self.circle;
        let member = caller.filter(|caller| caller.cloud == cloud && caller.role == role);
        let number = member.and_then(|caller| caller.name.parse::<NodeId>().ok()).filter(|number| number.0 > 0);
        number.ok_or(Refusal::new(ErrorCode::RoleNotAllowed))
    }
}

type Frames = Pin<Box<dyn Stream<Item = Result<pb::PeerFrames, Status>> + Send>>;

#[tonic::async_trait]
impl PeerService for Peers {
    type ExchangeStream = Frames;

    async fn tell_clock(&self, request: Request<pb::TellClockRequest>) -> Result<Response<pb::TellClockReply>, Status> {
        self.member(request.extensions().get())?;
        Ok(Response::new(pb::TellClockReply { unix_ms: self.shell.clock().now().0 }))
    }

    async fn exchange(&self, request: Request<Streaming<pb::PeerFrames>>) -> Result<Response<Frames>, Status> {
        let node = self.member(request.extensions().get())?;
        let outbox = Arc::new(Outbox::new(self.circle.cloud));
        let (ended, end) = tokio::sync::oneshot::channel::<()>();
        let lane = Arc::new(OnceLock::new());
        let serve = Exchange { peers: self.clone(), node, outbox: Arc::clone(&outbox), lane: Arc::clone(&lane) };
        // Not until the last: the listener is drained when its streams have ended, and what this process still has to
        // commit goes over the lanes that it opened itself.
        let kind = TaskKind { name: "peer stream", on_error: OnError::Log, on_shutdown: OnShutdown::Cancel };
        let inbound = request.into_inner();
        self.shell.tasks().spawn(kind, async move {
            let _ended = ended;
            serve.run(inbound).await
        });
        // The answers end with the task that makes them.
        let answers = stream::unfold((outbox, lane), |(outbox, lane)| async move {
            let frames = outbox.next_batch().await;
            let named = *lane.get().expect("an answer follows a message that named the lane");
            Some((Ok(pb::PeerFrames::from(PeerFrames { lane: named, frames })), (outbox, lane)))
        });
        Ok(Response::new(Box::pin(answers.take_until(end))))
    }
}

struct Exchange {
    peers: Peers,
    node: NodeId,
    outbox: Arc<Outbox>,
    lane: Arc<OnceLock<Lane>>,
}

/// Why a stream of a peer was closed from here.
#[derive(Debug, thiserror::Error)]
enum Closed {
    #[error("peer {0} sent frames that do not read")]
    Unreadable(NodeId),
    #[error("peer {0} changed the lane of a stream")]
    OtherLane(NodeId),
    #[error("peer {0} sent a frame of another cloud")]
    OtherCloud(NodeId),
    #[error("peer {0} sent a frame in the name of a replica of another peer")]
    ForeignReplica(NodeId),
    #[error("peer {node} sent frames in disorder")]
    Disorder {
        node: NodeId,
        #[source]
        source: Disorder,
    },
    #[error("peer {0} takes no answers")]
    Stuck(NodeId),
}

impl Exchange {
    async fn run(self, mut inbound: Streaming<pb::PeerFrames>) -> Result<(), Closed> {
        let mut assembly = Assembly::default();
        let mut answers = FuturesUnordered::new();
        loop {
            tokio::select! {
                biased;
                Some(answer) = answers.next(), if !answers.is_empty() => {
                    if !self.outbox.push(answer) {
                        return Err(Closed::Stuck(self.node));
                    }
                }
                message = inbound.message(), if answers.len() < CALLS_MAX => {
                    // A broken connection is the peer's to report: it asks again.
                    let Ok(Some(message)) = message else { return Ok(()) };
                    for call in self.calls(&mut assembly, message)? {
                        let Incoming { group, from, to, call, content } = call;
                        let Ok(body) = content else { return Err(Closed::Unreadable(self.node)) };
                        let lane = *self.lane.get().expect("set by the message");
                        let answer = self.peers.engine.receive(group, to, from, engine_lane(lane), body);
                        answers.push(async move {
                            let content = answer.await.map_err(|error: ReceiveError| error.code());
                            Outgoing { group, from: to, to: from, call, content }
                        });
                    }
                }
            }
        }
    }

    fn calls(&self, assembly: &mut Assembly, message: pb::PeerFrames) -> Result<Vec<Incoming>, Closed> {
        let PeerFrames { lane, frames } = message.try_into().map_err(|_| Closed::Unreadable(self.node))?;
        if *self.lane.get_or_init(|| lane) != lane {
            return Err(Closed::OtherLane(self.node));
        }
        let mut calls = Vec::new();
        for frame in frames {
            if frame.cloud != self.peers.circle.cloud {
                return Err(Closed::OtherCloud(self.node));
            }
            let host = (self.peers.host_of)(frame.group, frame.from);
            if host.is_some_and(|host| host != self.node) {
                return Err(Closed::ForeignReplica(self.node));
            }
            let disorder = |source| Closed::Disorder { node: self.node, source };
            calls.extend(assembly.push(frame).map_err(disorder)?);
        }
        Ok(calls)
    }
}
