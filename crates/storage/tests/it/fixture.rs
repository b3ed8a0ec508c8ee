use std::fs;
use std::path::Path;
use std::sync::Arc;

use renkei_ids::{CloudId, GroupId, NodeId, ReplicaId};
use renkei_storage::log::{FatalHook, LogDb, LogOptions};
use renkei_storage::{DirOwner, MemoryBudget};

/// The least budget there is: tests run side by side.
pub(crate) fn budget() -> MemoryBudget {
    MemoryBudget::new(0)
}

pub(crate) fn log_owner() -> DirOwner {
    DirOwner { cloud: CloudId::from_bytes([7; 16]), node: NodeId(1), replica: None }
}

pub(crate) fn replica_owner(replica: u64) -> DirOwner {
    DirOwner { replica: Some((GroupId(3), ReplicaId(replica))), ..log_owner() }
}

/// Opens a log in which no write may fail.
pub(crate) fn open_log(dir: &Path, tail_bytes: usize) -> LogDb {
    let fatal: FatalHook = Arc::new(|error| panic!("the log failed: {error:?}"));
    LogDb::open(dir, &LogOptions { tail_bytes, ..LogOptions::new(log_owner(), budget()) }, fatal).unwrap()
}

/// What a killed process leaves: the files as they are, with nothing closed or flushed.
pub(crate) fn copy_as_if_killed(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_as_if_killed(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}
