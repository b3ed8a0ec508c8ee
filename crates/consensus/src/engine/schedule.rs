//! Decides when a replica takes a snapshot, what it purges and when its state is flushed; one replica at a time.

use std::collections::HashMap;
use std::sync::Weak;
use std::time::Duration;

use openraft::async_runtime::watch::WatchReceiver;
use renkei_ids::GroupId;
use renkei_storage::StorageError;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::options::{Failure, SnapshotSchedule};
use super::{Engine, WeakEngine};
use crate::replica::Replica;

/// A snapshot that takes longer does not hold up the other groups.
const SNAPSHOT_LIMIT: Duration = Duration::from_secs(600);
/// The share of `log_bytes` that a purge of fewer entries than `purge_step` must free.
const PURGE_SHARE: u64 = 4;
const LOOK_AGAIN: Duration = Duration::from_millis(20);

pub(super) async fn run(engine: WeakEngine, stopping: CancellationToken) {
    let mut last_snapshots = HashMap::new();
    loop {
        // Held only while it works: an engine that was dropped ends this task.
        let Some(engine) = Weak::upgrade(&engine).map(Engine::from_shared) else {
            return;
        };
        let schedule = engine.0.options.schedule;
        let round = async {
            for replica in engine.replicas() {
                look_after(&engine, &replica, &schedule, &mut last_snapshots).await;
            }
        };
        tokio::select! {
            () = round => {}
            () = stopping.cancelled() => return,
        }
        drop(engine);
        tokio::select! {
            () = sleep(schedule.tick) => {}
            () = stopping.cancelled() => return,
        }
    }
}

async fn look_after(
    engine: &Engine,
    replica: &Replica,
    schedule: &SnapshotSchedule,
    last_snapshots: &mut HashMap<GroupId, Instant>,
) {
    let _looked_after = replica.parts().looked_after.lock().await;
    if replica.parts().stopping.is_cancelled() {
        return;
    }
    replica.parts().receiver.drop_abandoned();
    let last = *last_snapshots.entry(replica.group()).or_insert_with(Instant::now);
    if snapshot_is_due(&Backlog::of(replica), last.elapsed(), schedule) {
        take_snapshot(replica).await;
        last_snapshots.insert(replica.group(), Instant::now());
    }
    purge(replica, schedule).await;
    if let Err(source) = flush_if_old(engine, replica, schedule.flush_age).await {
        engine.0.fail(&Failure::State { group: replica.group(), replica: replica.replica(), source });
    }
}

/// What lies behind the last snapshot.
struct Backlog {
    entries: u64,
    bytes: u64,
}

impl Backlog {
    fn of(replica: &Replica) -> Self {
        let status = replica.status();
        let covered = status.snapshot.or(status.purged);
        let next = covered.map_or(0, |index| index + 1);
        Self {
            entries: status.applied.map_or(0, |applied| (applied + 1).saturating_sub(next)),
            bytes: replica.parts().log.bytes_after(covered.unwrap_or(0)),
        }
    }
}

fn snapshot_is_due(backlog: &Backlog, age: Duration, schedule: &SnapshotSchedule) -> bool {
    backlog.entries > 0 && (backlog.bytes >= schedule.log_bytes || age >= schedule.interval)
}

async fn take_snapshot(replica: &Replica) {
    let raft = &replica.parts().raft;
    let before = replica.status().snapshot;
    if raft.trigger().snapshot().await.is_err() {
        return;
    }
    let taken = async {
        let metrics = raft.metrics();
        loop {
            let snapshot = {
                let metrics = metrics.borrow_watched();
                if metrics.running_state.is_err() {
                    return;
                }
                metrics.snapshot.map(|id| id.index)
            };
            if snapshot > before {
                return;
            }
            sleep(LOOK_AGAIN).await;
        }
    };
    if timeout(SNAPSHOT_LIMIT, taken).await.is_err() {
        tracing::warn!(group = %replica.group(), replica = %replica.replica(), "snapshot takes long");
    }
}

