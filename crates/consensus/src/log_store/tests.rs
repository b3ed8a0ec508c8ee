use std::sync::Arc;

use openraft::testing::log::{StoreBuilder, Suite};
use openraft::vote::RaftLeaderId;
use renkei_ids::{CloudId, GroupId, NodeId, ReplicaId};
use renkei_storage::log::{LogDb, LogOptions};
use renkei_storage::state::{FamilySpec, Staged, StateDb};
use renkei_storage::{DirOwner, MemoryBudget, StorageError};
use tempfile::TempDir;

use super::*;
use crate::machine::{EntryAt, StateMachine};
use crate::raft::{LeaderId, Payload};
use crate::state::{State, StateStore};

struct Nothing;

const FAMILIES: &[FamilySpec] = &[FamilySpec { name: "data", prefix_len: 0, blob_min_bytes: None, local: false }];

impl StateMachine for Nothing {
    fn families(&self) -> &'static [FamilySpec] {
        FAMILIES
    }

    fn apply(&self, _: &mut Staged<'_>, _: EntryAt, _: &Bytes) -> Result<Bytes, StorageError> {
        Ok(Bytes::new())
    }
}

struct Stores;

struct Guard {
    log: LogDb,
    _dir: TempDir,
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.log.shutdown();
    }
}

fn open(dir: &TempDir) -> (LogDb, LogStore, StateStore) {
    let budget = MemoryBudget::new(64 << 20);
    let owner = |replica| DirOwner { cloud: CloudId::from_bytes([1; 16]), node: NodeId(1), replica };
    let options = LogOptions::new(owner(None), budget.clone());
    let fatal = Arc::new(|error: &StorageError| panic!("log failed: {error}"));
    let log = LogDb::open(&dir.path().join("log"), &options, fatal).unwrap();
    let (group, replica) = (GroupId(1), ReplicaId(1));
    let group_log = log.group(group, replica).unwrap();
    let db = StateDb::open(&dir.path().join("state"), &owner(Some((group, replica))), FAMILIES, &budget).unwrap();
    let state = State::new(Arc::new(Nothing), db, Box::new(|error| panic!("state failed: {error}")), Blocking::Threads);
    let state = state.unwrap();
    (log, LogStore::new(group_log, Blocking::Threads), StateStore(Arc::new(state)))
}

impl StoreBuilder<TypeConfig, LogStore, StateStore, Guard> for Stores {
    async fn build(&self) -> Result<(Guard, LogStore, StateStore), openraft::StorageError<TypeConfig>> {
        let dir = TempDir::new().unwrap();
        let (log, log_store, state_store) = open(&dir);
        Ok((Guard { log, _dir: dir }, log_store, state_store))
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn openrafts_own_suite_passes() {
    Suite::test_all(Stores).await.unwrap();
}

fn entry(term: u64, index: u64) -> Entry {
    Entry { log_id: LogId::new_term_index(term, index), payload: Payload::Blank }
}

async fn append(store: &mut LogStore, entries: Vec<Entry>) {
    let (done, durable) = oneshot::channel();
    // openraft's own signal is not a tokio sender, so the log below it is used.
    let first = entries[0].log_id.index;
    let stored = entries.iter().map(encode_entry).collect();
    store.log.append(first, stored, Box::new(|result| done.send(result).unwrap())).unwrap();
    durable.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_second_conflict_below_the_first_leaves_the_last_leaders_entries() {
    let dir = TempDir::new().unwrap();
    let (log, mut store, _state) = open(&dir);
    append(&mut store, (0..10).map(|index| entry(1, index)).collect()).await;
    store.truncate_after(Some(LogId::new_term_index(1, 6))).await.unwrap();
    append(&mut store, (7..12).map(|index| entry(2, index)).collect()).await;
    store.truncate_after(Some(LogId::new_term_index(1, 3))).await.unwrap();
    append(&mut store, (4..6).map(|index| entry(3, index)).collect()).await;
    log.shutdown();
    drop((log, store, _state));

    let (log, mut store, _state) = open(&dir);
    let terms = store.try_get_log_entries(..).await.unwrap();
    let terms: Vec<u64> = terms.iter().map(|entry| entry.log_id.leader_id.term).collect();
    assert_eq!(terms, [1, 1, 1, 1, 3, 3]);
    log.shutdown();
}

#[tokio::test]
async fn a_vote_is_on_disk_when_saving_it_returns() {
    let dir = TempDir::new().unwrap();
    let vote = Vote { leader_id: LeaderId::new(7, 3), committed: true };
    let (log, mut store, state) = open(&dir);
    store.save_vote(&vote).await.unwrap();
    log.shutdown();
    drop((log, store, state));
    let (log, mut store, _state) = open(&dir);
    assert_eq!(store.read_vote().await.unwrap(), Some(vote));
    log.shutdown();
}

#[tokio::test]
async fn a_read_is_bounded_by_bytes_and_gives_one_entry_at_least() {
    let dir = TempDir::new().unwrap();
    let (log, mut store, _state) = open(&dir);
    let big = |index| Entry {
        log_id: LogId::new_term_index(1, index),
        payload: Payload::Normal(crate::raft::Command::Machine(vec![0; READ_BYTES * 2].into())),
    };
    append(&mut store, vec![big(0), big(1), entry(1, 2)]).await;
    assert_eq!(store.limited_get_log_entries(0, 3).await.unwrap().len(), 1);
    let streamed: Vec<_> = store.entries_stream(0..3).await.collect().await;
    assert_eq!(streamed.len(), 3);
    log.shutdown();
}
