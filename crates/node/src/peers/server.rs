//! The answering side of the lanes.

use std::pin::Pin;
use std::sync::{Arc, OnceLock};

use futures::stream::FuturesUnordered;
use futures::{Stream, StreamExt, stream};
use renkei_consensus::{Engine, ReceiveError};
use renkei_ids::{CloudId, NodeId};
use renkei_runtime::{OnError, OnShutdown, PeerIdentity, Role, Shell, TaskKind};
use renkei_wire::pb::peer::v1 as pb;
use renkei_wire::peer::{Lane, PeerFrames};
use renkei_wire::{ErrorCode, PeerService, Refusal};
use tonic::{Request, Response, Status, Streaming};

use super::assembly::{Assembly, Incoming};
use super::engine_lane;
use super::outbox::{Outbox, Outgoing};
use crate::routes::Routes;

/// Requests of one stream that may wait for their answers. Above what a peer's pipeline has in flight for 64 groups.
const CALLS_MAX: usize = 8_192;

/// Takes in what peers send.
#[derive(Clone, Debug)]
pub(crate) struct Peers {
    pub(crate) shell: Shell,
    pub(crate) cloud: CloudId,
    pub(crate) engine: Engine,
    pub(crate) routes: Routes,
}

type Frames = Pin<Box<dyn Stream<Item = Result<pb::PeerFrames, Status>> + Send>>;

#[tonic::async_trait]
impl PeerService for Peers {
    type ExchangeStream = Frames;

    async fn exchange(&self, request: Request<Streaming<pb::PeerFrames>>) -> Result<Response<Frames>, Status> {
        let peer = request.extensions().get::<PeerIdentity>().filter(|peer| peer.role == Role::Node);
        let node = peer.and_then(|peer| peer.name.parse::<NodeId>().ok());
        let node = node.ok_or(Refusal::new(ErrorCode::RoleNotAllowed))?;
        let outbox = Arc::new(Outbox::new(self.cloud));
        let (ended, end) = tokio::sync::oneshot::channel::<()>();
        let lane = Arc::new(OnceLock::new());
        let serve = Exchange { peers: self.clone(), node, outbox: Arc::clone(&outbox), lane: Arc::clone(&lane) };
        let kind = TaskKind { name: "peer stream", on_error: OnError::Log, on_shutdown: OnShutdown::CancelLast };
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
    #[error("node {0} sent frames that do not read")]
    Unreadable(NodeId),
    #[error("node {0} changed the lane of a stream")]
    OtherLane(NodeId),
    #[error("node {0} sent a frame of another cloud")]
    OtherCloud(NodeId),
    #[error("node {0} sent a frame in the name of a replica of another node")]
    ForeignReplica(NodeId),
    #[error("node {node} sent frames in disorder")]
    Disorder {
        node: NodeId,
        #[source]
        source: super::assembly::Disorder,
    },
    #[error("node {0} takes no answers")]
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
            if frame.cloud != self.peers.cloud {
                return Err(Closed::OtherCloud(self.node));
            }
            // Before the founding, and for replicas younger than our placement, the certificate is all there is.
            let host = self.peers.routes.node_of(frame.group, frame.from);
            if host.is_some_and(|host| host != self.node) {
                return Err(Closed::ForeignReplica(self.node));
            }
            let disorder = |source| Closed::Disorder { node: self.node, source };
            calls.extend(assembly.push(frame).map_err(disorder)?);
        }
        Ok(calls)
    }
}
