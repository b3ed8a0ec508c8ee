use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use renkei_ids::{CloudId, GroupId, NodeId, ReplicaId};
use renkei_storage::log::{FatalHook, LogDb, LogOptions};
use renkei_storage::state::{Family, FamilySpec, StateDb};
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
    open_log_on(dir, tail_bytes, budget())
}

pub(crate) fn open_log_on(dir: &Path, tail_bytes: usize, budget: MemoryBudget) -> LogDb {
    let fatal: FatalHook = Arc::new(|error| panic!("the log failed: {error:?}"));
    LogDb::open(dir, &LogOptions { tail_bytes, ..LogOptions::new(log_owner(), budget) }, fatal).unwrap()
}

/// Tells the threads of a scope to end, also when the test fails before it says so.
#[derive(Default)]
pub(crate) struct Stop(AtomicBool);

pub(crate) struct StopOnDrop<'a>(&'a Stop);

impl Stop {
    pub(crate) fn on_drop(&self) -> StopOnDrop<'_> {
        StopOnDrop(self)
    }

    pub(crate) fn asked(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

impl Drop for StopOnDrop<'_> {
    fn drop(&mut self) {
        self.0.0.store(true, Ordering::Relaxed);
    }
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

pub(crate) const ROWS: Family = Family::new(0);
pub(crate) const BODIES: Family = Family::new(1);
pub(crate) const LOCAL: Family = Family::new(2);

pub(crate) const FAMILIES: &[FamilySpec] = &[
    FamilySpec { name: "rows", prefix_len: 3, blob_min_bytes: None, local: false },
    FamilySpec { name: "bodies", prefix_len: 0, blob_min_bytes: Some(100), local: false },
    FamilySpec { name: "local", prefix_len: 0, blob_min_bytes: None, local: true },
];

pub(crate) fn open_state(dir: &Path, replica: u64) -> StateDb {
    open_state_on(dir, replica, &budget())
}

pub(crate) fn open_state_on(dir: &Path, replica: u64, budget: &MemoryBudget) -> StateDb {
    StateDb::open(dir, &replica_owner(replica), FAMILIES, budget).unwrap()
}
