//! Calls to the vault, sent again as it advises, to the replica that leads. A retry bears the same request id.

use std::time::Duration;

use renkei_wire::pb::vault::v1 as pb;
use renkei_wire::vault::{
    Batch, DeleteGrant, DeleteItem, InsecureOpening, Opened, PutGrant, PutItem, Results, TicketOpening,
};
use renkei_wire::{ErrorCode, Refusal, Retry};
use tonic::{Response, Status};

use super::batches::Outcome;
use super::replicas::{Client, Replicas};
use crate::deadline::Deadline;
use crate::random::request_id;

const WAIT_MAX: Duration = Duration::from_secs(1);
/// A replica that says nothing for so long is one that hangs: where there are others, they are asked.
const SILENCE_MAX: Duration = Duration::from_secs(4);

/// Asks until there is an answer, a refusal for good, or the deadline has passed.
pub(super) async fn persist<R, F>(
    replicas: &Replicas,
    deadline: Deadline,
    mut ask: impl FnMut(Client, Duration) -> F,
) -> Result<R, Refusal>
where
    F: Future<Output = Result<Response<R>, Status>>,
{
    let mut last = Duration::ZERO;
    loop {
        let left = deadline.left()?;
        let patience = if replicas.several() { left.min(SILENCE_MAX) } else { left };
        let (place, client) = replicas.current();
        let refusal = match tokio::time::timeout(patience, ask(client, patience)).await {
            Ok(Ok(reply)) => return Ok(reply.into_inner()),
            // Without a refusal in it the status is the transport's: the vault is away, or was lost on the way.
            Ok(Err(status)) => Refusal::from_status(&status).unwrap_or(Refusal::new(ErrorCode::Unavailable)),
            Err(_late) if patience < left => Refusal::new(ErrorCode::OutcomeUnknown),
            Err(_late) => return Err(Refusal::new(ErrorCode::DeadlineExceeded)),
        };
        replicas.refused(place, &refusal);
        let told = match refusal.code.retry() {
            Retry::No | Retry::NewRequest => return Err(refusal),
            Retry::After(wait) | Retry::AfterRefresh(wait) => refusal.retry_after.unwrap_or(wait),
        };
        let wait = told.max((2 * last).min(WAIT_MAX));
        last = wait;
        deadline.wait(wait, outside(refusal)).await?;
    }
}

/// As an institution is told: which vault leads is nothing to it.
fn outside(refusal: Refusal) -> Refusal {
    match refusal.code {
        ErrorCode::NotLeader | ErrorCode::NotBootstrapped | ErrorCode::ClockOff => Refusal::new(ErrorCode::Unavailable),
        _ => refusal,
    }
}

fn batch<T>(items: Vec<T>, deadline: Deadline) -> Result<Batch<T>, Refusal> {
    Ok(Batch { request: request_id(), deadline: deadline.left()?, items })
}

/// A vault that answers another number of items than it was asked is not believed in any.
fn matching<R, E>(results: Result<Results<R>, E>, asked: usize) -> Outcome<R> {
    match results {
        Ok(Results(results)) if results.len() == asked => Ok(results),
        _ => Err(Refusal::new(ErrorCode::Unavailable)),
    }
}

pub(super) async fn open(replicas: Replicas, items: Vec<InsecureOpening>, deadline: Deadline) -> Outcome<Opened> {
    let batch = batch(items, deadline)?;
    let reply = persist(&replicas, deadline, |mut client, left| {
        let batch = Batch { deadline: left, ..batch.clone() };
        async move { client.open_insecure(pb::OpenInsecureRequest::from(batch)).await }
    });
    matching(reply.await?.try_into(), batch.items.len())
}

pub(super) async fn open_tickets(replicas: Replicas, items: Vec<TicketOpening>, deadline: Deadline) -> Outcome<Opened> {
    let batch = batch(items, deadline)?;
    let reply = persist(&replicas, deadline, |mut client, left| {
        let batch = Batch { deadline: left, ..batch.clone() };
        async move { client.open_tickets(pb::OpenTicketsRequest::from(batch)).await }
    });
    matching(reply.await?.try_into(), batch.items.len())
}

pub(super) async fn puts(replicas: Replicas, items: Vec<PutItem>, deadline: Deadline) -> Outcome<PutGrant> {
    let batch = batch(items, deadline)?;
    let reply = persist(&replicas, deadline, |mut client, left| {
        let batch = Batch { deadline: left, ..batch.clone() };
        async move { client.puts(pb::PutsRequest::from(batch)).await }
    });
    matching(reply.await?.try_into(), batch.items.len())
}

pub(super) async fn deletes(replicas: Replicas, items: Vec<DeleteItem>, deadline: Deadline) -> Outcome<DeleteGrant> {
    let batch = batch(items, deadline)?;
    let reply = persist(&replicas, deadline, |mut client, left| {
        let batch = Batch { deadline: left, ..batch.clone() };
        async move { client.deletes(pb::DeletesRequest::from(batch)).await }
    });
    matching(reply.await?.try_into(), batch.items.len())
}
