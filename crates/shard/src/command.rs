//! What is replicated: one command is one log entry, and holds items of many patients of one group.
//!
//! An item is encoded once, when its request is admitted; a command is the concatenation of encoded items, so batching
//! copies bytes and encodes nothing again.

use bytes::Bytes;
use renkei_access::{RuleSet, Scope};
use renkei_ids::{
    BindingTag, CapabilityId, ClassTag, ContentTag, IdemTag, InstTag, InvalidLength, LogId, MonthBucket, Pid, RecordId,
    RecordVersion, RequestId, SizeBucket, Slot, UnixMillis,
};
use renkei_merkle::SALT_BYTES;

use crate::format;
use crate::slots::{Fence, SlotHold};
use crate::transfer::{Import, Purge};

pub(crate) mod convert;
mod pb;

/// Most bytes of a summary's ciphertext.
pub const SUMMARY_MAX_BYTES: usize = 64 * 1024;
/// Most bytes of a document's ciphertext: 10 MiB of document and 1 MiB for its envelope.
pub const BODY_MAX_BYTES: usize = 11 * 1024 * 1024;
/// Most record ids in one note: a full timeline page.
pub(crate) const NOTE_RECORDS_MAX: usize = 200;
/// Most bytes of a sealed stub or a sealed actor.
pub(crate) const SEALED_MAX_BYTES: usize = 1024;

/// One log entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// The leader's clock when it proposed. Group time is the latest of these and never goes back.
    pub time: UnixMillis,
    /// Encoded items, in order.
    pub items: Vec<Bytes>,
}

impl Command {
    /// The entry's bytes.
    pub fn encode(&self) -> Bytes {
        format::encode(&pb::Command { time_ms: self.time.0, items: self.items.clone() })
    }

    /// Reads an entry's frame; the items are not looked into.
    ///
    /// # Errors
    /// [`InvalidCommand::Frame`].
    pub fn decode(bytes: &Bytes) -> Result<Self, InvalidCommand> {
        let pb::Command { time_ms, items } = format::decode(bytes).map_err(|_| InvalidCommand::Frame)?;
        Ok(Self { time: UnixMillis(time_ms), items })
    }
}

/// Bytes that are no command or item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidCommand {
    /// No message of a known version.
    #[error("command frame does not read")]
    Frame,
    /// A part that must be there is not, or is over its limit.
    #[error("item has no valid {0}")]
    Field(&'static str),
    /// An id or tag of the wrong length.
    #[error("item field: {0}")]
    Length(#[from] InvalidLength),
}

/// One decision to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "nearly every item is the large one, and lives for one apply")]
pub enum Item {
    /// Something done to a patient under a capability.
    Patient {
        /// Under what.
        access: Access,
        /// What.
        kind: ItemKind,
    },
    /// The group is founded: its log gets its name and it takes its first slots.
    Found {
        /// Drawn at random for this group.
        log: LogId,
        /// What it holds.
        slots: SlotChange,
    },
    /// The group holds slots otherwise from here on.
    Slots(SlotChange),
    /// Rows of slots that come from another group.
    Import(Import),
    /// What is left of slots that went to another group is removed, some rows at a time.
    Purge(Purge),
}

/// A change in what a group holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlotChange {
    /// When it was ordered; a change older than a slot's own is refused.
    pub fence: Fence,
    /// What becomes of the slots.
    pub hold: SlotHold,
    /// First and last slot of each range.
    pub ranges: Vec<(Slot, Slot)>,
}

/// What the leader checked of a capability, and what the row must say of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Access {
    /// The capability.
    pub capability: CapabilityId,
    /// The patient.
    pub pid: Pid,
    /// The institution asked for.
    pub institution: InstTag,
    /// What the capability allows.
    pub scope: Scope,
    /// When it ends.
    pub expires: UnixMillis,
    /// The request.
    pub request: RequestId,
    /// The capability's sealed stub.
    pub stub: Bytes,
    /// The sealed actor.
    pub actor: Bytes,
    /// Salt of the audit leaf, drawn by the leader.
    pub salt: [u8; SALT_BYTES],
}

/// What is done to a patient.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ItemKind {
    /// A read took place at the leader; its answer leaves when this is recorded.
    Note(Note),
    /// Stores a version of a record.
    Put(PutRecord),
    /// Deletes a record for good.
    Delete(DeleteRecord),
    /// Replaces the patient's rules.
    SetRules(SetRules),
    /// Ends a capability before its time.
    Revoke {
        /// Which.
        capability: CapabilityId,
        /// When it would have ended: until then the revocation is kept.
        expires: UnixMillis,
    },
}

