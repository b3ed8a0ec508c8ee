//! Mixes the points of check-ins that come within a few milliseconds, and carries them through the key holders.

use std::convert::Infallible;
use std::future::pending;
use std::time::Duration;

use futures::StreamExt as _;
use futures::stream::FuturesUnordered;
use renkei_ids::Random;
use renkei_runtime::SystemRandom;
use renkei_wire::keyholder::{MintItem, Minted};
use renkei_wire::{ErrorCode, Refusal};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep_until};

use super::mixing::{batches, shuffle};
use super::{Holders, Translated, Wanted};
use crate::metrics::Metrics;

/// Points that wait or are under way: a second of a nation's busiest minute.
const UNDER_WAY_MAX: usize = 8_192;

type Outcome = Result<Translated, Refusal>;

/// A point, and who waits for it.
#[derive(Debug)]
struct Waiting {
    wanted: Wanted,
    answer: oneshot::Sender<Outcome>,
}

/// Where points are given in. Clones share the queue.
#[derive(Clone, Debug)]
pub(crate) struct Mint(mpsc::Sender<Waiting>);

/// Carries them out.
#[derive(Debug)]
pub(crate) struct Mixer {
    queue: mpsc::Receiver<Waiting>,
    window: Duration,
    holders: Holders,
    metrics: Metrics,
}

impl Mint {
    /// Has points translated by every key holder; one outcome for each, in their order.
    pub(crate) async fn translate(&self, wanted: Vec<Wanted>) -> Vec<Outcome> {
        let busy = || Refusal::new(ErrorCode::Busy);
        let waiting: Vec<_> = wanted
            .into_iter()
            .map(|wanted| {
                let (answer, outcome) = oneshot::channel();
                self.0.try_send(Waiting { wanted, answer }).map(|()| outcome).map_err(|_| busy())
            })
            .collect();
        let mut outcomes = Vec::with_capacity(waiting.len());
        for outcome in waiting {
            outcomes.push(match outcome {
                // It goes without an answer while the process stops.
                Ok(outcome) => outcome.await.unwrap_or(Err(Refusal::new(ErrorCode::ShuttingDown))),
                Err(refusal) => Err(refusal),
            });
        }
        outcomes
    }
}

impl Mixer {
    pub(crate) fn new(window: Duration, holders: Holders, metrics: Metrics) -> (Mint, Self) {
        let (sender, queue) = mpsc::channel(UNDER_WAY_MAX);
        (Mint(sender), Self { queue, window, holders, metrics })
    }

    /// Ends when nobody can ask any more.
    pub(crate) async fn run(mut self) -> Result<(), Infallible> {
        let mut waiting: Vec<Waiting> = Vec::new();
        let mut flush: Option<Instant> = None;
        let mut under_way = FuturesUnordered::new();
        loop {
            let window_ends = async {
                match flush {
                    Some(at) => sleep_until(at).await,
                    None => pending().await,
                }
            };
            tokio::select! {
                next = self.queue.recv() => match next {
                    Some(next) => {
                        flush.get_or_insert_with(|| Instant::now() + self.window);
                        waiting.push(next);
                    }
                    None => return Ok(()),
                },
                () = window_ends => {
                    flush = None;
                    for batch in batches(std::mem::take(&mut waiting), |it| it.wanted.day, &SystemRandom) {
                        self.metrics.mint_points.observe(count(batch.len()));
                        under_way.push(carry(self.holders.clone(), batch));
                    }
                }
                Some(()) = under_way.next(), if !under_way.is_empty() => {}
            }
        }
    }
}

fn count(points: usize) -> f64 {
    f64::from(u32::try_from(points).unwrap_or(u32::MAX))
}

/// One point on its way.
struct Carried {
    wanted: Wanted,
    shares: Vec<(renkei_ids::KeyholderId, renkei_envelope::SealedShareForm)>,
    answer: oneshot::Sender<Outcome>,
    masked: Option<renkei_pseudonym::MaskedPoint>,
}

/// Carries a batch through every key holder, in an order of its own for each.
async fn carry(holders: Holders, batch: Vec<Waiting>) {
    let carried = |Waiting { wanted, answer }| Carried { wanted, shares: Vec::new(), answer, masked: None };
    let mut batch: Vec<Carried> = batch.into_iter().map(carried).collect();
    for holder in &holders {
        shuffle(&mut batch, &SystemRandom as &dyn Random);
        let Some(day) = batch.first().map(|first| first.wanted.day) else { return };
        let item = |it: &Carried| MintItem {
            cloud: it.wanted.cloud,
            epoch: it.wanted.epoch,
            point: it.wanted.point.clone(),
            digest: it.wanted.digest,
        };
        let results = holder.mint(day, batch.iter().map(item).collect()).await;
        let mut going_on = Vec::with_capacity(batch.len());
        for (mut it, result) in batch.into_iter().zip(results) {
            match result {
                Ok(Minted { point, share }) if point.onward() != it.wanted.point => {
                    it.shares.push((holder.number, share));
                    it.wanted.point = point.onward();
                    it.masked = Some(point);
                    going_on.push(it);
                }
                // Whoever has gone away meanwhile is not told.
                Ok(_) => {
                    tracing::error!(holder = %holder.number, "a key holder gives back what it was sent");
                    let _gone = it.answer.send(Err(Refusal::new(ErrorCode::KeyholderUnavailable)));
                }
                Err(refusal) => {
                    let _gone = it.answer.send(Err(refusal));
                }
            }
        }
        batch = going_on;
    }
    for Carried { wanted: _, shares, answer, masked } in batch {
        let outcome = masked.map(|point| Translated { point, shares });
        let _gone = answer.send(outcome.ok_or(Refusal::new(ErrorCode::KeyholderUnavailable)));
    }
}
