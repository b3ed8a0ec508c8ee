//! A node's answer, validated by the gateway that reads it.

use bytes::Bytes;
use renkei_ids::{AuditSeq, ClassTag, LeafIndex, LogId, MonthBucket, RecordId, RecordVersion, SizeBucket};

use crate::TimelinePosition;
use crate::redacted::redacted;

/// The answer to one request, and where its audit row lies.
#[derive(Clone, PartialEq, Eq)]
pub struct NodeReply {
    /// The row of this request.
    pub row: AuditRef,
    /// The answer.
    pub outcome: Outcome,
}

impl NodeReply {
    /// Bytes of ciphertext and audit rows in the reply.
    pub fn content_bytes(&self) -> usize {
        match &self.outcome {
            Outcome::Record(entry) => entry.content_bytes(),
            Outcome::Page(page) => page.entries.iter().map(RecordEntry::content_bytes).sum(),
            Outcome::Audit(page) => page.rows.iter().map(|row| row.content.len()).sum(),
            Outcome::Nothing | Outcome::Stored(_) | Outcome::Done => 0,
        }
    }
}

impl RecordEntry {
    fn content_bytes(&self) -> usize {
        let body = match &self.body {
            EntryBody::Whole(body) => body.len(),
            EntryBody::Absent | EntryBody::InPieces(_) => 0,
        };
        self.summary.len() + body
    }
}

/// Where an audit row lies.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct AuditRef {
    /// The log.
    pub log: LogId,
    /// The leaf in it.
    pub leaf: LeafIndex,
    /// The row's place in the patient's history, from 1.
    pub seq: AuditSeq,
}

/// What came of a request.
#[derive(Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The record asked for.
    Record(RecordEntry),
    /// Not there, hidden or of a class that is not allowed: one answer for all three.
    Nothing,
    /// A page of a timeline.
    Page(TimelinePage),
    /// The version is stored.
    Stored(Stored),
    /// The record is deleted, the rules are set or the capability is revoked.
    Done,
    /// A page of the audit history.
    Audit(AuditPage),
}

/// One version of one record.
#[derive(Clone, PartialEq, Eq)]
pub struct RecordEntry {
    /// The record.
    pub record: RecordId,
    /// Its version.
    pub version: RecordVersion,
    /// Month of the document.
    pub month: MonthBucket,
    /// Size of the plaintext, coarsely.
    pub size: SizeBucket,
    /// Class of the summary.
    pub summary_class: ClassTag,
    /// Class of the body.
    pub body_class: ClassTag,
    /// Ciphertext, 1 to [`SUMMARY_MAX_BYTES`](crate::limits::SUMMARY_MAX_BYTES) bytes.
    pub summary: Bytes,
    /// Ciphertext of the document.
    pub body: EntryBody,
}

/// How the body of an entry travels.
#[derive(Clone, PartialEq, Eq)]
pub enum EntryBody {
    /// Not asked for, not allowed, or too large to come inline in a timeline.
    Absent,
    /// Inside the message: 1 to [`WHOLE_BODY_MAX_BYTES`](crate::limits::WHOLE_BODY_MAX_BYTES) bytes.
    Whole(Bytes),
    /// This many bytes follow in pieces behind the reply, 1 to [`BODY_MAX_BYTES`](crate::limits::BODY_MAX_BYTES).
    InPieces(usize),
}

/// A page of a timeline, newest month first.
#[derive(Clone, PartialEq, Eq)]
pub struct TimelinePage {
    /// At most [`TIMELINE_MAX_ENTRIES`](crate::limits::TIMELINE_MAX_ENTRIES).
    pub entries: Vec<RecordEntry>,
    /// Where to go on behind; `None` at the end.
    pub next: Option<TimelinePosition>,
}

/// A version is stored.
#[derive(Clone, PartialEq, Eq)]
pub struct Stored {
    /// Of which record: of a replayed request, the one that the earlier request stored.
    pub record: RecordId,
    /// Which.
    pub version: RecordVersion,
    /// Whether an earlier request with the same idempotency tag stored it.
    pub replayed: bool,
}

/// A page of the audit history, oldest first.
#[derive(Clone, PartialEq, Eq)]
pub struct AuditPage {
    /// At most [`AUDIT_MAX_ROWS`](crate::limits::AUDIT_MAX_ROWS).
    pub rows: Vec<AuditRow>,
    /// Whether there are rows above the last one here.
    pub more: bool,
}

/// One row of the audit history with what proves it.
#[derive(Clone, PartialEq, Eq)]
pub struct AuditRow {
    /// The log.
    pub log: LogId,
    /// The leaf in it.
    pub leaf: LeafIndex,
    /// Hash of the leaf.
    pub leaf_hash: [u8; 32],
    /// What the leaf was salted with.
    pub salt: [u8; 16],
    /// The hashed content, as crate `shard` writes it: 1 to
    /// [`AUDIT_CONTENT_MAX_BYTES`](crate::limits::AUDIT_CONTENT_MAX_BYTES) bytes.
    pub content: Bytes,
}

redacted! {
    NodeReply
    AuditRef
    Outcome
    RecordEntry
    EntryBody
    TimelinePage
    Stored
    AuditPage
    AuditRow
}
