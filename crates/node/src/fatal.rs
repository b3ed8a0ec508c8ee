//! What a node does when its storage or a replica cannot go on: it ends at once, and the next start recovers.

use std::sync::Arc;

use renkei_consensus::Failure;
use renkei_runtime::Chain;
use renkei_storage::StorageError;

/// After a failed write nobody knows what is on the disk, so nothing is saved and no destructor runs.
pub(crate) fn on_replica_failure() -> renkei_consensus::FatalHook {
    Arc::new(|failure: &Failure| {
        tracing::error!(error = %Chain(failure), "replica failed");
        renkei_runtime::abort("run a replica")
    })
}

pub(crate) fn on_log_failure() -> renkei_storage::log::FatalHook {
    Arc::new(|error: &StorageError| {
        tracing::error!(error = %Chain(error), "log failed");
        renkei_runtime::abort("write the log")
    })
}
