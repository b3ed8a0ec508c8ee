//! What a node does when its storage or a replica cannot go on: it ends at once, and the next start recovers. Where a start
//! cannot help, it says what does.

use std::error::Error;
use std::io;
use std::sync::Arc;

use renkei_consensus::{Failure, OpenError};
use renkei_runtime::Chain;
use renkei_storage::StorageError;

/// For stored bytes that are not what was written.
const REBUILD: &str = "stored data is damaged or gone, and this node must not go on with it: empty its data directory, \
                       then rebuild its replicas from their peers with `renkei admin replace-node`";
/// For a disk that does not do what it must.
const LOOK_AT_DISK: &str = "see that the data disk has room and works, then start the node again; if files are missing, \
                            or it happens again, replace the disk and use `renkei admin replace-node`";
/// What RocksDB's messages say of bytes that do not fit their checksum. Raft hands on texts, not types.
const CORRUPTION: &str = "Corruption: ";

/// After a failed write nobody knows what is on the disk, so nothing is saved and no destructor runs.
pub(crate) fn on_replica_failure() -> renkei_consensus::FatalHook {
    Arc::new(|failure: &Failure| {
        tracing::error!(error = %Chain(failure), "replica failed");
        advise(failure);
        renkei_runtime::abort("run a replica")
    })
}

pub(crate) fn on_log_failure() -> renkei_storage::log::FatalHook {
    Arc::new(|error: &StorageError| {
        tracing::error!(error = %Chain(error), "log failed");
        advise(error);
        renkei_runtime::abort("write the log")
    })
}

/// A stored row that does not read: a replica that cannot read its rows must not lead.
pub(crate) fn on_damaged_row(error: &StorageError) -> ! {
    tracing::error!(error = %Chain(error), "a stored row does not read");
    advise(error);
    renkei_runtime::abort("read a group's state")
}

/// Tells the operator what to do, where the failure says so.
pub(crate) fn advise(error: &(dyn Error + 'static)) {
    if let Some(advice) = advice(error) {
        tracing::error!(advice, "this node needs its operator");
    }
}

fn advice(error: &(dyn Error + 'static)) -> Option<&'static str> {
    let (mut at, mut found) = (Some(error), None);
    while let Some(error) = at {
        if let Some(OpenError::Gap { .. } | OpenError::VoteLost { .. } | OpenError::Marker { .. }) =
            error.downcast_ref()
        {
            return Some(REBUILD);
        }
        match error.downcast_ref::<StorageError>() {
            Some(storage) if storage.is_corruption() => return Some(REBUILD),
            Some(StorageError::Io { .. } | StorageError::Engine { .. }) => found = Some(LOOK_AT_DISK),
            _ => {}
        }
        if error.to_string().contains(CORRUPTION) {
            return Some(REBUILD);
        }
        at = match error.downcast_ref::<io::Error>() {
            Some(wrapped) => wrapped.get_ref().map(|inner| inner as &(dyn Error + 'static)),
            None => error.source(),
        };
    }
    found
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use renkei_ids::{GroupId, ReplicaId};

    use super::*;

    fn malformed() -> StorageError {
        StorageError::Malformed { record: "a row", path: PathBuf::new() }
    }

    #[test]
    fn damage_is_told_from_a_failing_disk_however_deep_it_lies() {
        let (group, replica) = (GroupId(1), ReplicaId(2));
        let deep = Failure::Raft { group, replica, source: Box::new(io::Error::other(malformed())) };
        assert_eq!(advice(&deep), Some(REBUILD));
        let flattened = Failure::Raft { group, replica, source: "when Read: Corruption: block checksum".into() };
        assert_eq!(advice(&flattened), Some(REBUILD));
        let gap = OpenError::Gap { group, replica, purged: 9, applied: None };
        assert_eq!(advice(&crate::NodeError::Replicas(gap)), Some(REBUILD));
        let full = io::Error::from(io::ErrorKind::StorageFull);
        let full = StorageError::Io { attempt: "write", path: PathBuf::new(), source: full };
        assert_eq!(advice(&Failure::State { group, replica, source: full }), Some(LOOK_AT_DISK));
        assert_eq!(advice(&Failure::Ended { group, replica }), None);
    }
}
