//! What this node keeps for itself: the newest placement that it has seen, and the id of its disk.
//!
//! Both outlive the process. A node that could fall back to an older placement might open a replica again that it has
//! removed since; and one that lost its disk must know that it did, for it has forgotten how its replicas voted.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use renkei_ids::{DiskId, GroupId, NodeId, ReplicaId};
use renkei_placement::Placement;
use renkei_storage::{StorageError, read_if_present, replace_file};

use crate::routes::Routes;

/// The id lies with the log, so that it is lost where the log is.
const DISK_FILE: &str = "log/DISK";
const PLACEMENT_FILE: &str = "placement";

/// Why a node does not know where it stands.
#[derive(Debug, thiserror::Error)]
pub enum KnownError {
    /// A file cannot be read or written.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The system gives no random bytes.
    #[error("drawing the id of the disk")]
    Randomness,
    /// The blocking thread ended early.
    #[error("write the placement on a blocking thread")]
    Thread(#[from] tokio::task::JoinError),
}

/// How the disk of this node stands in the placement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DiskStanding {
    /// There is no cloud yet, or this node is not in it.
    Stranger,
    /// The node has claimed none yet.
    Unclaimed,
    /// It is the one that the node has claimed.
    Claimed,
    /// The node has claimed another one: this one is new, or was replaced.
    Other,
}

/// The newest placement seen, and the disk's id. Clones share them.
#[derive(Clone, Debug)]
pub(crate) struct Known {
    file: Arc<PathBuf>,
    node: NodeId,
    disk: DiskId,
    routes: Routes,
    writing: Arc<tokio::sync::Mutex<()>>,
}

impl Known {
    /// Reads both below the data directory, whose log is open already. A disk without an id gets one.
    pub(crate) fn open(data: &Path, node: NodeId, routes: Routes) -> Result<Self, KnownError> {
        let file = data.join(PLACEMENT_FILE);
        if let Some(stored) = read_if_present(&file)? {
            let malformed = |_| StorageError::Malformed { record: "the placement", path: file.clone() };
            routes.publish(Placement::decode(&Bytes::from(stored)).map_err(malformed)?);
        }
        let disk = disk_id(&data.join(DISK_FILE))?;
        Ok(Self { file: Arc::new(file), node, disk, routes, writing: Arc::default() })
    }

    pub(crate) fn disk(&self) -> DiskId {
        self.disk
    }

    /// Takes over a placement where it is newer: first onto the disk, then for all to see. Gives whether it was.
    pub(crate) async fn take(&self, placement: Placement) -> Result<bool, KnownError> {
        let _one_at_a_time = self.writing.lock().await;
        if !placement.is_newer_than(&self.routes.current()) {
            return Ok(false);
        }
        let (file, stored) = (Arc::clone(&self.file), placement.encode());
        tokio::task::spawn_blocking(move || replace_file(&file, &stored)).await??;
        self.routes.publish(placement);
        Ok(true)
    }

    /// How the disk stands in the newest placement.
    pub(crate) fn standing(&self) -> DiskStanding {
        let placement = self.routes.current();
        match placement.node(self.node).map(|node| node.disk) {
            None => DiskStanding::Stranger,
            Some(None) => DiskStanding::Unclaimed,
            Some(Some(claimed)) if claimed == self.disk => DiskStanding::Claimed,
            Some(Some(_)) => DiskStanding::Other,
        }
    }

    /// Whether a replica that lies here may be opened, as far as was known when the node last stopped.
    pub(crate) fn may_open(&self, group: GroupId, replica: ReplicaId) -> bool {
        let placement = self.routes.current();
        let lost = placement.node(self.node).map_or(ReplicaId(0), |node| node.lost);
        let retired = placement.retired().iter().any(|left| left.group == group && left.replica.id == replica);
        self.standing() != DiskStanding::Other && replica > lost && !retired
    }
}

fn disk_id(path: &Path) -> Result<DiskId, KnownError> {
    if let Some(text) = read_if_present(path)? {
        let read = str::from_utf8(&text).ok().and_then(|text| text.trim_end().parse().ok());
        return Ok(read.ok_or(StorageError::Malformed { record: "the disk's id", path: path.to_owned() })?);
    }
    let mut bytes = [0; 16];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| KnownError::Randomness)?;
    let disk = DiskId::from_bytes(bytes);
    replace_file(path, format!("{disk}\n").as_bytes())?;
    Ok(disk)
}

#[cfg(test)]
mod tests {
    use renkei_placement::{Change, Founding};

    use super::*;

    fn placement(changes: &[Change]) -> Placement {
        let founding = Founding { nodes: vec![(NodeId(1), "a:1".to_owned())], groups: 1, replicas: 1 };
        let mut placement = Placement::default();
        for change in [Change::Found(founding)].iter().chain(changes) {
            placement.apply(&change.encode());
        }
        placement
    }

    #[tokio::test]
    async fn a_placement_outlives_the_process_and_never_goes_back() {
        let data = tempfile::tempdir().unwrap();
        std::fs::create_dir(data.path().join("log")).unwrap();
        let known = Known::open(data.path(), NodeId(1), Routes::new()).unwrap();
        assert_eq!(known.standing(), DiskStanding::Stranger);
        let claimed = placement(&[Change::ClaimDisk { node: NodeId(1), disk: known.disk() }]);
        assert!(known.take(claimed.clone()).await.unwrap());
        assert!(!known.take(placement(&[])).await.unwrap(), "an older one");

        let again = Known::open(data.path(), NodeId(1), Routes::new()).unwrap();
        assert_eq!((again.disk(), again.standing()), (known.disk(), DiskStanding::Claimed));
        assert_eq!(*again.routes.current(), claimed);

        // The log and all that lay with it are gone.
        std::fs::remove_file(data.path().join(DISK_FILE)).unwrap();
        let wiped = Known::open(data.path(), NodeId(1), Routes::new()).unwrap();
        assert_ne!(wiped.disk(), known.disk());
        assert_eq!(wiped.standing(), DiskStanding::Other);
        assert!(!wiped.may_open(GroupId(1), ReplicaId(2)) && again.may_open(GroupId(1), ReplicaId(2)));
    }
}
