//! Every identifier and unit of the system, in one registry.
//!
//! Invariant: depends on nothing of ours, and no other crate passes an id as a `String` or a bare integer.
//!
//! Two families: [`opaque`] ids point at patients, so their `Debug` shows the kind and no content and they have no
//! `Display`; [`infra`] ids name machines and groups and may be logged.

mod infra;
mod opaque;
mod random;
mod time;

pub use infra::{
    CellId, CloudId, DenyEpoch, DirectoryVersion, DiskId, GroupId, InstitutionId, InvalidSlot, KeyholderId, LeaderTerm,
    LogId, NameHash, NodeId, PseudonymEpoch, ReplicaId, SLOTS, Slot, SlotEpoch,
};
pub use opaque::{
    ActorTag, AttributeTag, BindingId, BindingTag, CapabilityId, ClassTag, ContentTag, GrantId, HeaderDigest, IdemTag,
    InstTag, InvalidLength, KeyHash, MemberIndex, PersonId, PersonMark, Pid, PresenceTag, RecordId, RequestId,
    ResidentIndex, TicketId, TokenHash,
};
pub use random::Random;
pub use time::{Clock, InvalidMonth, MonthBucket, SizeBucket, UnixDay, UnixMillis, UnixMinute};

/// Version of a record: 1 for the first, one more for each replacement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordVersion(u32);

impl RecordVersion {
    /// The version a create stores.
    pub const FIRST: Self = Self(1);

    /// A version read from bytes; zero is no version.
    pub const fn new(value: u32) -> Option<Self> {
        if value == 0 { None } else { Some(Self(value)) }
    }

    /// The number, for encoding.
    pub const fn get(self) -> u32 {
        self.0
    }

    /// The next version, or `None` when the last possible one is stored.
    pub const fn next(self) -> Option<Self> {
        match self.0.checked_add(1) {
            Some(value) => Some(Self(value)),
            None => None,
        }
    }
}

/// Position of an audit row in its patient's own history: 1, 2, 3, … without gaps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AuditSeq(pub u64);

/// Position of an audit leaf in the log that [`LogId`] names, from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LeafIndex(pub u64);
