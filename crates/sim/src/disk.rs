//! The log's writer thread, in simulated time.

use std::time::Duration;

use renkei_ids::{NodeId, ReplicaId};
use renkei_storage::log::LogDb;
use tokio::time::sleep;

use crate::event::{Change, Event};
use crate::world::SharedWorld;

const LOOK_EVERY: Duration = Duration::from_millis(1);

/// Writes what is queued, batch by batch; each takes its time before it is durable and anybody is told.
pub(crate) async fn write(log: LogDb, node: NodeId, world: SharedWorld) {
    loop {
        while let Some(writes) = log.queued_writes() {
            let changes: Vec<(ReplicaId, Change)> =
                writes.changes().map(|(_, replica, change)| (replica, Change::read(change))).collect();
            if writes.synced() {
                sleep(world.sync_time(node)).await;
            }
            for (replica, change) in changes {
                world.record(Event::Durable { node, replica, change });
            }
            writes.written();
        }
        sleep(LOOK_EVERY).await;
    }
}
