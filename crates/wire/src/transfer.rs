//! What nodes of one cloud ask of each other while slots move between groups.

use renkei_ids::{GroupId, Slot};
use renkei_shard::transfer::{Import, Place, Purge};
use renkei_shard::{Fence, SlotHold};

/// Has a group hold slots otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HoldSlots {
    /// The group.
    pub group: GroupId,
    /// When this was ordered.
    pub fence: Fence,
    /// First and last slot.
    pub slots: (Slot, Slot),
    /// How; never [`SlotHold::Purged`], which no order brings about.
    pub hold: SlotHold,
}

/// Has the leader of a group copy slots to another group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CopySlots {
    /// The group that they leave.
    pub from: GroupId,
    /// The group that takes them.
    pub to: GroupId,
    /// That of the step.
    pub fence: Fence,
    /// First and last slot.
    pub slots: (Slot, Slot),
    /// Where an earlier call of the same step broke off.
    pub after: Option<Place>,
}

/// Why an order was not followed. Nothing changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotFollowed {
    /// A slot has followed a later order, or awaits another step.
    #[error("the slots follow another order")]
    Fenced,
    /// A slot cannot go from how it stands to what is ordered.
    #[error("the slots do not stand so that this can be done")]
    OutOfOrder,
}

/// How far a copy got.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CopyProgress {
    /// Rows applied at the target so far.
    pub rows: u64,
    /// Bytes of their keys and values.
    pub bytes: u64,
    /// What follows.
    pub state: CopyState,
}

/// What follows a progress.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CopyState {
    /// More; a call that breaks off here goes on there.
    UnderWay(Place),
    /// Nothing: all of the round is applied at the target.
    Done,
    /// Nothing: the slots are not in this step.
    NotFollowed(NotFollowed),
}

/// Rows for the leader of a group that takes slots.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportRows {
    /// The group.
    pub group: GroupId,
    /// The rows.
    pub import: Import,
}

/// Has a group remove some of what slots left behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PurgeSlots {
    /// The group.
    pub group: GroupId,
    /// What.
    pub purge: Purge,
}

/// Whether an order was followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OrderReply(pub Result<(), NotFollowed>);

/// Where to go on with a purge; `None` where nothing is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PurgeReply(pub Result<Option<Slot>, NotFollowed>);
