//! The closed loop: N clients, each of which sends its next request when its last one is answered.
//!
//! A closed loop waits when the server stalls, so its latencies are service times under N in flight, not what an
//! arriving patient would see. The table says so.

use std::cell::{Cell, RefCell};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use futures::stream::{FuturesUnordered, TryStreamExt as _};
use hdrhistogram::Histogram;
use rand::rngs::SmallRng;
use serde::Serialize;

use crate::failure::{Failure, Violation};
use crate::hardware;
use crate::payload::Seed;

/// Longest latency that is told apart, in microseconds.
const LATENCY_MAX_US: u64 = 120_000_000;
/// Samples below which no median is given.
const MEDIAN_MIN_SAMPLES: u64 = 20;
/// Samples below which no p99 is given: ten must lie behind it.
const P99_MIN_SAMPLES: u64 = 1000;
/// What a client waits after a failed request, so that a dead server is not asked in a tight loop.
const PAUSE_AFTER_ERROR: Duration = Duration::from_millis(5);

/// A system under one kind of request.
pub(crate) trait Workload {
    /// Name in failures.
    const SYSTEM: &'static str;

    /// One request, its retries, and the check of its answer.
    async fn once(&self, client: usize, random: &mut SmallRng) -> Result<(), OperationError>;

    /// CPU time of every server process so far.
    fn cpu(&self) -> anyhow::Result<Duration>;

    /// The measured window begins.
    fn begin(&self) {}
}

/// Why one request failed for good.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OperationError {
    #[error("refused with {0}")]
    Refused(renkei_wire::ErrorCode),
    #[error("calling a peer")]
    Status(#[from] Box<tonic::Status>),
    #[error("no answer within {0:?}, retries included")]
    TimedOut(Duration),
    #[error("checking an answer")]
    Violation(#[from] Violation),
}

/// How long one row takes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Window {
    /// Not measured.
    pub(crate) warm_up: Duration,
    pub(crate) measured: Duration,
}

/// What was counted in one window. A request counts where it ends.
#[derive(Clone, Debug)]
pub(crate) struct Tally {
    pub(crate) elapsed: Duration,
    pub(crate) completed: u64,
    pub(crate) failed: u64,
    pub(crate) first_failure: Option<String>,
    /// Of all server processes.
    pub(crate) cpu: Duration,
    /// Of this process.
    pub(crate) own_cpu: Duration,
    /// Of every process that is neither: what disturbed the window.
    pub(crate) other_cpu: Duration,
    pub(crate) latencies: Latencies,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    WarmUp,
    Measured,
    Over,
}

struct Loop<'a, W> {
    workload: &'a W,
    phase: Cell<Phase>,
    counted: RefCell<Counted>,
}

#[derive(Default)]
struct Counted {
    failed: u64,
    first_failure: Option<String>,
    latencies: Latencies,
}

/// CPU time so far.
#[derive(Clone, Copy)]
struct Used {
    servers: Duration,
    own: Duration,
    all: Duration,
}

/// Runs one row. `row` tells the random numbers of one row from those of another.
pub(crate) async fn closed_loop<W: Workload>(
    workload: &W,
    clients: u32,
    window: Window,
    seed: Seed,
    row: u64,
) -> Result<Tally, Failure> {
    let state = Loop { workload, phase: Cell::new(Phase::WarmUp), counted: RefCell::default() };
    let clients: FuturesUnordered<_> =
        (0..clients).map(|client| state.client(client as usize, seed.client(row, client.into()))).collect();
    let ((), (elapsed, used)) = tokio::try_join!(clients.try_collect(), state.clock(window))?;
    let Counted { failed, first_failure, latencies } = state.counted.into_inner();
    Ok(Tally {
        elapsed,
        completed: latencies.count(),
        failed,
        first_failure,
        cpu: used.servers,
        own_cpu: used.own,
        other_cpu: used.all.saturating_sub(used.servers + used.own),
        latencies,
    })
}

impl<W: Workload> Loop<'_, W> {
    async fn client(&self, client: usize, mut random: SmallRng) -> Result<(), Failure> {
        while self.phase.get() != Phase::Over {
            let began = Instant::now();
            let outcome = self.workload.once(client, &mut random).await;
            let measured = self.phase.get() == Phase::Measured;
            match outcome {
                Ok(()) if measured => self.counted.borrow_mut().latencies.record(began.elapsed()),
                Ok(()) => {}
                Err(OperationError::Violation(source)) => {
                    return Err(Failure::Integrity { system: W::SYSTEM, source });
                }
                Err(error) => {
                    if measured {
                        self.counted.borrow_mut().fail(error);
                    }
                    tokio::time::sleep(PAUSE_AFTER_ERROR).await;
                }
            }
        }
        Ok(())
    }

    async fn clock(&self, window: Window) -> Result<(Duration, Used), Failure> {
        tokio::time::sleep(window.warm_up).await;
        let before = self.used()?;
        let began = Instant::now();
        self.workload.begin();
        self.phase.set(Phase::Measured);
        tokio::time::sleep(window.measured).await;
        self.phase.set(Phase::Over);
        let elapsed = began.elapsed();
        Ok((elapsed, self.used()?.since(before)))
    }

    fn used(&self) -> Result<Used, Failure> {
        let servers = self.workload.cpu().map_err(Failure::unreachable)?;
        let own = renkei_launch::Usage::of(rustix::process::getpid())
            .context("reading what this process has used")
            .map_err(Failure::not_valid)?;
        let all = hardware::cpu_of_all().map_err(Failure::not_valid)?;
        Ok(Used { servers, own: own.cpu(), all })
    }
}

impl Used {
    fn since(self, earlier: Self) -> Self {
        Self {
            servers: self.servers.saturating_sub(earlier.servers),
            own: self.own.saturating_sub(earlier.own),
            all: self.all.saturating_sub(earlier.all),
        }
    }
}

impl Counted {
    fn fail(&mut self, error: OperationError) {
        self.failed += 1;
        self.first_failure.get_or_insert_with(|| format!("{:#}", anyhow::Error::from(error)));
    }
}

/// Latencies of one kind of request, in microseconds with three digits.
#[derive(Clone, Debug)]
pub(crate) struct Latencies(Histogram<u64>);

/// What of the latencies is printed; `None` where there are too few samples to carry it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct Quantiles {
    pub(crate) p50_us: Option<u64>,
    pub(crate) p99_us: Option<u64>,
}

impl Default for Latencies {
    fn default() -> Self {
        Self(Histogram::new_with_bounds(1, LATENCY_MAX_US, 3).expect("1 to 120 s in three digits is a histogram"))
    }
}

impl Latencies {
    pub(crate) fn record(&mut self, latency: Duration) {
        self.0.saturating_record(u64::try_from(latency.as_micros()).unwrap_or(u64::MAX));
    }

    /// Puts another window's samples to these: quantiles are never averaged.
    pub(crate) fn merge(&mut self, other: &Self) {
        self.0.add(&other.0).expect("both have the same bounds");
    }

    pub(crate) fn count(&self) -> u64 {
        self.0.len()
    }

    pub(crate) fn quantiles(&self) -> Quantiles {
        let at = |quantile, least| (self.count() >= least).then(|| self.0.value_at_quantile(quantile));
        Quantiles { p50_us: at(0.5, MEDIAN_MIN_SAMPLES), p99_us: at(0.99, P99_MIN_SAMPLES) }
    }
}

#[cfg(test)]
mod tests;
