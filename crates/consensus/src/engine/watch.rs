use openraft::RaftMetrics;
use openraft::async_runtime::watch::WatchReceiver;
use openraft::errors::Fatal;
use openraft::type_config::alias::WatchReceiverOf;
use renkei_ids::{GroupId, ReplicaId};
use tokio_util::sync::CancellationToken;

use super::options::{Failure, FatalHook};
use crate::raft::TypeConfig;

/// Reports a replica that stops by itself: openraft keeps an error, or the panic of issue 2116, to itself.
pub(super) async fn run(
    group: GroupId,
    replica: ReplicaId,
    mut metrics: WatchReceiverOf<TypeConfig, RaftMetrics<TypeConfig>>,
    stopping: CancellationToken,
    fatal: FatalHook,
) {
    loop {
        let running = metrics.borrow_watched().running_state.clone();
        if stopping.is_cancelled() {
            return;
        }
        match running {
            Ok(()) => {}
            Err(Fatal::Panicked | Fatal::Stopped) => return fatal(&Failure::Ended { group, replica }),
            Err(source @ Fatal::StorageError(_)) => {
                return fatal(&Failure::Raft { group, replica, source: Box::new(source) });
            }
        }
        let changed = tokio::select! {
            changed = metrics.changed() => changed,
            () = stopping.cancelled() => return,
        };
        if changed.is_err() && metrics.borrow_watched().running_state.is_ok() {
            return if stopping.is_cancelled() {
            } else {
                fatal(&Failure::Ended { group, replica })
            };
        }
    }
}
