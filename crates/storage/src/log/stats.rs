use std::time::Duration;

/// What the writer thread of a log database has done since it was opened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogStats {
    /// Batches written with a sync.
    pub syncs: u64,
    /// Batches written.
    pub batches: u64,
    /// Operations written, of all groups.
    pub operations: u64,
    /// Bytes of entries and records written, before RocksDB's framing.
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
