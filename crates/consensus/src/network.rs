//! openraft's network over a [`PeerTransport`]: one lane for entries, one for signs of life, one for snapshots.

use std::collections::VecDeque;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::future::BoxFuture;
use futures::stream::{BoxStream, FuturesOrdered};
use futures::{Stream, StreamExt, stream};
use openraft::errors::{NetworkError, RPCError, ReplicationClosed, StreamingError, Timeout, Unreachable};
use openraft::network::{Backoff, NetBackoff, NetSnapshot, NetStreamAppend, NetTransferLeader, NetVote, RPCOption};
use openraft::raft::{
    AppendEntriesRequest, SnapshotResponse, StreamAppendResult, TransferLeaderRequest, TransferLeaderResponse,
    VoteRequest, VoteResponse,
};
use openraft::{OptionalSend, RPCTypes, RaftNetworkFactory};
use renkei_ids::{GroupId, NodeId, ReplicaId};

use crate::blocking::Blocking;
use crate::message::{MessageError, Reply, Request};
use crate::raft::{LogId, SnapshotOf, TypeConfig, Vote};
use crate::snapshot::{SnapshotData, send_snapshot};
use crate::timing::Timing;
use crate::transport::{Address, Lane, PeerTransport, TransportError};

/// Appends sent and not yet answered, for one follower.
const MAX_IN_FLIGHT: usize = 32;

/// Bytes of appends sent and not yet answered, for one follower; one append is always let through.
const MAX_BYTES_IN_FLIGHT: usize = 8 << 20;

/// Makes the connections of one replica to its peers.
pub(crate) struct Network {
    pub(crate) transport: Arc<dyn PeerTransport>,
    pub(crate) group: GroupId,
    pub(crate) replica: ReplicaId,
    pub(crate) timing: Timing,
    pub(crate) blocking: Blocking,
}

impl Network {
    fn peer(&self, target: u64, node: NodeId, lane: Lane) -> Peer {
        let address = Address { group: self.group, from: self.replica, to: ReplicaId(target), to_node: node };
        Peer {
            transport: Arc::clone(&self.transport),
            address,
            lane,
            append_ttl: self.timing.append_ttl(),
            blocking: self.blocking.clone(),
        }
    }
}

impl RaftNetworkFactory<TypeConfig> for Network {
    type Network = Peer;

    async fn new_client(&mut self, target: u64, node: &NodeId) -> Peer {
        self.peer(target, *node, Lane::Append)
    }

    async fn new_heartbeat_client(&mut self, target: u64, node: &NodeId) -> Peer {
        self.peer(target, *node, Lane::Control)
    }

    async fn new_snapshot_client(&mut self, target: u64, node: &NodeId) -> Peer {
        self.peer(target, *node, Lane::Snapshot)
    }
}

/// One replica's way to one other.
#[derive(Clone)]
pub(crate) struct Peer {
    transport: Arc<dyn PeerTransport>,
    address: Address,
    lane: Lane,
    append_ttl: Duration,
    blocking: Blocking,
}

