//! The metrics of a registrar. Labels name calls and outcomes, never anything of a patient or an institution.

use prometheus::{Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, Opts, Registry};

/// Handles to the registrar's metrics. Clones share them.
#[derive(Clone, Debug)]
pub(crate) struct Metrics {
    /// `renkei_registrar_call_seconds{call}`: from the decoded call to its answer.
    pub(crate) call_seconds: HistogramVec,
    /// `renkei_registrar_items_total{call, outcome}`: items by what became of them; the outcome is `ok` or a code.
    pub(crate) items: IntCounterVec,
    /// `renkei_registrar_refusals_total{call, code}`: calls of which nothing was served.
    pub(crate) refusals: IntCounterVec,
    /// `renkei_registrar_mint_points`: points of one call to key holders: how much is mixed.
    pub(crate) mint_points: Histogram,
    /// `renkei_registrar_digest_mismatches_total`: replicas whose state differed from their leader's. Any is an incident.
    pub(crate) digest_mismatches: IntCounter,
    /// `renkei_registrar_admitted_bytes`: bytes of calls under way.
    pub(crate) admitted_bytes: IntGauge,
    /// `renkei_registrar_clock_off`: 1 while the clock is too far from its peers' median, else 0.
    pub(crate) clock_off: IntGauge,
    /// `renkei_registrar_clock_median_millis`: how far that median is ahead, in milliseconds.
    pub(crate) clock_median_millis: IntGauge,
    /// `renkei_registrar_leads`: 1 on the registrar that leads, else 0.
    pub(crate) leads: IntGauge,
}

const SECONDS: [f64; 12] = [0.000_5, 0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.128, 0.25, 0.5, 1.0];
const POINTS: [f64; 7] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0];

impl Metrics {
    /// Registers every metric; call it once for each registry.
    pub(crate) fn register(registry: &Registry) -> Result<Self, prometheus::Error> {
        let metrics = Self {
            call_seconds: HistogramVec::new(
                HistogramOpts::new("renkei_registrar_call_seconds", "Time from the decoded call to its answer.")
                    .buckets(SECONDS.to_vec()),
                &["call"],
            )?,
            items: IntCounterVec::new(
                Opts::new("renkei_registrar_items_total", "Items by call and by what became of them."),
                &["call", "outcome"],
            )?,
            refusals: IntCounterVec::new(
                Opts::new("renkei_registrar_refusals_total", "Calls of which nothing was served, by code."),
                &["call", "code"],
            )?,
            mint_points: Histogram::with_opts(
                HistogramOpts::new("renkei_registrar_mint_points", "Points of one call to key holders.")
                    .buckets(POINTS.to_vec()),
            )?,
            digest_mismatches: IntCounter::new(
                "renkei_registrar_digest_mismatches_total",
                "Replicas whose state differed from their leader's.",
            )?,
            admitted_bytes: IntGauge::new("renkei_registrar_admitted_bytes", "Bytes of calls under way.")?,
            clock_off: IntGauge::new(
                "renkei_registrar_clock_off",
                "1 while the clock is too far from its peers' median, else 0.",
            )?,
            clock_median_millis: IntGauge::new(
                "renkei_registrar_clock_median_millis",
                "How far the median of all clocks is ahead, in milliseconds.",
            )?,
            leads: IntGauge::new("renkei_registrar_leads", "1 on the registrar that leads, else 0.")?,
        };
        registry.register(Box::new(metrics.call_seconds.clone()))?;
        registry.register(Box::new(metrics.items.clone()))?;
        registry.register(Box::new(metrics.refusals.clone()))?;
        registry.register(Box::new(metrics.mint_points.clone()))?;
        registry.register(Box::new(metrics.digest_mismatches.clone()))?;
        registry.register(Box::new(metrics.admitted_bytes.clone()))?;
        registry.register(Box::new(metrics.clock_off.clone()))?;
        registry.register(Box::new(metrics.clock_median_millis.clone()))?;
        registry.register(Box::new(metrics.leads.clone()))?;
        Ok(metrics)
    }
}
