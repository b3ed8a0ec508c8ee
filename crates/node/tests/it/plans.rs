//! Plans of faults for the nodes of a cloud. The binaries beside this test must be builds with `faults`.

use std::path::PathBuf;
use std::process::ExitStatus;

use renkei_faults::{MARKER, Point};
use renkei_ids::NodeId;

use crate::cloud::{TestCloud, until};

/// Where nodes look for their plans.
pub(crate) struct Plans(tempfile::TempDir);

impl Plans {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// What tells the nodes.
    pub(crate) fn setting(&self) -> String {
        format!("faults.dir=\"{}\"", self.0.path().display())
    }

    fn file(&self, node: NodeId) -> PathBuf {
        self.0.path().join(format!("node-{node}"))
    }

    /// The plan that a node has when it starts, or takes soon when it runs.
    pub(crate) fn write(&self, node: NodeId, plan: &str) {
        let staged = self.0.path().join("staged");
        std::fs::write(&staged, plan).unwrap();
        // Told anew when the node takes it.
        let _none_yet = std::fs::remove_file(self.file(node).with_extension("armed"));
        std::fs::rename(staged, self.file(node)).unwrap();
    }

    /// Gives a plan to a node that runs, and waits until it is in force.
    pub(crate) async fn arm(&self, node: NodeId, plan: &str) {
        self.write(node, plan);
        let armed = self.file(node).with_extension("armed");
        until(async || std::fs::read_to_string(&armed).is_ok_and(|armed| armed == plan).then_some(())).await;
    }
}

/// What a node has written to standard error.
pub(crate) fn told(cloud: &mut TestCloud, node: NodeId) -> String {
    let log = cloud.processes.node(node).unwrap().log().to_owned();
    std::fs::read_to_string(log).unwrap()
}

/// Waits until a node has ended by itself.
pub(crate) async fn ended(cloud: &mut TestCloud, node: NodeId) -> ExitStatus {
    until(async || cloud.processes.node(node).unwrap().ended().unwrap()).await
}

/// Waits until a node has died at a point, and at no other.
pub(crate) async fn died_at(cloud: &mut TestCloud, node: NodeId, point: Point) {
    ended(cloud, node).await;
    let told = told(cloud, node);
    let last = told.lines().last().unwrap_or_default();
    assert_eq!(last, format!("{MARKER}: dies at {}", point.name()), "node {node}:\n{told}");
}