/// Why a request to a peer failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PeerError {
    #[error("send to the peer")]
    Transport(#[from] TransportError),
    #[error("read the peer's reply")]
    Reply(#[from] MessageError),
    #[error("the peer's reply belongs to another kind of request")]
    Mismatched,
}

impl Peer {
    pub(crate) fn blocking(&self) -> &Blocking {
        &self.blocking
    }

    /// Enqueues at once; the future only waits.
    pub(crate) fn call(
        &self,
        lane: Lane,
        body: Bytes,
        ttl: Duration,
    ) -> impl Future<Output = Result<Reply, PeerError>> + Send + 'static {
        let answer = self.transport.request(self.address, lane, body, ttl);
        async move { Ok(Reply::decode(answer.await?)?) }
    }

    fn rpc_error(&self, action: RPCTypes, timeout: Duration, error: &PeerError) -> RPCError<TypeConfig> {
        match error {
            PeerError::Transport(TransportError::TimedOut) => {
                RPCError::Timeout(Timeout { action, id: self.address.from.0, target: self.address.to.0, timeout })
            }
            // Both make openraft back off; a refusal does not go away within microseconds.
            PeerError::Transport(TransportError::Unreachable | TransportError::Refused(_)) => {
                RPCError::Unreachable(Unreachable::new(error))
            }
            PeerError::Reply(_) | PeerError::Mismatched => RPCError::Network(NetworkError::new(error)),
        }
    }

    async fn ask_vote(
        &self,
        request: Request,
        option: &RPCOption,
    ) -> Result<VoteResponse<TypeConfig>, RPCError<TypeConfig>> {
        let ttl = option.soft_ttl();
        let failed = |error| self.rpc_error(RPCTypes::Vote, ttl, &error);
        match self.call(Lane::Control, request.encode(), ttl).await.map_err(failed)? {
            Reply::Vote(response) => Ok(response),
            _ => Err(failed(PeerError::Mismatched)),
        }
    }

    fn append(&self, request: AppendEntriesRequest<TypeConfig>, ttl: Duration) -> (usize, Answered) {
        let previous = request.prev_log_id;
        let last = request.entries.last().map(|entry| entry.log_id).or(previous);
        let body = Request::Append(request).encode();
        let size = body.len();
        let reply = self.call(self.lane, body, ttl);
        let peer = self.clone();
        let answered = async move {
            let failed = |error| peer.rpc_error(RPCTypes::AppendEntries, ttl, &error);
            match reply.await.map_err(failed)? {
                Reply::Append(response) => stream_result(response, previous, last).map_err(failed),
                _ => Err(failed(PeerError::Mismatched)),
            }
        };
        (size, Box::pin(answered))
    }
}

type AppendOutcome = Result<StreamAppendResult<TypeConfig>, RPCError<TypeConfig>>;
type Answered = BoxFuture<'static, AppendOutcome>;

fn stream_result(
    response: openraft::raft::AppendEntriesResponse<TypeConfig>,
    previous: Option<LogId>,
    last: Option<LogId>,
) -> Result<StreamAppendResult<TypeConfig>, PeerError> {
    // An append without a previous entry cannot conflict; openraft would panic on such a reply.
    if response.is_conflict() && previous.is_none() {
        return Err(PeerError::Mismatched);
    }
    Ok(response.into_stream_result(previous, last))
}

/// Keeps several appends under way; the answers come back in the order of the requests.
struct Pipeline<S> {
    input: Option<S>,
    peer: Peer,
    ttl: Duration,
    answers: FuturesOrdered<Answered>,
    sizes: VecDeque<usize>,
    bytes: usize,
    ended: bool,
}

impl<S> Pipeline<S>
where
    S: Stream<Item = AppendEntriesRequest<TypeConfig>> + Send + Unpin + 'static,
{
    async fn next(&mut self) -> Option<AppendOutcome> {
        while !self.ended {
            let room = self.answers.len() < MAX_IN_FLIGHT && self.bytes < MAX_BYTES_IN_FLIGHT;
            match (&mut self.input, self.answers.is_empty()) {
                (Some(input), true) => {
                    let request = input.next().await;
                    self.send(request);
                }
                (Some(input), false) if room => tokio::select! {
                    biased;
                    Some(outcome) = self.answers.next() => return Some(self.answered(outcome)),
                    request = input.next() => self.send(request),
                },
                (_, false) => {
                    let outcome = self.answers.next().await?;
                    return Some(self.answered(outcome));
                }
                (None, true) => self.ended = true,
            }
        }
        None
    }

    fn send(&mut self, request: Option<AppendEntriesRequest<TypeConfig>>) {
        let Some(request) = request else {
            self.input = None;
            return;
        };
        let (size, answer) = self.peer.append(request, self.ttl);
        self.bytes += size;
        self.sizes.push_back(size);
        self.answers.push_back(answer);
    }

    fn answered(&mut self, outcome: AppendOutcome) -> AppendOutcome {
        self.bytes -= self.sizes.pop_front().expect("one size was pushed with each answer");
        // What was sent behind a failed append fails too: openraft starts a new stream where the follower stands.
        self.ended = !matches!(outcome, Ok(Ok(_)));
        outcome
    }
}

