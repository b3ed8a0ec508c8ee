use std::future::Future;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use futures::FutureExt;
use futures::future::{BoxFuture, ready};
use openraft::async_runtime::watch::WatchReceiver;
use renkei_faults::{Mutation, mutated};
use renkei_ids::ReplicaId;
use tokio::task::coop::unconstrained;
use tokio::time::{Instant, sleep};

use super::Replica;
use crate::message::{Reply, Request, SnapshotStep};
use crate::raft::SnapshotOf;
use crate::snapshot::{Received, SnapshotData};
use crate::transport::{Lane, ReceiveError};

/// How long an install waits for entries that are committed and not yet applied.
const SETTLE_LIMIT: Duration = Duration::from_secs(5);
const LOOK_AGAIN: Duration = Duration::from_millis(2);

impl Replica {
    /// Hands a message to Raft; the order of the calls is the order in which Raft sees the messages.
    pub(crate) fn handle(
        &self,
        from: ReplicaId,
        lane: Lane,
        body: Bytes,
    ) -> BoxFuture<'static, Result<Bytes, ReceiveError>> {
        let request = match Request::decode(body) {
            Ok(request) => request,
            Err(source) => return ready(Err(ReceiveError::Malformed { lane, source })).boxed(),
        };
        let replica = self.clone();
        registered(async move {
            let raft = &replica.0.raft;
            let stopped = |_| ReceiveError::Stopped;
            let reply = match request {
                Request::Append(request) => {
                    Reply::Append(raft.append_entries(request).await.map_err(|_| ReceiveError::Stopped)?)
                }
                Request::Vote(request) => Reply::Vote(raft.vote(request).await.map_err(stopped)?),
                Request::PreVote(request) => Reply::Vote(raft.pre_vote(request).await.map_err(stopped)?),
                Request::Transfer(request) => {
                    Reply::Transfer(raft.handle_transfer_leader(request).await.map_err(|_| ReceiveError::Stopped)?)
                }
                Request::Snapshot { transfer, step } => replica.receive_snapshot(from, transfer, step).await?,
            };
            Ok(reply.encode())
        })
    }

    async fn receive_snapshot(
        &self,
        from: ReplicaId,
        transfer: u64,
        step: SnapshotStep,
    ) -> Result<Reply, ReceiveError> {
        match self.0.receiver.step(from, transfer, step).await? {
            Received::Taken => Ok(Reply::Taken),
            Received::Whole { vote, meta, snapshot } => {
                if !mutated(Mutation::InstallUnsettled) {
                    self.settled().await;
                }
                let snapshot = SnapshotOf { meta, snapshot: SnapshotData::Received(snapshot) };
                let installed = self.0.raft.install_full_snapshot(vote, snapshot).await;
                Ok(Reply::Installed(installed.map_err(|_| ReceiveError::Stopped)?.vote))
            }
        }
    }

    /// Waits until what is committed here is applied: an install that overtakes a queued apply panics (openraft issue
    /// 2116). The leader sends no entries while it sends a snapshot, so little can come in between.
    async fn settled(&self) {
        let metrics = self.0.raft.metrics();
        let until = Instant::now() + SETTLE_LIMIT;
        while Instant::now() < until {
            {
                let metrics = metrics.borrow_watched();
                if metrics.last_applied >= metrics.local_committed {
                    return;
                }
            }
            sleep(LOOK_AGAIN).await;
        }
    }
}

/// Polls once, so that the message has its place in Raft's queue when this returns.
///
/// Outside the scheduler's budget: a spent budget would make the first poll come back without having queued anything.
fn registered<F>(future: F) -> BoxFuture<'static, F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send,
{
    let mut future = unconstrained(future).boxed();
    match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => ready(output).boxed(),
        Poll::Pending => future,
    }
}
