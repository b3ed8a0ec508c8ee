//! A replica's applied state: openraft's state machine over a [`StateDb`].

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arc_swap::ArcSwap;
use bytes::{BufMut, Bytes, BytesMut};
use futures::{Stream, StreamExt};
use openraft::storage::{ApplyResponder, EntryResponder, RaftStateMachine};
use openraft::{OptionalSend, RaftSnapshotBuilder};
use renkei_faults::{Point, reached};
use renkei_storage::StorageError;
use renkei_storage::state::{Checkpoint, StateDb, VerifiedSnapshot, View};
use tokio::task::JoinError;

use crate::blocking::Blocking;
use crate::codec::CodecError;
use crate::machine::{EntryAt, StateMachine};
use crate::raft::{Command, Entry, LogId, Meta, Payload, SnapshotOf, StoredMembers, TypeConfig};
use crate::snapshot::SnapshotData;
use crate::stored::Marker;

/// Entries of one batch at most; a batch is one commit of the state DB.
const MAX_BATCH_ENTRIES: usize = 1024;

/// Bytes of commands of one batch at most; one command is always taken.
const MAX_BATCH_BYTES: usize = 4 << 20;

/// Bytes of a file that are copied at once when a local checkpoint is installed.
const COPY_BYTES: usize = 1 << 20;

type Item = EntryResponder<TypeConfig>;

/// Why the applied state cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// The state DB failed.
    #[error("read or write the state")]
    Storage(#[from] StorageError),
    /// The marker of applied state is not one of ours.
    #[error("read the marker of applied state")]
    Marker(#[from] CodecError),
    /// A snapshot holds another state than the one announced.
    #[error("the snapshot's content is not at the announced index")]
    NotAsAnnounced,
    /// The state machine panicked, or the runtime is shutting down.
    #[error("work on the state on a blocking thread")]
    Thread(#[from] JoinError),
}

impl From<StateError> for io::Error {
    fn from(error: StateError) -> Self {
        Self::other(error)
    }
}

/// The digest of a state at an index: equal on every replica of the group, or one of them is damaged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Digest {
    /// Index of the entry that asked for it; every earlier entry is in it.
    pub index: u64,
    /// SHA-256 over all families that are not local.
    pub sha256: [u8; 32],
}

impl Digest {
    const LEN: usize = 8 + 32;

    fn encode(&self) -> Bytes {
        let mut bytes = BytesMut::with_capacity(Self::LEN);
        bytes.put_u64(self.index);
        bytes.put_slice(&self.sha256);
        bytes.freeze()
    }

    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let (index, sha256) = bytes.split_first_chunk::<8>()?;
        Some(Self { index: u64::from_be_bytes(*index), sha256: sha256.try_into().ok()? })
    }
}

/// Told of a failure that openraft does not learn of.
pub(crate) type StateFailed = Box<dyn Fn(StorageError) + Send + Sync>;

