//! Clouds whose nodes keep their data on disks that lose power, fill up and fail.

use std::collections::BTreeMap;
use std::path::PathBuf;

use renkei_fault_disk::{Disk, Loss, Lost, Mounted};
use renkei_ids::NodeId;

use crate::cloud::TestCloud;

/// A disk for each node of a cloud, mounted where its data is.
pub(crate) struct Disks {
    /// Dropped first: a disk is unmounted when nobody uses it.
    pub(crate) cloud: TestCloud,
    disks: BTreeMap<NodeId, (Disk, PathBuf, Option<Mounted>)>,
}

impl Disks {
    /// A founded cloud of three nodes; `None`, said so, where this machine has no FUSE.
    pub(crate) async fn founded(set: &[&str]) -> Option<Self> {
        let cloud = TestCloud::prepared(3, set);
        let mut disks = BTreeMap::new();
        for node in cloud.processes.addresses().into_keys() {
            let (disk, on) = (Disk::new(), cloud.dir().join(format!("cloud/node-{node}")));
            match disk.mount(&on) {
                Ok(mounted) => drop(disks.insert(node, (disk, on, Some(mounted)))),
                Err(error) => {
                    println!("SKIPPED: cannot mount by FUSE: {error}");
                    return None;
                }
            }
        }
        let mut this = Self { cloud, disks };
        this.cloud.processes.start_all().unwrap();
        this.cloud.found().await;
        Some(this)
    }

    pub(crate) fn disk(&self, node: NodeId) -> &Disk {
        &self.disks[&node].0
    }

    pub(crate) fn nodes(&self) -> Vec<NodeId> {
        self.disks.keys().copied().collect()
    }

    /// Cuts the power of these nodes, one after the other at once, and gives it back; they stay off.
    pub(crate) fn cut(&mut self, nodes: &[NodeId], mut loss: impl FnMut() -> Loss) -> Lost {
        let mut lost = Lost::default();
        for node in nodes {
            let of_one = self.disk(*node).cut(loss());
            lost = Lost { bytes: lost.bytes + of_one.bytes, names: lost.names + of_one.names };
        }
        for node in nodes {
            self.cloud.processes.node(*node).unwrap().kill().unwrap();
            let (disk, on, mounted) = self.disks.get_mut(node).unwrap();
            mounted.take().unwrap().unmount().unwrap();
            disk.power_on();
            *mounted = Some(disk.mount(on).unwrap());
        }
        lost
    }
}
