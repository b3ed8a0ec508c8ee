//! What a vault does when its storage or its replica cannot go on: it ends at once, and the next start recovers.

use std::sync::Arc;

use renkei_consensus::Failure;
use renkei_runtime::Chain;
use renkei_storage::StorageError;

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
