//! The metrics of a node. Labels name operations, groups and codes, never anything of a patient.

use prometheus::core::Collector;
use prometheus::{Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, Opts, Registry};

/// Handles to the node's metrics. Clones share them.
#[derive(Clone, Debug)]
pub(crate) struct Metrics {
    /// `renkei_node_request_seconds{operation}`: from the decoded request to its answer.
    pub(crate) request_seconds: HistogramVec,
    /// `renkei_node_refusals_total{code}`: requests that were refused.
    pub(crate) refusals: IntCounterVec,
    /// `renkei_node_capability_hits_total`: capabilities whose signature had been checked before.
    pub(crate) capability_hits: IntCounter,
    /// `renkei_node_capability_misses_total`: signatures checked.
    pub(crate) capability_misses: IntCounter,
    /// `renkei_node_reads_from_disk_total`: reads that memory could not answer.
    pub(crate) disk_reads: IntCounter,
    /// `renkei_node_entry_items`: items in a proposed log entry.
    pub(crate) entry_items: Histogram,
    /// `renkei_node_admitted_bytes`: bytes of requests under way.
    pub(crate) admitted_bytes: IntGauge,
    /// `renkei_node_digest_mismatches_total`: replicas whose state differed from their leader's. Any is an incident.
    pub(crate) digest_mismatches: IntCounter,
    /// `renkei_node_groups_led`: groups that this node leads.
    pub(crate) groups_led: IntGauge,
    /// `renkei_node_clock_off`: 1 while the clock is too far from its peers' median, else 0.
    pub(crate) clock_off: IntGauge,
    /// `renkei_node_clock_median_millis`: how far that median is ahead, in milliseconds.
    pub(crate) clock_median_millis: IntGauge,
    /// `renkei_node_log_sync_p99_micros`: 99th percentile of synced log writes, in microseconds.
    pub(crate) log_sync_p99_micros: IntGauge,
    /// `renkei_node_log_syncs`: synced log writes since the start.
    pub(crate) log_syncs: IntGauge,
    /// `renkei_node_slot_freeze_seconds`: how long slots on their way to another group were served by none.
    pub(crate) slot_freeze_seconds: Histogram,
    /// `renkei_node_slot_rows_moved_total`: rows copied to another group, repeated ones included.
    pub(crate) slot_rows_moved: IntCounter,
    /// `renkei_node_slot_bytes_moved_total`: bytes of their keys and values.
    pub(crate) slot_bytes_moved: IntCounter,
}

const SECONDS: [f64; 14] =
    [0.000_25, 0.000_5, 0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.128, 0.25, 0.5, 1.0, 5.0];
const FREEZES: [f64; 9] = [0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 1.0, 2.0];
const ITEMS: [f64; 9] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0];

impl Metrics {
    /// Registers every metric; call it once for each registry.
    pub(crate) fn register(registry: &Registry) -> Result<Self, prometheus::Error> {
        let metrics = Self::new()?;
        metrics.collectors().into_iter().try_for_each(|collector| registry.register(collector))?;
        Ok(metrics)
    }

    fn collectors(&self) -> [Box<dyn Collector>; 16] {
        [
            Box::new(self.request_seconds.clone()),
            Box::new(self.refusals.clone()),
            Box::new(self.capability_hits.clone()),
            Box::new(self.capability_misses.clone()),
            Box::new(self.disk_reads.clone()),
            Box::new(self.entry_items.clone()),
            Box::new(self.admitted_bytes.clone()),
            Box::new(self.digest_mismatches.clone()),
            Box::new(self.groups_led.clone()),
            Box::new(self.clock_off.clone()),
            Box::new(self.clock_median_millis.clone()),
            Box::new(self.log_sync_p99_micros.clone()),
            Box::new(self.log_syncs.clone()),
            Box::new(self.slot_freeze_seconds.clone()),
            Box::new(self.slot_rows_moved.clone()),
            Box::new(self.slot_bytes_moved.clone()),
        ]
    }

    fn new() -> Result<Self, prometheus::Error> {
        Ok(Self {
            request_seconds: HistogramVec::new(
                HistogramOpts::new("renkei_node_request_seconds", "Time from the decoded request to its answer.")
                    .buckets(SECONDS.to_vec()),
                &["operation"],
            )?,
            refusals: IntCounterVec::new(
                Opts::new("renkei_node_refusals_total", "Requests that were refused, by code."),
                &["code"],
            )?,
            capability_hits: IntCounter::new(
                "renkei_node_capability_hits_total",
                "Capabilities whose signature had been checked before.",
            )?,
            capability_misses: IntCounter::new("renkei_node_capability_misses_total", "Signatures checked.")?,
            disk_reads: IntCounter::new("renkei_node_reads_from_disk_total", "Reads that memory could not answer.")?,
            entry_items: Histogram::with_opts(
                HistogramOpts::new("renkei_node_entry_items", "Items in a proposed log entry.").buckets(ITEMS.to_vec()),
            )?,
            admitted_bytes: IntGauge::new("renkei_node_admitted_bytes", "Bytes of requests under way.")?,
            digest_mismatches: IntCounter::new(
                "renkei_node_digest_mismatches_total",
                "Replicas whose state differed from their leader's.",
            )?,
            groups_led: IntGauge::new("renkei_node_groups_led", "Groups that this node leads.")?,
            clock_off: IntGauge::new(
                "renkei_node_clock_off",
                "1 while the clock is too far from its peers' median, else 0.",
            )?,
            clock_median_millis: IntGauge::new(
                "renkei_node_clock_median_millis",
                "How far the median of all clocks is ahead, in milliseconds.",
            )?,
            log_sync_p99_micros: IntGauge::new(
                "renkei_node_log_sync_p99_micros",
                "99th percentile of synced log writes, in microseconds.",
            )?,
            log_syncs: IntGauge::new("renkei_node_log_syncs", "Synced log writes since the start.")?,
            slot_freeze_seconds: Histogram::with_opts(
                HistogramOpts::new(
                    "renkei_node_slot_freeze_seconds",
                    "How long slots on their way to another group were served by none.",
                )
                .buckets(FREEZES.to_vec()),
            )?,
            slot_rows_moved: IntCounter::new(
                "renkei_node_slot_rows_moved_total",
                "Rows copied to another group, repeated ones included.",
            )?,
            slot_bytes_moved: IntCounter::new(
                "renkei_node_slot_bytes_moved_total",
                "Bytes of keys and values copied to another group.",
            )?,
        })
    }
}
