//! Messages of the transfer service.

use bytes::Bytes;
use renkei_ids::{GroupId, Slot, SlotEpoch, UnixMillis};
use renkei_shard::transfer::{CHUNK_MAX_ROWS, Import, MovedRow, Place, Purge};
use renkei_shard::{Family, Fence, SlotHold};

use crate::Refusal;
use crate::pb::transfer::v1 as pb;
use crate::transfer::{
    CopyProgress, CopySlots, CopyState, HoldSlots, ImportRows, NotFollowed, OrderReply, PurgeReply, PurgeSlots,
};

/// A message between nodes about slots that does not read. It names the field and nothing that stood in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("field {0} is missing or malformed")]
pub struct InvalidTransfer(pub &'static str);

impl From<InvalidTransfer> for Refusal {
    fn from(invalid: InvalidTransfer) -> Self {
        let InvalidTransfer(field) = invalid;
        Self::invalid(field)
    }
}

type Result<T> = core::result::Result<T, InvalidTransfer>;

fn fence(message: Option<pb::Fence>) -> Result<Fence> {
    match message {
        Some(pb::Fence { epoch: epoch @ 1.., stamp }) => Ok(Fence { epoch: SlotEpoch(epoch), stamp }),
        _ => Err(InvalidTransfer("fence")),
    }
}

fn pb_fence(fence: Fence) -> Option<pb::Fence> {
    let Fence { epoch, stamp } = fence;
    Some(pb::Fence { epoch: epoch.0, stamp })
}

fn slot(raw: u32, field: &'static str) -> Result<Slot> {
    Slot::try_from(raw).map_err(|_| InvalidTransfer(field))
}

fn span(message: Option<pb::SlotSpan>) -> Result<(Slot, Slot)> {
    let pb::SlotSpan { first, last } = message.ok_or(InvalidTransfer("slots"))?;
    let (first, last) = (slot(first, "slots.first")?, slot(last, "slots.last")?);
    if first <= last { Ok((first, last)) } else { Err(InvalidTransfer("slots.last")) }
}

fn pb_span((first, last): (Slot, Slot)) -> Option<pb::SlotSpan> {
    Some(pb::SlotSpan { first: u32::from(first.get()), last: u32::from(last.get()) })
}

/// A shard group: the meta group has no slots.
fn group(raw: u32, field: &'static str) -> Result<GroupId> {
    match GroupId(raw) {
        GroupId::META => Err(InvalidTransfer(field)),
        group => Ok(group),
    }
}

impl TryFrom<pb::HoldSlotsRequest> for HoldSlots {
    type Error = InvalidTransfer;

    fn try_from(message: pb::HoldSlotsRequest) -> Result<Self> {
        let pb::HoldSlotsRequest { group: of, fence: at, slots, hold, round } = message;
        let hold = match (pb::Hold::try_from(hold), round) {
            (Ok(pb::Hold::Owned), 0) => SlotHold::Owned,
            (Ok(pb::Hold::Moving), 1..) => SlotHold::Moving { round },
            (Ok(pb::Hold::Frozen), 1..) => SlotHold::Frozen { round },
            (Ok(pb::Hold::Promised), 1..) => SlotHold::Promised { round },
            (Ok(pb::Hold::Incoming), 0) => SlotHold::Incoming,
            (Ok(pb::Hold::Gone), 0) => SlotHold::Gone,
            _ => return Err(InvalidTransfer("hold")),
        };
        Ok(Self { group: group(of, "group")?, fence: fence(at)?, slots: span(slots)?, hold })
    }
}

impl From<HoldSlots> for pb::HoldSlotsRequest {
    fn from(order: HoldSlots) -> Self {
        let HoldSlots { group, fence, slots, hold } = order;
        let (hold, round) = match hold {
            SlotHold::Owned => (pb::Hold::Owned, 0),
            SlotHold::Moving { round } => (pb::Hold::Moving, round),
            SlotHold::Frozen { round } => (pb::Hold::Frozen, round),
            SlotHold::Promised { round } => (pb::Hold::Promised, round),
            SlotHold::Incoming => (pb::Hold::Incoming, 0),
            SlotHold::Gone | SlotHold::Purged => (pb::Hold::Gone, 0),
        };
        Self { group: group.0, fence: pb_fence(fence), slots: pb_span(slots), hold: hold.into(), round }
    }
}

/// `None` for one that is not given.
fn outcome(raw: i32) -> Result<Option<core::result::Result<(), NotFollowed>>> {
    match pb::OrderOutcome::try_from(raw) {
        Ok(pb::OrderOutcome::Unspecified) => Ok(None),
        Ok(pb::OrderOutcome::Followed) => Ok(Some(Ok(()))),
        Ok(pb::OrderOutcome::Fenced) => Ok(Some(Err(NotFollowed::Fenced))),
        Ok(pb::OrderOutcome::OutOfOrder) => Ok(Some(Err(NotFollowed::OutOfOrder))),
        Err(_) => Err(InvalidTransfer("outcome")),
    }
}

fn pb_outcome(outcome: core::result::Result<(), NotFollowed>) -> i32 {
    match outcome {
        Ok(()) => pb::OrderOutcome::Followed,
        Err(NotFollowed::Fenced) => pb::OrderOutcome::Fenced,
        Err(NotFollowed::OutOfOrder) => pb::OrderOutcome::OutOfOrder,
    }
    .into()
}

impl TryFrom<pb::OrderReply> for OrderReply {
    type Error = InvalidTransfer;

    fn try_from(message: pb::OrderReply) -> Result<Self> {
        let pb::OrderReply { outcome: of } = message;
        outcome(of)?.map(Self).ok_or(InvalidTransfer("outcome"))
    }
}

impl From<OrderReply> for pb::OrderReply {
    fn from(reply: OrderReply) -> Self {
        let OrderReply(outcome) = reply;
        Self { outcome: pb_outcome(outcome) }
    }
}

impl TryFrom<pb::CopySlotsRequest> for CopySlots {
    type Error = InvalidTransfer;

    fn try_from(message: pb::CopySlotsRequest) -> Result<Self> {
        let pb::CopySlotsRequest { from_group, to_group, fence: at, slots, after } = message;
        Ok(Self {
            from: group(from_group, "from_group")?,
            to: group(to_group, "to_group")?,
            fence: fence(at)?,
            slots: span(slots)?,
            after: match after.is_empty() {
                true => None,
                false => Some(place(&after, "after")?),
            },
        })
    }
}

impl From<CopySlots> for pb::CopySlotsRequest {
    fn from(copy: CopySlots) -> Self {
        let CopySlots { from, to, fence, slots, after } = copy;
        Self {
            from_group: from.0,
            to_group: to.0,
            fence: pb_fence(fence),
            slots: pb_span(slots),
            after: after.map_or_else(Bytes::new, |after| after.encode()),
        }
    }
}

fn place(bytes: &Bytes, field: &'static str) -> Result<Place> {
    Place::decode(bytes).map_err(|_| InvalidTransfer(field))
}

impl TryFrom<pb::CopyProgress> for CopyProgress {
    type Error = InvalidTransfer;

    fn try_from(message: pb::CopyProgress) -> Result<Self> {
        let pb::CopyProgress { rows, bytes, place: at, outcome: of } = message;
        let state = match (outcome(of)?, at.is_empty()) {
            (None, false) => CopyState::UnderWay(place(&at, "place")?),
            (Some(Ok(())), true) => CopyState::Done,
            (Some(Err(reason)), true) => CopyState::NotFollowed(reason),
            (None, true) | (Some(_), false) => return Err(InvalidTransfer("place")),
        };
        Ok(Self { rows, bytes, state })
    }
}

impl From<CopyProgress> for pb::CopyProgress {
    fn from(progress: CopyProgress) -> Self {
        let CopyProgress { rows, bytes, state } = progress;
        let (place, outcome) = match state {
            CopyState::UnderWay(place) => (place.encode(), pb::OrderOutcome::Unspecified.into()),
            CopyState::Done => (Bytes::new(), pb_outcome(Ok(()))),
            CopyState::NotFollowed(reason) => (Bytes::new(), pb_outcome(Err(reason))),
        };
        Self { rows, bytes, place, outcome }
    }
}

impl TryFrom<pb::MovedRow> for MovedRow {
    type Error = InvalidTransfer;

    fn try_from(message: pb::MovedRow) -> Result<Self> {
        let pb::MovedRow { family, key, value } = message;
        let family = u8::try_from(family).ok().and_then(Family::from_number).ok_or(InvalidTransfer("rows.family"))?;
        let row = Self { family, key, value };
        if row.moves() { Ok(row) } else { Err(InvalidTransfer("rows.key")) }
    }
}

impl From<MovedRow> for pb::MovedRow {
    fn from(row: MovedRow) -> Self {
        let MovedRow { family, key, value } = row;
        Self { family: u32::from(family as u8), key, value }
    }
}

impl TryFrom<pb::ImportRowsRequest> for ImportRows {
    type Error = InvalidTransfer;

    fn try_from(message: pb::ImportRowsRequest) -> Result<Self> {
        let pb::ImportRowsRequest { group: of, fence: at, time_ms, rows } = message;
        if rows.is_empty() || rows.len() > CHUNK_MAX_ROWS {
            return Err(InvalidTransfer("rows"));
        }
        let rows = rows.into_iter().map(MovedRow::try_from).collect::<Result<_>>()?;
        Ok(Self { group: group(of, "group")?, import: Import { fence: fence(at)?, time: UnixMillis(time_ms), rows } })
    }
}

impl From<ImportRows> for pb::ImportRowsRequest {
    fn from(request: ImportRows) -> Self {
        let ImportRows { group, import: Import { fence, time, rows } } = request;
        Self {
            group: group.0,
            fence: pb_fence(fence),
            time_ms: time.0,
            rows: rows.into_iter().map(pb::MovedRow::from).collect(),
        }
    }
}

impl TryFrom<pb::PurgeSlotsRequest> for PurgeSlots {
    type Error = InvalidTransfer;

    fn try_from(message: pb::PurgeSlotsRequest) -> Result<Self> {
        let pb::PurgeSlotsRequest { group: of, fence: at, slots } = message;
        Ok(Self { group: group(of, "group")?, purge: Purge { fence: fence(at)?, range: span(slots)? } })
    }
}

impl From<PurgeSlots> for pb::PurgeSlotsRequest {
    fn from(request: PurgeSlots) -> Self {
        let PurgeSlots { group, purge: Purge { fence, range } } = request;
        Self { group: group.0, fence: pb_fence(fence), slots: pb_span(range) }
    }
}

impl TryFrom<pb::PurgeSlotsReply> for PurgeReply {
    type Error = InvalidTransfer;

    fn try_from(message: pb::PurgeSlotsReply) -> Result<Self> {
        let pb::PurgeSlotsReply { outcome: of, next } = message;
        let next = next.map(|next| slot(next, "next")).transpose()?;
        match (outcome(of)?, next) {
            (Some(Ok(())), next) => Ok(Self(Ok(next))),
            (Some(Err(reason)), None) => Ok(Self(Err(reason))),
            _ => Err(InvalidTransfer("outcome")),
        }
    }
}

impl From<PurgeReply> for pb::PurgeSlotsReply {
    fn from(reply: PurgeReply) -> Self {
        let PurgeReply(purged) = reply;
        let next = purged.ok().flatten().map(|slot| u32::from(slot.get()));
        Self { outcome: pb_outcome(purged.map(drop)), next }
    }
}
