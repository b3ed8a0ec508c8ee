//! Slots on their way between groups: the orders of the controller, and the rows, which enter the target group by its
//! log.
//!
//! Only nodes call this service. What is ordered is decided in apply, by fence and state of each slot; here leaders are
//! found and rows are read and sent. Why nothing is lost or doubled: `renkei_shard::transfer`.

mod copy;
mod leaders;

use std::pin::Pin;

use futures::Stream;
use renkei_faults::{Point, reached};
use renkei_ids::GroupId;
use renkei_runtime::{PeerIdentity, Role};
use renkei_shard::transfer::{Import, MovedRow};
use renkei_shard::{Item, SlotChange, SlotHold, Verdict};
use renkei_wire::pb::transfer::v1 as pb;
use renkei_wire::transfer::{CopySlots, HoldSlots, ImportRows, NotFollowed, OrderReply, PurgeReply, PurgeSlots};
use renkei_wire::{ErrorCode, Refusal, TransferService};
use tonic::{Request, Response, Status};

use crate::serve::{Led, Server, verdicts};
pub(crate) use leaders::{Client, Leaders};

/// The service towards other nodes.
#[derive(Clone, Debug)]
pub(crate) struct Transfers {
    pub(crate) server: Server,
    pub(crate) leaders: Leaders,
}

type Progress = Pin<Box<dyn Stream<Item = Result<pb::CopyProgress, Status>> + Send>>;

fn admit<T>(request: &Request<T>) -> Result<(), Refusal> {
    let caller = request.extensions().get::<PeerIdentity>();
    match caller.is_some_and(|caller| caller.role == Role::Node) {
        true => Ok(()),
        false => Err(Refusal::new(ErrorCode::RoleNotAllowed)),
    }
}

impl Transfers {
    /// Has something decided by a group that is led from here.
    async fn decide(&self, group: GroupId, item: Item) -> Result<Verdict, Refusal> {
        let Led { replica: _, proposer, under } = self.server.lead(group)?;
        let recorded = proposer.record(under, item.encode()).await;
        recorded.map(|(verdict, _)| verdict).map_err(|reason| self.server.not_recorded(reason))
    }

    async fn import(&self, group: GroupId, import: Import) -> Result<Verdict, Refusal> {
        self.server.disk.admit_writes().map_err(verdicts::disk_low)?;
        let bytes = import.rows.iter().map(MovedRow::bytes).sum();
        let _held = self.server.admission.admit(bytes)?;
        self.decide(group, Item::Import(import)).await
    }
}

/// Where a leader may die that has its slots held so.
fn followed_at(hold: SlotHold) -> Point {
    match hold {
        SlotHold::Moving { .. } => Point::SlotsMoving,
        SlotHold::Incoming => Point::SlotsAwaited,
        SlotHold::Frozen { .. } => Point::SlotsFrozen,
        SlotHold::Promised { .. } => Point::SlotsPromised,
        SlotHold::Owned => Point::SlotsOwned,
        SlotHold::Gone | SlotHold::Purged => Point::SlotsGone,
    }
}

fn followed(verdict: Verdict) -> Result<Result<(), NotFollowed>, Refusal> {
    match verdict {
        Verdict::Changed => Ok(Ok(())),
        Verdict::Fenced => Ok(Err(NotFollowed::Fenced)),
        Verdict::OutOfOrder => Ok(Err(NotFollowed::OutOfOrder)),
        verdict => Err(undecided(verdict)),
    }
}

fn undecided(verdict: Verdict) -> Refusal {
    Refusal::new(match verdict {
        Verdict::NotFounded => ErrorCode::Unavailable,
        _ => ErrorCode::InvalidArgument,
    })
}

#[tonic::async_trait]
impl TransferService for Transfers {
    type CopySlotsStream = Progress;

    async fn hold_slots(&self, request: Request<pb::HoldSlotsRequest>) -> Result<Response<pb::OrderReply>, Status> {
        admit(&request)?;
        let HoldSlots { group, fence, slots, hold } =
            HoldSlots::try_from(request.into_inner()).map_err(Refusal::from)?;
        let change = SlotChange { fence, hold, ranges: vec![slots] };
        let outcome = followed(self.decide(group, Item::Slots(change)).await?)?;
        if outcome.is_ok() {
            reached(followed_at(hold));
        }
        Ok(Response::new(OrderReply(outcome).into()))
    }

    async fn copy_slots(&self, request: Request<pb::CopySlotsRequest>) -> Result<Response<Progress>, Status> {
        admit(&request)?;
        let request = CopySlots::try_from(request.into_inner()).map_err(Refusal::from)?;
        let Led { replica, .. } = self.server.lead(request.from)?;
        let progress = copy::copy(self.server.clone(), self.leaders.clone(), replica.view(), request);
        Ok(Response::new(Box::pin(progress)))
    }

    async fn import_rows(&self, request: Request<pb::ImportRowsRequest>) -> Result<Response<pb::OrderReply>, Status> {
        admit(&request)?;
        let ImportRows { group, import } = ImportRows::try_from(request.into_inner()).map_err(Refusal::from)?;
        let verdict = self.import(group, import).await?;
        reached(Point::RowsImported);
        Ok(Response::new(OrderReply(followed(verdict)?).into()))
    }

    async fn purge_slots(
        &self,
        request: Request<pb::PurgeSlotsRequest>,
    ) -> Result<Response<pb::PurgeSlotsReply>, Status> {
        admit(&request)?;
        let PurgeSlots { group, purge } = PurgeSlots::try_from(request.into_inner()).map_err(Refusal::from)?;
        let purged = match self.decide(group, Item::Purge(purge)).await? {
            Verdict::Purged { next } => {
                reached(Point::SlotsPurged);
                Ok(next)
            }
            Verdict::Fenced => Err(NotFollowed::Fenced),
            Verdict::OutOfOrder => Err(NotFollowed::OutOfOrder),
            verdict => return Err(undecided(verdict).into()),
        };
        Ok(Response::new(PurgeReply(purged).into()))
    }
}
