//! What a service of one group does when its storage or its replica cannot go on: it ends at once, and the next start recovers.

use std::sync::Arc;

use renkei_consensus::Failure;
use renkei_runtime::Chain;
use renkei_storage::StorageError;

/// For the engine.
pub fn on_replica_failure() -> renkei_consensus::FatalHook {
    Arc::new(|failure: &Failure| {
        tracing::error!(error = %Chain(failure), "replica failed");
        renkei_runtime::abort("run a replica")
    })
}

/// For the log.
pub fn on_log_failure() -> renkei_storage::log::FatalHook {
    Arc::new(|error: &StorageError| {
        tracing::error!(error = %Chain(error), "log failed");
        renkei_runtime::abort("write the log")
    })
}