/// What is shared between the applier, the builder of snapshots and the readers of one replica.
pub(crate) struct State {
    machine: Arc<dyn StateMachine>,
    failed: StateFailed,
    blocking: Blocking,
    db: ArcSwap<StateDb>,
    marker: Mutex<Marker>,
    applied_term: AtomicU64,
    digest: Mutex<Option<Digest>>,
    /// Checkpoints and installs exclude each other.
    files: Mutex<()>,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A panic on a blocking thread ends the replica; what the others still read here is whole.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl State {
    pub(crate) fn new(
        machine: Arc<dyn StateMachine>,
        db: StateDb,
        failed: StateFailed,
        blocking: Blocking,
    ) -> Result<Self, StateError> {
        let marker = stored_marker(db.applied()?)?;
        Ok(Self {
            machine,
            failed,
            blocking,
            applied_term: AtomicU64::new(marker.applied.map_or(0, |id| id.leader_id.term)),
            db: ArcSwap::from_pointee(db),
            marker: Mutex::new(marker),
            digest: Mutex::new(None),
            files: Mutex::new(()),
        })
    }

    pub(crate) fn db(&self) -> StateDb {
        StateDb::clone(&self.db.load())
    }

    pub(crate) fn blocking(&self) -> &Blocking {
        &self.blocking
    }

    pub(crate) fn view(&self) -> View {
        self.db.load().view()
    }

    /// Term of the last entry in the state, 0 before the first.
    pub(crate) fn applied_term(&self) -> u64 {
        self.applied_term.load(Ordering::Acquire)
    }

    pub(crate) fn applied(&self) -> Option<LogId> {
        locked(&self.marker).applied
    }

    pub(crate) fn last_digest(&self) -> Option<Digest> {
        *locked(&self.digest)
    }

    /// Applies a batch. Answers leave when it is committed, never earlier.
    fn apply(self: &Arc<Self>, batch: Vec<Item>) -> Result<(), StateError> {
        let db = self.db();
        let mut marker = locked(&self.marker).clone();
        let mut batch = batch.into_iter().peekable();
        while batch.peek().is_some() {
            let mut staged = db.staged();
            let mut answers = Vec::new();
            let mut digest_for = None;
            for (entry, responder) in batch.by_ref() {
                let Entry { log_id, payload } = entry;
                marker.applied = Some(log_id);
                let reply = match payload {
                    Payload::Blank => Bytes::new(),
                    Payload::Normal(Command::Machine(command)) => {
                        let at = EntryAt { term: log_id.leader_id.term, index: log_id.index };
                        self.machine.apply(&mut staged, at, &command)?
                    }
                    Payload::Membership(members) => {
                        marker.members = StoredMembers::new(Some(log_id), members);
                        Bytes::new()
                    }
                    Payload::Normal(Command::Digest) => {
                        // The batch ends here, so that the view below holds exactly what came before.
                        digest_for = Some((log_id.index, responder));
                        break;
                    }
                };
                answers.extend(responder.map(|responder| (responder, reply)));
            }
            reached(Point::ApplyCommit);
            db.commit(staged, marker.encode(), &[])?;
            reached(Point::ApplyCommitted);
            self.publish(&marker);
            for (responder, reply) in answers {
                responder.send(reply);
            }
            reached(Point::ApplyAnswered);
            if let Some((index, responder)) = digest_for {
                self.compute_digest(db.view(), index, responder);
            }
        }
        Ok(())
    }

    fn publish(&self, marker: &Marker) {
        *locked(&self.marker) = marker.clone();
        if let Some(applied) = marker.applied {
            self.machine.applied(applied.index);
            // Leads to reads: the state they see is committed above.
            self.applied_term.store(applied.leader_id.term, Ordering::Release);
        }
    }

    /// Beside the applier: a digest reads everything.
    fn compute_digest(self: &Arc<Self>, view: View, index: u64, responder: Option<ApplyResponder<TypeConfig>>) {
        let state = Arc::clone(self);
        self.blocking.detach(move || match view.digest() {
            Ok(sha256) => {
                let digest = Digest { index, sha256 };
                let mut last = locked(&state.digest);
                if last.is_none_or(|last| last.index < index) {
                    *last = Some(digest);
                }
                drop(last);
                if let Some(responder) = responder {
                    responder.send(digest.encode());
                }
            }
            Err(error) => (state.failed)(error),
        });
    }

    /// Nothing more is written, and nothing is being written to the files any more: they can be deleted.
    pub(crate) fn retire(&self) {
        let _files = locked(&self.files);
        self.db().retire();
    }

    fn checkpoint(&self) -> Result<SnapshotOf<SnapshotData>, StateError> {
        let _files = locked(&self.files);
        snapshot_of(self.db().checkpoint()?)
    }

    fn install(&self, meta: &Meta, snapshot: SnapshotData) -> Result<(), StateError> {
        let _files = locked(&self.files);
        let old = self.db();
        let snapshot = match snapshot {
            SnapshotData::Received(snapshot) => snapshot,
            SnapshotData::Stored(checkpoint) => copied(&old, &checkpoint)?,
        };
        let db = old.install(snapshot)?;
        let marker = stored_marker(db.applied()?)?;
        if marker.applied != meta.last_log_id || marker.members != meta.last_membership {
            return Err(StateError::NotAsAnnounced);
        }
        // What was installed is also the snapshot to send on.
        db.checkpoint()?;
        self.db.store(Arc::new(db));
        *locked(&self.marker) = marker.clone();
        if let Some(applied) = marker.applied {
            self.machine.replaced(applied.index);
            self.applied_term.store(applied.leader_id.term, Ordering::Release);
        }
        Ok(())
    }
}

fn stored_marker(bytes: Option<Bytes>) -> Result<Marker, StateError> {
    Ok(bytes.map(Marker::decode).transpose()?.unwrap_or_default())
}

/// What a checkpoint says of itself: entries may have been applied since it was asked for.
fn snapshot_of(checkpoint: Checkpoint) -> Result<SnapshotOf<SnapshotData>, StateError> {
    let Marker { applied, members } = stored_marker(checkpoint.applied())?;
    let meta = Meta { last_log_id: applied, last_membership: members };
    Ok(SnapshotOf { meta, snapshot: SnapshotData::Stored(checkpoint) })
}

fn copied(db: &StateDb, checkpoint: &Checkpoint) -> Result<VerifiedSnapshot, StorageError> {
    let mut incoming = db.receive(checkpoint.files().to_vec())?;
    for file in checkpoint.files() {
        let mut offset = 0;
        while offset < file.len {
            let piece = checkpoint.read_piece(&file.name, offset, COPY_BYTES)?;
            incoming.write_piece(&file.name, offset, &piece)?;
            offset += piece.len() as u64;
        }
    }
    incoming.verify()
}

/// openraft's side of a [`State`].
#[derive(Clone)]
pub(crate) struct StateStore(pub(crate) Arc<State>);

impl StateStore {
    async fn blocking<T, F>(&self, work: F) -> Result<T, StateError>
    where
        T: Send + 'static,
        F: FnOnce(&Arc<State>) -> Result<T, StateError> + Send + 'static,
    {
        let state = Arc::clone(&self.0);
        self.0.blocking.run(move || work(&state)).await?
    }
}

impl RaftStateMachine<TypeConfig> for StateStore {
    type SnapshotData = SnapshotData;
    type SnapshotBuilder = Self;

