//! The metrics of a key holder. Labels name calls and outcomes, never a registrar's or a cloud's doings.

use prometheus::{HistogramOpts, HistogramVec, IntCounterVec, Opts, Registry};

/// Handles to the key holder's metrics. Clones share them.
#[derive(Clone, Debug)]
pub(crate) struct Metrics {
    /// `renkei_keyholder_call_seconds{call}`: from the decoded call to its answer.
    pub(crate) call_seconds: HistogramVec,
    /// `renkei_keyholder_items_total{outcome}`: points by what became of them; the outcome is `ok` or a code.
    pub(crate) items: IntCounterVec,
    /// `renkei_keyholder_refusals_total{call, code}`: calls of which nothing was served.
    pub(crate) refusals: IntCounterVec,
}

const SECONDS: [f64; 10] = [0.000_1, 0.000_2, 0.000_5, 0.001, 0.002, 0.005, 0.01, 0.05, 0.25, 1.0];

impl Metrics {
    /// Registers every metric; call it once for each registry.
    pub(crate) fn register(registry: &Registry) -> Result<Self, prometheus::Error> {
        let metrics = Self {
            call_seconds: HistogramVec::new(
                HistogramOpts::new("renkei_keyholder_call_seconds", "Time from the decoded call to its answer.")
                    .buckets(SECONDS.to_vec()),
                &["call"],
            )?,
            items: IntCounterVec::new(
                Opts::new("renkei_keyholder_items_total", "Points by what became of them."),
                &["outcome"],
            )?,
            refusals: IntCounterVec::new(
                Opts::new("renkei_keyholder_refusals_total", "Calls of which nothing was served, by code."),
                &["call", "code"],
            )?,
        };
        registry.register(Box::new(metrics.call_seconds.clone()))?;
        registry.register(Box::new(metrics.items.clone()))?;
        registry.register(Box::new(metrics.refusals.clone()))?;
        Ok(metrics)
    }
}
