//! One round of copying, from one view of the source to the leader of the target: one chunk under way at a time.

use std::time::Duration;

use futures::{Stream, stream};
use renkei_faults::{Point, reached};
use renkei_ids::{GroupId, UnixMillis};
use renkei_shard::transfer::{self, CHUNK_MAX_ROWS, Chunk, Import, Leaving, MovedRow, NotLeaving, Place};
use renkei_shard::{ShardError, read};
use renkei_shard_state::{ShardState, storage_error};
use renkei_storage::StorageError;
use renkei_storage::state::View;
use renkei_wire::pb::transfer::v1 as pb;
use renkei_wire::transfer::{CopyProgress, CopySlots, CopyState, ImportRows, NotFollowed, OrderReply};
use renkei_wire::{ErrorCode, Refusal};
use tonic::Status;

use super::Leaders;
use crate::serve::{Server, verdicts};

/// How long the target may be without a leader before the copy breaks off; the controller then goes on with it.
const TARGET_PATIENCE: Duration = Duration::from_secs(20);

/// A copy under way. It goes on as its progress is read, and ends when nobody reads it.
struct Copy {
    server: Server,
    leaders: Leaders,
    view: View,
    request: CopySlots,
    /// Known once the view has been looked at.
    source: Option<Source>,
    rows: u64,
    bytes: u64,
}

#[derive(Clone, Copy)]
struct Source {
    leaving: Leaving,
    time: UnixMillis,
}

/// Copies what the request's step copies, and tells how far it is after each chunk.
pub(super) fn copy(
    server: Server,
    leaders: Leaders,
    view: View,
    request: CopySlots,
) -> impl Stream<Item = Result<pb::CopyProgress, Status>> + Send + 'static {
    // What is copied is read once, and is not to push out what requests need.
    let copy = Copy { server, leaders, view: view.passing_cache(), request, source: None, rows: 0, bytes: 0 };
    stream::unfold(Some(copy), async |copy| {
        let mut copy = copy?;
        match copy.step().await {
            Ok(state) => {
                let progress = CopyProgress { rows: copy.rows, bytes: copy.bytes, state };
                let more = matches!(progress.state, CopyState::UnderWay(_)).then_some(copy);
                Some((Ok(progress.into()), more))
            }
            Err(refusal) => Some((Err(refusal.into()), None)),
        }
    })
}

impl Copy {
    /// One chunk.
    async fn step(&mut self) -> Result<CopyState, Refusal> {
        let source = match self.source {
            Some(source) => source,
            None => match self.look().await? {
                Ok(source) => *self.source.insert(source),
                Err(NotLeaving::Fenced) => return Ok(CopyState::NotFollowed(NotFollowed::Fenced)),
                Err(NotLeaving::Staying) => return Ok(CopyState::NotFollowed(NotFollowed::OutOfOrder)),
            },
        };
        let after = self.request.after.take();
        let Chunk { rows, next } = self.read(source.leaving, after).await?;
        let (count, bytes) = (rows.len(), rows.iter().map(MovedRow::bytes).sum::<usize>());
        if !rows.is_empty() {
            let import = Import { fence: self.request.fence, time: source.time, rows };
            if let Err(reason) = self.send(self.request.to, import).await? {
                return Ok(CopyState::NotFollowed(reason));
            }
            reached(Point::RowsSent);
            self.server.metrics.slot_rows_moved.inc_by(count as u64);
            self.server.metrics.slot_bytes_moved.inc_by(bytes as u64);
        }
        self.rows += count as u64;
        self.bytes += bytes as u64;
        Ok(match next {
            None => CopyState::Done,
            Some(next) => {
                self.request.after = Some(next.clone());
                CopyState::UnderWay(next)
            }
        })
    }

    async fn look(&self) -> Result<Result<Source, NotLeaving>, Refusal> {
        let (view, slots, fence) = (self.view.clone(), self.request.slots, self.request.fence);
        blocking(move || {
            let state = ShardState(&view);
            let leaving = match transfer::leaving(&state, slots, fence)? {
                Ok(leaving) => leaving,
                Err(staying) => return Ok(Err(staying)),
            };
            // A slot that is held is held by a group that was founded.
            let time = read::group_head(&state)?.map_or(UnixMillis(0), |head| head.time);
            Ok(Ok(Source { leaving, time }))
        })
        .await
    }

    async fn read(&self, leaving: Leaving, after: Option<Place>) -> Result<Chunk, Refusal> {
        let view = self.view.clone();
        blocking(move || transfer::chunk(&ShardState(&view), &leaving, after.as_ref(), CHUNK_MAX_ROWS)).await
    }

    async fn send(&self, group: GroupId, import: Import) -> Result<Result<(), NotFollowed>, Refusal> {
        let request = pb::ImportRowsRequest::from(ImportRows { group, import });
        let send = |mut client: super::Client| {
            // Copies no row: they are shared bytes.
            let request = request.clone();
            async move { client.import_rows(request).await }
        };
        let reply = self.leaders.call(group, TARGET_PATIENCE, send).await?;
        let OrderReply(outcome) =
            OrderReply::try_from(reply.into_inner()).map_err(|_| Refusal::new(ErrorCode::Unavailable))?;
        Ok(outcome)
    }
}

async fn blocking<T: Send + 'static>(
    read: impl FnOnce() -> Result<T, ShardError<StorageError>> + Send + 'static,
) -> Result<T, Refusal> {
    tokio::task::spawn_blocking(read)
        .await
        .map_err(|_| Refusal::new(ErrorCode::ShuttingDown))?
        .map_err(|error| verdicts::read_failed(storage_error(error)))
}