impl NetStreamAppend<TypeConfig> for Peer {
    fn stream_append<'s, S>(
        &'s mut self,
        input: S,
        option: RPCOption,
    ) -> BoxFuture<'s, Result<BoxStream<'s, AppendOutcome>, RPCError<TypeConfig>>>
    where
        S: Stream<Item = AppendEntriesRequest<TypeConfig>> + OptionalSend + Unpin + 'static,
    {
        let ttl = if self.lane == Lane::Append { self.append_ttl } else { option.soft_ttl() };
        let pipeline = Pipeline {
            input: Some(input),
            peer: self.clone(),
            ttl,
            answers: FuturesOrdered::new(),
            sizes: VecDeque::new(),
            bytes: 0,
            ended: false,
        };
        let outcomes = stream::unfold(pipeline, async |mut pipeline| {
            let outcome = pipeline.next().await?;
            Some((outcome, pipeline))
        });
        Box::pin(async move { Ok(outcomes.boxed()) })
    }
}

impl NetVote<TypeConfig> for Peer {
    async fn vote(
        &mut self,
        request: VoteRequest<TypeConfig>,
        option: RPCOption,
    ) -> Result<VoteResponse<TypeConfig>, RPCError<TypeConfig>> {
        self.ask_vote(Request::Vote(request), &option).await
    }

    async fn pre_vote(
        &mut self,
        request: VoteRequest<TypeConfig>,
        option: RPCOption,
    ) -> Result<VoteResponse<TypeConfig>, RPCError<TypeConfig>> {
        self.ask_vote(Request::PreVote(request), &option).await
    }
}

impl NetTransferLeader<TypeConfig> for Peer {
    async fn transfer_leader(
        &mut self,
        request: TransferLeaderRequest<TypeConfig>,
        option: RPCOption,
    ) -> Result<TransferLeaderResponse<TypeConfig>, RPCError<TypeConfig>> {
        let ttl = option.soft_ttl();
        let failed = |error| self.rpc_error(RPCTypes::TransferLeader, ttl, &error);
        match self.call(Lane::Control, Request::Transfer(request).encode(), ttl).await.map_err(failed)? {
            Reply::Transfer(response) => Ok(response),
            _ => Err(failed(PeerError::Mismatched)),
        }
    }
}

impl NetSnapshot<TypeConfig> for Peer {
    type SnapshotData = SnapshotData;

    async fn full_snapshot(
        &mut self,
        vote: Vote,
        snapshot: SnapshotOf<SnapshotData>,
        cancel: impl Future<Output = ReplicationClosed> + OptionalSend + 'static,
        _: RPCOption,
    ) -> Result<SnapshotResponse<TypeConfig>, StreamingError<TypeConfig>> {
        let sent = async {
            send_snapshot(self, vote, snapshot).await.map_err(|error| {
                // openraft retries without a word.
                tracing::warn!(to = %self.address.to, group = %self.address.group, error = %error, "snapshot not sent");
                // Whatever failed, the next attempt starts over; it must not start at once.
                StreamingError::Unreachable(Unreachable::new(&error))
            })
        };
        tokio::select! {
            vote = sent => Ok(SnapshotResponse::new(vote?)),
            closed = cancel => Err(closed.into()),
        }
    }
}

impl NetBackoff<TypeConfig> for Peer {
    fn backoff(&self) -> Option<Backoff> {
        // A peer that starts again is to be found soon; at most five tries a second cost nothing.
        None
    }
}

#[cfg(test)]
mod tests;