/// A read that took place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// What was read.
    pub operation: Operation,
    /// Version of the patient's rules that the read went by.
    pub rules_version: u64,
    /// The records disclosed, at most 200.
    pub records: Vec<RecordId>,
}

/// A version of a record to be stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PutRecord {
    /// The record.
    pub record: RecordId,
    /// The version to be stored; the one before it must be current.
    pub version: RecordVersion,
    /// Month of the record.
    pub month: MonthBucket,
    /// Class of its summary.
    pub summary_class: ClassTag,
    /// Class of its document.
    pub body_class: ClassTag,
    /// Binding it was written under.
    pub binding: BindingTag,
    /// Size of the document.
    pub size: SizeBucket,
    /// Ciphertext of the summary, at most [`SUMMARY_MAX_BYTES`].
    pub summary: Bytes,
    /// Ciphertext of the document, at most [`BODY_MAX_BYTES`].
    pub body: Bytes,
    /// Tag of the client's idempotency key.
    pub idem: IdemTag,
    /// Tag of the request's content.
    pub content: ContentTag,
}

/// A record to be deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeleteRecord {
    /// The record.
    pub record: RecordId,
    /// The version that must be current.
    pub version: RecordVersion,
    /// Tag of the client's idempotency key.
    pub idem: IdemTag,
    /// Tag of the request's content.
    pub content: ContentTag,
}

/// Rules to be set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetRules {
    /// The new rules.
    pub rules: RuleSet,
    /// The version they replace; 0 where none were set.
    pub expected_version: u64,
}

/// What an audit row says was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Operation {
    /// One record was asked for.
    Get = 1,
    /// A timeline page was asked for.
    Timeline = 2,
    /// Audit rows were asked for.
    ListAudit = 3,
    /// A record was to be stored.
    Put = 4,
    /// A record was to be deleted.
    Delete = 5,
    /// Rules were to be set.
    SetRules = 6,
    /// A capability was to be revoked.
    Revoke = 7,
}

/// What an audit row says came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Outcome {
    /// Records were disclosed, or the change was made.
    Done = 1,
    /// There was nothing to disclose or change.
    Nothing = 2,
    /// The stored reply of an earlier request was given.
    Replayed = 3,
    /// Another version was stored.
    VersionConflict = 4,
    /// The idempotency key was used for something else.
    IdempotencyConflict = 5,
    /// The record was deleted before.
    Deleted = 6,
    /// The capability had been revoked.
    DeniedRevoked = 7,
    /// The capability had ended.
    DeniedExpired = 8,
    /// The capability did not allow it.
    DeniedScope = 9,
    /// A limit of the record or patient was reached.
    LimitReached = 10,
}

impl ItemKind {
    /// What the row will say was done.
    pub const fn operation(&self) -> Operation {
        match self {
            Self::Note(note) => note.operation,
            Self::Put(_) => Operation::Put,
            Self::Delete(_) => Operation::Delete,
            Self::SetRules(_) => Operation::SetRules,
            Self::Revoke { .. } => Operation::Revoke,
        }
    }

    /// What a capability must allow.
    pub const fn needed(&self) -> Scope {
        match self {
            Self::Note(note) => note.operation.needed(),
            Self::Put(_) => Operation::Put.needed(),
            Self::Delete(_) => Operation::Delete.needed(),
            Self::SetRules(_) | Self::Revoke { .. } => Scope::RULES,
        }
    }
}

impl Operation {
    /// What a capability must allow.
    pub const fn needed(self) -> Scope {
        match self {
            Self::Get | Self::Timeline => Scope::READ,
            Self::Put => Scope::WRITE,
            Self::Delete => Scope::DELETE,
            Self::ListAudit => Scope::AUDIT,
            Self::SetRules | Self::Revoke => Scope::RULES,
        }
    }

    pub(crate) fn from_raw(raw: u32) -> Option<Self> {
        [Self::Get, Self::Timeline, Self::ListAudit, Self::Put, Self::Delete, Self::SetRules, Self::Revoke]
            .into_iter()
            .find(|operation| u32::from(*operation as u8) == raw)
    }
}

impl Outcome {
    pub(crate) fn from_raw(raw: u32) -> Option<Self> {
        [
            Self::Done,
            Self::Nothing,
            Self::Replayed,
            Self::VersionConflict,
            Self::IdempotencyConflict,
            Self::Deleted,
            Self::DeniedRevoked,
            Self::DeniedExpired,
            Self::DeniedScope,
            Self::LimitReached,
        ]
        .into_iter()
        .find(|outcome| u32::from(*outcome as u8) == raw)
    }
}
