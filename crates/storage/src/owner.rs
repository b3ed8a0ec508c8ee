use std::fmt;
use std::path::Path;

use renkei_ids::{CloudId, GroupId, NodeId, ReplicaId};

use crate::StorageError;

/// Whose directory it is. Written into a marker file when the directory is made and compared at every open, so that a
/// disk mounted in the wrong place is refused before anything is read from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DirOwner {
    /// The cloud.
    pub cloud: CloudId,
    /// The node within it.
    pub node: NodeId,
    /// The replica that the directory holds; `None` for the log database, which holds those of all groups.
    pub replica: Option<(GroupId, ReplicaId)>,
}

impl DirOwner {
    /// Makes `dir` if needed and marks it, or checks the marker that is there.
    pub(crate) fn claim(&self, dir: &Path) -> Result<(), StorageError> {
        let _ = dir;
        todo!()
    }
}

impl fmt::Display for DirOwner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cloud {} node {}", self.cloud, self.node)?;
        match self.replica {
            Some((group, replica)) => write!(f, " group {group} replica {replica}"),
            None => f.write_str(" log"),
        }
    }
}
