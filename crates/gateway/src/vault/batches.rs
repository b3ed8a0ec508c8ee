//! Items of many callers gathered into calls.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use renkei_runtime::{OnError, OnShutdown, Shell, TaskKind};
use renkei_wire::limits::VAULT_MAX_ITEMS;
use renkei_wire::{ErrorCode, Refusal};
use tokio::sync::{mpsc, oneshot};

use crate::deadline::Deadline;

/// Callers that may wait for a place in a call.
const QUEUE: usize = 4 * VAULT_MAX_ITEMS;
/// Calls under way; while one syncs the next one is gathered.
const CALLS: usize = 8;

/// A queue of items. Clones share it.
pub(super) struct Batches<T, R> {
    queue: mpsc::Sender<Asked<T, R>>,
}

struct Asked<T, R> {
    item: T,
    deadline: Deadline,
    answer: oneshot::Sender<Result<R, Refusal>>,
}

/// One result for each item, or a refusal of them all.
pub(super) type Outcome<R> = Result<Vec<Result<R, Refusal>>, Refusal>;

impl<T, R> Clone for Batches<T, R> {
    fn clone(&self) -> Self {
        Self { queue: self.queue.clone() }
    }
}

impl<T, R> std::fmt::Debug for Batches<T, R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Batches(..)")
    }
}

impl<T: Send + 'static, R: Send + 'static> Batches<T, R> {
    /// Starts gathering. A call gets up to 64 items and the latest of their deadlines.
    pub(super) fn start<C, F>(shell: &Shell, name: &'static str, linger: Duration, call: C) -> Self
    where
        C: Fn(Vec<T>, Deadline) -> F + Send + Sync + 'static,
        F: Future<Output = Outcome<R>> + Send + 'static,
    {
        let (queue, items) = mpsc::channel(QUEUE);
        let call = Arc::new(move |items, deadline| Box::pin(call(items, deadline)) as BoxFuture<'static, _>);
        let kind = TaskKind { name, on_error: OnError::StopProcess, on_shutdown: OnShutdown::CancelLast };
        shell.tasks().spawn(kind, gather(items, linger, call));
        Self { queue }
    }

    /// Has an item served in the next call.
    pub(super) async fn ask(&self, item: T, deadline: Deadline) -> Result<R, Refusal> {
        let stopping = || Refusal::new(ErrorCode::ShuttingDown);
        deadline
            .bound(ErrorCode::DeadlineExceeded, async {
                let (answer, answered) = oneshot::channel();
                self.queue.send(Asked { item, deadline, answer }).await.map_err(|_| stopping())?;
                answered.await.unwrap_or_else(|_| Err(stopping()))
            })
            .await
    }
}

type Call<T, R> = Arc<dyn Fn(Vec<T>, Deadline) -> BoxFuture<'static, Outcome<R>> + Send + Sync>;

async fn gather<T, R>(
    mut items: mpsc::Receiver<Asked<T, R>>,
    linger: Duration,
    call: Call<T, R>,
) -> Result<(), Infallible>
where
    T: Send + 'static,
    R: Send + 'static,
{
    let mut calls = FuturesUnordered::new();
    loop {
        tokio::select! {
            Some(()) = calls.next(), if !calls.is_empty() => {}
            first = items.recv(), if calls.len() < CALLS => {
                let Some(first) = first else { break };
                let mut batch = vec![first];
                // Those that are here already come along; then the first one waits a moment for the others.
                let end = tokio::time::Instant::now() + linger;
                while batch.len() < VAULT_MAX_ITEMS
                    && let Ok(Some(next)) = tokio::time::timeout_at(end, items.recv()).await
                {
                    batch.push(next);
                }
                calls.push(serve(batch, Arc::clone(&call)));
            }
        }
    }
    while calls.next().await.is_some() {}
    Ok(())
}

async fn serve<T, R>(batch: Vec<Asked<T, R>>, call: Call<T, R>) {
    // Nobody waits for what was given up in the queue, and it must not be charged to a budget.
    let batch: Vec<_> = batch.into_iter().filter(|asked| !asked.answer.is_closed()).collect();
    let Some(deadline) = batch.iter().map(|asked| asked.deadline).reduce(Deadline::max) else { return };
    let (items, answers): (Vec<_>, Vec<_>) = batch.into_iter().map(|asked| (asked.item, asked.answer)).unzip();
    match call(items, deadline).await {
        Ok(results) => {
            for (answer, result) in answers.into_iter().zip(results) {
                let _given_up = answer.send(result);
            }
        }
        Err(refusal) => {
            for answer in answers {
                let _given_up = answer.send(Err(refusal.clone()));
            }
        }
    }
}
