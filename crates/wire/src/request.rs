//! A request to a node, validated. What a handler holds needs no further check of lengths and ranges.

use std::time::Duration;

use bytes::Bytes;
use renkei_access::{Period, RuleSet, SignedCapability};
use renkei_ids::{
    AuditSeq, BindingTag, CapabilityId, ClassTag, ContentTag, IdemTag, MonthBucket, RecordId, RecordVersion, RequestId,
    SizeBucket, SlotEpoch, UnixMillis,
};

use crate::redacted::redacted;

/// One request of a gateway for one patient.
#[derive(Clone, PartialEq)]
pub struct NodeRequest {
    /// Random id; a retry bears the same one.
    pub request: RequestId,
    /// What is left of the caller's deadline: [`DEADLINE_MIN`](crate::limits::DEADLINE_MIN) to
    /// [`DEADLINE_MAX`](crate::limits::DEADLINE_MAX), in whole milliseconds.
    pub deadline: Duration,
    /// The slot map that the caller routed by.
    pub slot_epoch: SlotEpoch,
    /// Under what; its signature is not checked here.
    pub capability: SignedCapability,
    /// Who acts inside the institution, sealed: 1 to [`ACTOR_MAX_BYTES`](crate::limits::ACTOR_MAX_BYTES) bytes.
    pub actor: Bytes,
    /// What is asked for.
    pub operation: Operation,
}

/// What a gateway asks for.
#[derive(Clone, PartialEq)]
pub enum Operation {
    /// One record.
    Get(GetRecord),
    /// A page of records, newest month first.
    Timeline(ReadTimeline),
    /// A new record or a new version of one.
    Put(PutRecord),
    /// The end of a record.
    Delete(DeleteRecord),
    /// New rules of the patient.
    SetRules(SetRules),
    /// The end of a capability before its time.
    Revoke(RevokeCapability),
    /// Rows of the patient's audit history.
    ListAudit(ListAudit),
}

/// Asks for one record.
#[derive(Clone, PartialEq, Eq)]
pub struct GetRecord {
    /// The record.
    pub record: RecordId,
    /// Which version; `None` is the current one.
    pub version: Option<RecordVersion>,
    /// Whether the body is wanted beside the summary.
    pub with_body: bool,
}

/// A place in a timeline: the month and, inside it, the record.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct TimelinePosition {
    /// The month.
    pub month: MonthBucket,
    /// The record.
    pub record: RecordId,
}

/// Asks for a page of a timeline.
#[derive(Clone, PartialEq, Eq)]
pub struct ReadTimeline {
    /// Months, first not after last.
    pub period: Period,
    /// 1 to [`TIMELINE_MAX_ENTRIES`](crate::limits::TIMELINE_MAX_ENTRIES).
    pub max_entries: u16,
    /// Bodies up to this many bytes of ciphertext come beside their entry; at most
    /// [`INLINE_BODY_MAX_BYTES`](crate::limits::INLINE_BODY_MAX_BYTES), 0 for none.
    pub inline_body_bytes: u16,
    /// Only entries behind this one, whose month lies in the period.
    pub after: Option<TimelinePosition>,
}

/// Stores a version of a record.
#[derive(Clone, PartialEq, Eq)]
pub struct PutRecord {
    /// The record.
    pub record: RecordId,
    /// The version to be stored: the first creates, n + 1 replaces n.
    pub version: RecordVersion,
    /// Month of the document.
    pub month: MonthBucket,
    /// Class of the summary.
    pub summary_class: ClassTag,
    /// Class of the body.
    pub body_class: ClassTag,
    /// The binding under which it is written.
    pub binding: BindingTag,
    /// Size of the plaintext, coarsely.
    pub size: SizeBucket,
    /// Ciphertext, 1 to [`SUMMARY_MAX_BYTES`](crate::limits::SUMMARY_MAX_BYTES) bytes.
    pub summary: Bytes,
    /// Ciphertext of the document.
    pub body: PutBody,
    /// Names the write, for retries.
    pub idem: IdemTag,
    /// Names the content, for retries.
    pub content: ContentTag,
}

/// How the body of a put travels.
#[derive(Clone, PartialEq, Eq)]
pub enum PutBody {
    /// Inside the message: 1 to [`WHOLE_BODY_MAX_BYTES`](crate::limits::WHOLE_BODY_MAX_BYTES) bytes.
    Whole(Bytes),
    /// In pieces on the stream, behind the request and gathered by a [`BodyAssembly`](crate::BodyAssembly). A unary
    /// call has no such place, so there it is an `invalid_argument` of the field `put.body`.
    InPieces,
}

/// Ends a record for good.
#[derive(Clone, PartialEq, Eq)]
pub struct DeleteRecord {
    /// The record.
    pub record: RecordId,
    /// The version that the caller believes is current.
    pub version: RecordVersion,
    /// Names the write, for retries.
    pub idem: IdemTag,
    /// Names the content, for retries.
    pub content: ContentTag,
}

/// Replaces the patient's rules.
#[derive(Clone, PartialEq)]
pub struct SetRules {
    /// The new rules.
    pub rules: RuleSet,
    /// The version of the rules that the caller saw; 0 where none was set.
    pub expected_version: u64,
}

/// Ends a capability before its time.
#[derive(Clone, PartialEq, Eq)]
pub struct RevokeCapability {
    /// Which.
    pub capability: CapabilityId,
    /// When it would have ended; never 1970.
    pub expires: UnixMillis,
}

/// Asks for rows of the patient's audit history.
#[derive(Clone, PartialEq, Eq)]
pub struct ListAudit {
    /// Only rows above this one; 0 is before the first.
    pub after: AuditSeq,
    /// 1 to [`AUDIT_MAX_ROWS`](crate::limits::AUDIT_MAX_ROWS).
    pub max_rows: u16,
}

redacted! {
    NodeRequest
    Operation
    GetRecord
    TimelinePosition
    ReadTimeline
    PutRecord
    PutBody
    DeleteRecord
    SetRules
    RevokeCapability
    ListAudit
}
