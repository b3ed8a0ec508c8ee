//! Which commands may be proposed: none that a replica could not apply.
//!
//! Nodes tell the version of commands that their build applies. The controller raises the cloud's before it does the first
//! step that needs it, and only when every node that holds a replica told as much; a node that is older than the cloud
//! opens nothing.

use renkei_ids::NodeId;

use crate::job::JobKind;
use crate::state::Placement;

/// The version of commands, of shards and of the placement, that this build applies: 2 since freezes lapse.
pub const COMMANDS_VERSION: u32 = 2;
/// That of a build from before versions were told.
pub const UNTOLD_VERSION: u32 = 1;

impl JobKind {
    /// The version of commands that the steps of such a job are made of.
    pub const fn version(&self) -> u32 {
        match self {
            Self::MoveSlots { .. } => 2,
            Self::MoveReplica { .. }
            | Self::MoveLeader { .. }
            | Self::AddGroup { .. }
            | Self::ReplaceDisk { .. }
            | Self::Drain { .. } => UNTOLD_VERSION,
        }
    }
}

impl Placement {
    /// Whether a build that applies commands up to this version may hold replicas of the cloud.
    pub fn may_be_held_by(&self, version: u32) -> bool {
        self.min_version() <= version
    }

    /// The version that the cloud may be raised to, when nodes told this of themselves.
    ///
    /// # Errors
    /// The first node that holds replicas and has told nothing.
    pub fn common_version(&self, told: impl Fn(NodeId) -> Option<u32>) -> Result<u32, NodeId> {
        let holders = self.nodes().map(|(node, _)| node).filter(|node| !self.hosted_on(*node).is_empty());
        holders.map(|node| told(node).ok_or(node)).try_fold(COMMANDS_VERSION, |least, version| Ok(least.min(version?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Change, Founding};
    use proptest::prelude::*;

    fn founded(nodes: u32) -> Placement {
        let nodes = (1..=nodes).map(|node| (NodeId(node), format!("127.0.0.1:{node}"))).collect();
        let mut placement = Placement::default();
        placement.apply(&Change::Found(Founding { nodes, groups: 2, replicas: 3 }).encode());
        placement
    }

    #[test]
    fn a_cloud_is_raised_to_what_its_oldest_holder_of_replicas_applies() {
        let mut placement = founded(3);
        let added = Change::RegisterNode { node: NodeId(4), address: "127.0.0.1:4".to_owned() };
        placement.apply(&added.encode());
        assert_eq!(placement.common_version(|_| Some(9)), Ok(COMMANDS_VERSION), "no further than this build knows");
        assert_eq!(placement.common_version(|node| Some(if node == NodeId(2) { 1 } else { 9 })), Ok(1));
        assert_eq!(placement.common_version(|node| (node != NodeId(2)).then_some(9)), Err(NodeId(2)));
        let holds_nothing = |node| (node != NodeId(4)).then_some(COMMANDS_VERSION);
        assert_eq!(placement.common_version(holds_nothing), Ok(COMMANDS_VERSION));
        placement.apply(&Change::RaiseMinVersion(COMMANDS_VERSION).encode());
        assert!(placement.may_be_held_by(COMMANDS_VERSION) && !placement.may_be_held_by(UNTOLD_VERSION));
    }

    proptest! {
        #[test]
        fn no_holder_of_replicas_is_older_than_the_common_version(versions in proptest::collection::vec(0_u32..4, 3..6)) {
            let placement = founded(u32::try_from(versions.len()).unwrap());
            let told = |node: NodeId| versions.get(node.0 as usize - 1).copied();
            let common = placement.common_version(told).unwrap();
            for (node, _) in placement.nodes().filter(|(node, _)| !placement.hosted_on(*node).is_empty()) {
                prop_assert!(common <= told(node).unwrap());
            }
        }
    }
}
