use std::time::Duration;

use hdrhistogram::Histogram;

/// What the writer thread of a log database has done since it was opened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogStats {
    /// Batches written with a sync.
    pub syncs: u64,
    /// Batches written.
    pub batches: u64,
    /// Operations written, of all groups.
    pub operations: u64,
    /// Bytes of operations written, with their bookkeeping but without RocksDB's framing.
    pub bytes: u64,
    /// Bytes that wait for the writer thread now.
    pub queued_bytes: u64,
    /// Bytes of recent entries kept in memory now, all groups.
    pub tail_bytes: u64,
    /// Operations in a batch: median.
    pub batch_operations_p50: u64,
    /// Operations in a batch: 99th percentile.
    pub batch_operations_p99: u64,
    /// Operations in a batch: largest.
    pub batch_operations_max: u64,
    /// Duration of the last synced write.
    pub sync_last: Duration,
    /// Median duration of a synced write.
    pub sync_p50: Duration,
    /// 99th percentile of the durations of synced writes.
    pub sync_p99: Duration,
}

/// Longest duration the histogram tells apart; anything above counts as this.
const SYNC_MICROS_MAX: u64 = 60_000_000;
const BATCH_OPERATIONS_MAX: u64 = 1 << 20;

pub(super) struct Recorder {
    batches: u64,
    operations: u64,
    bytes: u64,
    sync_last: Duration,
    sync_micros: Histogram<u64>,
    batch_operations: Histogram<u64>,
}

impl Recorder {
    pub(super) fn new() -> Self {
        let histogram = |max| Histogram::new_with_bounds(1, max, 2).expect("1 to a constant of at least 2, 2 digits");
        Self {
            batches: 0,
            operations: 0,
            bytes: 0,
            sync_last: Duration::ZERO,
            sync_micros: histogram(SYNC_MICROS_MAX),
            batch_operations: histogram(BATCH_OPERATIONS_MAX),
        }
    }

    /// `sync` is how long the write took when it was a synced one.
    pub(super) fn batch(&mut self, operations: usize, bytes: usize, sync: Option<Duration>) {
        self.batches += 1;
        self.operations += operations as u64;
        self.bytes += bytes as u64;
        self.batch_operations.saturating_record(operations as u64);
        if let Some(took) = sync {
            self.sync_last = took;
            self.sync_micros.saturating_record(u64::try_from(took.as_micros()).unwrap_or(u64::MAX));
        }
    }

    pub(super) fn stats(&self, queued_bytes: usize, tail_bytes: usize) -> LogStats {
        LogStats {
            syncs: self.sync_micros.len(),
            batches: self.batches,
            operations: self.operations,
            bytes: self.bytes,
            queued_bytes: queued_bytes as u64,
            tail_bytes: tail_bytes as u64,
            batch_operations_p50: self.batch_operations.value_at_quantile(0.5),
            batch_operations_p99: self.batch_operations.value_at_quantile(0.99),
            batch_operations_max: self.batch_operations.max(),
            sync_last: self.sync_last,
            sync_p50: Duration::from_micros(self.sync_micros.value_at_quantile(0.5)),
            sync_p99: Duration::from_micros(self.sync_micros.value_at_quantile(0.99)),
        }
    }
}
