use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures::StreamExt;
use futures::stream::FuturesOrdered;
use renkei_faults::{Point, reached};
use renkei_storage::StorageError;
use renkei_storage::state::Checkpoint;
use tokio::task::JoinError;

use super::SnapshotData;
use crate::message::{Reply, Request, SnapshotFile, SnapshotStep};
use crate::network::{Peer, PeerError};
use crate::raft::{SnapshotOf, Vote};
use crate::transport::Lane;

/// Size of one piece: small enough that pieces of several groups interleave.
const PIECE_BYTES: usize = 256 << 10;

/// Pieces sent and not yet taken.
const MAX_PIECES_IN_FLIGHT: usize = 4;

const STEP_TTL: Duration = Duration::from_secs(10);

/// The receiver hashes and opens everything before it answers a commit; 16 MiB/s is a slow disk.
const COMMIT_BYTES_PER_SECOND: u64 = 16 << 20;
const COMMIT_MIN_TTL: Duration = Duration::from_secs(60);

#[derive(Debug, thiserror::Error)]
pub(crate) enum SendSnapshotError {
    #[error("send a piece of a snapshot")]
    Peer(#[from] PeerError),
    #[error("read a piece of a checkpoint")]
    Read(#[from] StorageError),
    #[error("read a piece of a checkpoint on a blocking thread")]
    Thread(#[from] JoinError),
    #[error("a received snapshot is installed, not sent on")]
    NotStored,
}

/// Sends a checkpoint and gives the vote of the replica that installed it.
pub(crate) async fn send_snapshot(
    peer: &Peer,
    vote: Vote,
    snapshot: SnapshotOf<SnapshotData>,
) -> Result<Vote, SendSnapshotError> {
    static TRANSFERS: AtomicU64 = AtomicU64::new(1);
    let SnapshotData::Stored(checkpoint) = snapshot.snapshot else {
        return Err(SendSnapshotError::NotStored);
    };
    let transfer = TRANSFERS.fetch_add(1, Ordering::Relaxed);
    let files = checkpoint.files().to_vec();
    let step = |step| Request::Snapshot { transfer, step }.encode();

    let announced =
        files.iter().map(|file| SnapshotFile { name: file.name.clone(), len: file.len, sha256: file.sha256 });
    let begin = SnapshotStep::Begin { vote, meta: snapshot.meta, files: announced.collect() };
    taken(peer.call(Lane::Snapshot, step(begin), STEP_TTL).await?)?;

    let mut answers = FuturesOrdered::new();
    for (file, index) in files.iter().zip(0_u32..) {
        let mut offset = 0;
        while offset < file.len {
            if answers.len() == MAX_PIECES_IN_FLIGHT
                && let Some(answer) = answers.next().await
            {
                taken(answer?)?;
            }
            let bytes = read_piece(peer, checkpoint.clone(), file.name.clone(), offset).await?;
            let len = bytes.len() as u64;
            let piece = SnapshotStep::Piece { file: index, offset, bytes };
            answers.push_back(peer.call(Lane::Snapshot, step(piece), STEP_TTL));
            reached(Point::SnapshotSent);
            offset += len;
        }
    }
    while let Some(answer) = answers.next().await {
        taken(answer?)?;
    }

    let ttl = COMMIT_MIN_TTL + Duration::from_secs(checkpoint.total_bytes() / COMMIT_BYTES_PER_SECOND);
    match peer.call(Lane::Snapshot, step(SnapshotStep::Commit), ttl).await? {
        Reply::Installed(vote) => Ok(vote),
        _ => Err(PeerError::Mismatched.into()),
    }
}

fn taken(reply: Reply) -> Result<(), PeerError> {
    if reply == Reply::Taken { Ok(()) } else { Err(PeerError::Mismatched) }
}

async fn read_piece(
    peer: &Peer,
    checkpoint: Checkpoint,
    name: String,
    offset: u64,
) -> Result<bytes::Bytes, SendSnapshotError> {
    Ok(peer.blocking().run(move || checkpoint.read_piece(&name, offset, PIECE_BYTES)).await??)
}