async fn purge(replica: &Replica, schedule: &SnapshotSchedule) {
    let bounds = replica.parts().log.bounds();
    let (Some(first), Some(snapshot)) = (bounds.first, replica.status().snapshot) else {
        return;
    };
    let bytes_after = |index| replica.parts().log.bytes_after(index);
    if let Some(through) = purge_through(first, snapshot, schedule, bytes_after) {
        // An error means that the replica has stopped.
        let _ = replica.parts().raft.trigger().purge_log(through).await;
    }
}

/// Last entry to purge: what stays below the snapshot is the fewest entries that hold `keep_bytes` together with
/// everything above.
fn purge_through(
    first: u64,
    snapshot: u64,
    schedule: &SnapshotSchedule,
    bytes_after: impl Fn(u64) -> u64,
) -> Option<u64> {
    let (mut low, mut high) = (first, snapshot.checked_add(1)?);
    // The bytes after an entry shrink as its index grows: find the first entry with too few behind it.
    while low < high {
        let middle = low + (high - low) / 2;
        if bytes_after(middle) >= schedule.keep_bytes { low = middle + 1 } else { high = middle }
    }
    let through = low.checked_sub(1).filter(|&through| through >= first)?;
    // A purge costs a write whatever its size; few entries are worth one where they are large.
    let worth = through - first + 1 >= schedule.purge_step
        || bytes_after(first).saturating_sub(bytes_after(through)) >= schedule.log_bytes / PURGE_SHARE;
    worth.then_some(through)
}

async fn flush_if_old(engine: &Engine, replica: &Replica, age: Duration) -> Result<(), StorageError> {
    let db = replica.parts().state.db();
    let flushed = engine.0.options.blocking.run(move || match db.unflushed()?.since {
        Some(since) if since.elapsed() >= age => db.flush(),
        _ => Ok(()),
    });
    match flushed.await {
        // A snapshot was installed meanwhile; the new state is looked at next time.
        Ok(Err(StorageError::Replaced { .. })) | Err(_) => Ok(()),
        Ok(result) => result,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCHEDULE: SnapshotSchedule = SnapshotSchedule {
        log_bytes: 1000,
        interval: Duration::from_secs(60),
        keep_bytes: 300,
        purge_step: 10,
        flush_age: Duration::from_secs(60),
        tick: Duration::from_secs(1),
    };

    #[test]
    fn a_snapshot_needs_new_entries_and_either_bytes_or_time() {
        let due =
            |entries, bytes, secs| snapshot_is_due(&Backlog { entries, bytes }, Duration::from_secs(secs), &SCHEDULE);
        assert!(!due(0, 5000, 3600));
        assert!(!due(1, 999, 59));
        assert!(due(1, 1000, 0));
        assert!(due(1, 0, 60));
    }

    #[test]
    fn purging_keeps_the_bytes_asked_for_and_never_passes_the_snapshot() {
        // Entries 0 to 99 of 10 bytes each.
        let bytes_after = |index: u64| (99 - index.min(99)) * 10;
        assert_eq!(purge_through(0, 99, &SCHEDULE, bytes_after), Some(69));
        assert_eq!(purge_through(0, 40, &SCHEDULE, bytes_after), Some(40));
        assert_eq!(purge_through(61, 99, &SCHEDULE, bytes_after), None, "less than a step");
        assert_eq!(purge_through(80, 99, &SCHEDULE, bytes_after), None, "fewer bytes than are kept");
        assert_eq!(purge_through(5, 3, &SCHEDULE, bytes_after), None, "a snapshot before the log");
    }

    #[test]
    fn few_entries_are_purged_where_they_are_large() {
        // Entries 0 to 9 of 100 bytes each; a quarter of `log_bytes` is 250.
        let bytes_after = |index: u64| (9 - index.min(9)) * 100;
        assert_eq!(purge_through(0, 9, &SCHEDULE, bytes_after), Some(6));
        assert_eq!(purge_through(4, 9, &SCHEDULE, bytes_after), None, "200 bytes are not worth a write");
    }
}
