//! The log's writer thread, in simulated time.

use std::sync::PoisonError;
use std::time::Duration;

use renkei_ids::{NodeId, ReplicaId};
use renkei_storage::log::{LogDb, QueuedWrites};
use tokio::time::sleep;

use crate::event::{Change, Event};
use crate::node::Host;
use crate::world::SharedWorld;

const LOOK_EVERY: Duration = Duration::from_millis(1);

/// A batch on its way to the disk.
pub(crate) struct UnderWay {
    writes: QueuedWrites,
    changes: Vec<(ReplicaId, Change)>,
}

impl UnderWay {
    /// It is on the disk; those who wait are told when they still live.
    fn written(self, node: NodeId, world: &SharedWorld) {
        for (replica, change) in self.changes {
            world.record(Event::Durable { node, replica, change });
        }
        self.writes.written();
    }
}

/// Writes what is queued, batch by batch; each takes its time before it is durable and anybody is told.
pub(crate) async fn write(log: LogDb, host: Host) {
    let Host { node, world, under_way, .. } = host;
    let under_way = || under_way.lock().unwrap_or_else(PoisonError::into_inner);
    loop {
        while let Some(writes) = log.queued_writes() {
            let changes = writes.changes().map(|(_, replica, change)| (replica, Change::read(change))).collect();
            let synced = writes.synced();
            *under_way() = Some(UnderWay { writes, changes });
            if synced {
                sleep(world.sync_time(node)).await;
            }
            let written = under_way().take();
            if let Some(written) = written {
                written.written(node, &world);
            }
        }
        sleep(LOOK_EVERY).await;
    }
}

/// The machine has lost its power in the middle of a write. It was too late for the disk, or the last thing that it did.
pub(crate) fn interrupted(host: &Host, too_late: bool) {
    let under_way = host.under_way.lock().unwrap_or_else(PoisonError::into_inner).take();
    if let Some(under_way) = under_way.filter(|_| !too_late) {
        under_way.written(host.node, &host.world);
    }
}
