use std::sync::Arc;
use std::time::Duration;

use renkei_faults::{Point, reached};
use renkei_ids::ReplicaId;
use renkei_storage::StorageError;
use renkei_storage::state::{IncomingSnapshot, SnapshotFile, VerifiedSnapshot};
use tokio::sync::Mutex;
use tokio::task::JoinError;
use tokio::time::Instant;

use crate::blocking::Blocking;
use crate::message::SnapshotStep;
use crate::raft::{Meta, Vote};
use crate::state::State;

/// A transfer whose sender is silent for so long has been abandoned.
const IDLE_LIMIT: Duration = Duration::from_secs(60);

/// Why a step of a transfer is refused. The sender starts over.
#[derive(Debug, thiserror::Error)]
pub enum ReceiveSnapshotError {
    /// The transfer was never begun, failed earlier, was abandoned, or another one took its place.
    #[error("no such transfer is under way")]
    UnknownTransfer,
    /// A piece of a file that was not announced.
    #[error("file {0} was not announced")]
    UnknownFile(u32),
    /// The storage refused a piece, or failed to store it.
    #[error("store a received snapshot")]
    Storage(#[from] StorageError),
    /// The blocking thread ended early.
    #[error("store a received snapshot on a blocking thread")]
    Thread(#[from] JoinError),
}

/// Takes the steps of transfers to one replica, in order and one transfer at a time.
pub(crate) struct Receiver {
    state: Arc<State>,
    current: Mutex<Option<Transfer>>,
}

struct Transfer {
    from: ReplicaId,
    number: u64,
    vote: Vote,
    meta: Meta,
    names: Vec<String>,
    incoming: IncomingSnapshot,
    last_step: Instant,
}

/// What a step leads to.
pub(crate) enum Received {
    Taken,
    /// All files are as announced: to be handed to Raft.
    Whole {
        vote: Vote,
        meta: Meta,
        snapshot: VerifiedSnapshot,
    },
}

impl Receiver {
    pub(crate) fn new(state: Arc<State>) -> Self {
        Self { state, current: Mutex::new(None) }
    }

    /// Steps take their turn in the order in which the futures are first polled.
    pub(crate) async fn step(
        &self,
        from: ReplicaId,
        number: u64,
        step: SnapshotStep,
    ) -> Result<Received, ReceiveSnapshotError> {
        let mut current = self.current.lock().await;
        // Taken out: a step that fails, or is dropped half-way, ends the transfer and deletes its files.
        let transfer = current.take();
        if let SnapshotStep::Begin { vote, meta, files } = step {
            drop(transfer);
            *current = Some(self.begin(from, number, vote, meta, files).await?);
            return Ok(Received::Taken);
        }
        let transfer = match transfer {
            Some(transfer) if transfer.from == from && transfer.number == number => transfer,
            other => {
                *current = other;
                return Err(ReceiveSnapshotError::UnknownTransfer);
            }
        };
        match step {
            SnapshotStep::Piece { file, offset, bytes } => {
                *current = Some(transfer.piece(self.state.blocking(), file, offset, bytes).await?);
                Ok(Received::Taken)
            }
            SnapshotStep::Begin { .. } | SnapshotStep::Commit => {
                let Transfer { vote, meta, incoming, .. } = transfer;
                let verified = self.state.blocking().run(move || incoming.verify()).await?;
                let snapshot = verified.inspect_err(|error| tracing::warn!(%from, %error, "snapshot refused"))?;
                reached(Point::SnapshotWhole);
                Ok(Received::Whole { vote, meta, snapshot })
            }
        }
    }

    async fn begin(
        &self,
        from: ReplicaId,
        number: u64,
        vote: Vote,
        meta: Meta,
        files: Vec<crate::message::SnapshotFile>,
    ) -> Result<Transfer, ReceiveSnapshotError> {
        let names = files.iter().map(|file| file.name.clone()).collect();
        let files = files.into_iter().map(|file| SnapshotFile { name: file.name, len: file.len, sha256: file.sha256 });
        let files = files.collect();
        let db = self.state.db();
        let incoming = self.state.blocking().run(move || db.receive(files)).await??;
        reached(Point::SnapshotBegun);
        Ok(Transfer { from, number, vote, meta, names, incoming, last_step: Instant::now() })
    }

    /// Gives up a transfer whose sender has gone silent.
    pub(crate) fn drop_abandoned(&self) {
        if let Ok(mut current) = self.current.try_lock()
            && current.as_ref().is_some_and(|transfer| transfer.last_step.elapsed() > IDLE_LIMIT)
        {
            *current = None;
        }
    }
}

impl Transfer {
    async fn piece(
        mut self,
        blocking: &Blocking,
        file: u32,
        offset: u64,
        bytes: bytes::Bytes,
    ) -> Result<Self, ReceiveSnapshotError> {
        let name = usize::try_from(file).ok().and_then(|file| self.names.get(file)).cloned();
        let name = name.ok_or(ReceiveSnapshotError::UnknownFile(file))?;
        let stored = blocking.run(move || {
            self.incoming.write_piece(&name, offset, &bytes)?;
            reached(Point::SnapshotStored);
            self.last_step = Instant::now();
            Ok(self)
        });
        stored.await?
    }
}