    async fn applied_state(&mut self) -> Result<(Option<LogId>, StoredMembers), io::Error> {
        let Marker { applied, members } = locked(&self.0.marker).clone();
        Ok((applied, members))
    }

    async fn apply<Strm>(&mut self, mut entries: Strm) -> Result<(), io::Error>
    where
        Strm: Stream<Item = Result<Item, io::Error>> + Unpin + OptionalSend,
    {
        let mut batch: Vec<Item> = Vec::new();
        let mut bytes = 0;
        while let Some(item) = entries.next().await {
            let item = item?;
            bytes += match &item.0.payload {
                Payload::Normal(Command::Machine(command)) => command.len(),
                _ => 0,
            };
            batch.push(item);
            if batch.len() == MAX_BATCH_ENTRIES || bytes >= MAX_BATCH_BYTES {
                let batch = std::mem::take(&mut batch);
                self.blocking(move |state| state.apply(batch)).await?;
                bytes = 0;
            }
        }
        if !batch.is_empty() {
            self.blocking(move |state| state.apply(batch)).await?;
        }
        Ok(())
    }

    async fn get_snapshot_builder(&mut self) -> Self {
        self.clone()
    }

    async fn install_snapshot(&mut self, meta: &Meta, snapshot: SnapshotData) -> Result<(), io::Error> {
        let meta = meta.clone();
        Ok(self.blocking(move |state| state.install(&meta, snapshot)).await?)
    }

    async fn get_current_snapshot(&mut self) -> Result<Option<SnapshotOf<SnapshotData>>, io::Error> {
        let latest = self.0.db.load().latest_checkpoint();
        Ok(latest.map(snapshot_of).transpose()?)
    }
}

impl RaftSnapshotBuilder<TypeConfig> for StateStore {
    type SnapshotData = SnapshotData;

    async fn build_snapshot(&mut self) -> Result<SnapshotOf<SnapshotData>, io::Error> {
        Ok(self.blocking(|state| state.checkpoint()).await?)
    }
}
