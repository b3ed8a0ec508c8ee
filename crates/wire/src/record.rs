//! What an institution asks of its gateway. Documents travel in the clear here, inside mutual TLS; nothing here shows
//! itself in `Debug`.

use core::fmt;
use core::num::NonZeroU32;
use core::str::FromStr;

use bytes::Bytes;
use renkei_access::{Evidence, Purpose, SignedActor, SignedTicket};
use renkei_envelope::{Category, Pseudonym, Reference};
use renkei_ids::{AuditSeq, LeafIndex, LogId, MonthBucket, RecordVersion, UnixMillis};

use crate::Refusal;
use crate::redacted::redacted;

/// What has the patient's keys opened.
#[derive(Clone, PartialEq, Eq)]
pub enum Patient {
    /// Development only: the pseudonym itself.
    InsecurePseudonym(Pseudonym),
    /// A ticket, 1 to [`TICKET_MAX_BYTES`](crate::limits::TICKET_MAX_BYTES) bytes, unread.
    Ticket(SignedTicket),
}

/// Tickets whose patients are to be opened: 1 to [`VAULT_MAX_ITEMS`](crate::limits::VAULT_MAX_ITEMS), unread.
#[derive(Clone, PartialEq, Eq)]
pub struct OpenTicketsRequest(pub Vec<SignedTicket>);

/// One status for each ticket, in their order.
#[derive(Clone, PartialEq, Eq)]
pub struct OpenTicketsReply(pub Vec<Result<(), Refusal>>);

/// Who acts, as a request says it.
#[derive(Clone, PartialEq, Eq)]
pub enum Acting {
    /// Development only: believed.
    Believed(Actor),
    /// Signed by the institution, unread.
    Signed(SignedActor),
}

/// Who acts inside the institution, in its own words.
#[derive(Clone, PartialEq, Eq)]
pub struct Actor {
    /// 1 to [`ACTOR_ID_MAX_BYTES`](crate::limits::ACTOR_ID_MAX_BYTES) bytes.
    pub id: String,
    /// 1 to [`ACTOR_ROLE_MAX_BYTES`](crate::limits::ACTOR_ROLE_MAX_BYTES) bytes, such as `physician`.
    pub role: String,
}

/// What stands in front of a document.
#[derive(Clone, PartialEq, Eq)]
pub struct PutHead {
    /// Whose it is.
    pub patient: Patient,
    /// Who stores it.
    pub actor: Acting,
    /// 1 to [`IDEMPOTENCY_KEY_MAX_BYTES`](crate::limits::IDEMPOTENCY_KEY_MAX_BYTES) bytes.
    pub idempotency_key: Bytes,
    /// Bytes of the document, 1 to [`DOCUMENT_MAX_BYTES`](crate::limits::DOCUMENT_MAX_BYTES).
    pub document_bytes: usize,
}

/// What stands in front of the next version of a document.
#[derive(Clone, PartialEq, Eq)]
pub struct ReplaceHead {
    /// As for a new one.
    pub put: PutHead,
    /// The document.
    pub reference: Reference,
    /// The version believed to be current; there is a next one.
    pub version: RecordVersion,
}

/// One message of a stream that carries a document: `H` first, then pieces.
#[derive(Clone, PartialEq, Eq)]
pub enum Upload<H> {
    /// The head.
    Head(Box<H>),
    /// The next bytes, 1 to [`PIECE_MAX_BYTES`](crate::limits::PIECE_MAX_BYTES).
    Piece(Bytes),
}

/// A document is stored.
#[derive(Clone, PartialEq, Eq)]
pub struct PutDocumentReply {
    /// Names the record towards this institution only.
    pub reference: Reference,
    /// The version stored.
    pub version: RecordVersion,
    /// What it is.
    pub kind: Category,
    /// Whether an earlier request with the same key and content stored it.
    pub replayed: bool,
}

/// One message of a stream of documents.
#[derive(Clone, PartialEq, Eq)]
pub struct BulkPutRequest {
    /// Chosen by the caller, unique among those under way on the stream.
    pub document: u64,
    /// Head or piece.
    pub part: Upload<PutHead>,
}

/// What came of one document of a stream.
#[derive(Clone, PartialEq, Eq)]
pub struct BulkPutReply {
    /// Which.
    pub document: u64,
    /// What came of it.
    pub outcome: Result<PutDocumentReply, Refusal>,
}

/// Asks for a document.
#[derive(Clone, PartialEq, Eq)]
pub struct GetDocumentRequest {
    /// Whose it is.
    pub patient: Patient,
    /// Who reads it.
    pub actor: Acting,
    /// The document.
    pub reference: Reference,
    /// Which version; `None` is the current one.
    pub version: Option<RecordVersion>,
}

/// What stands in front of a document that was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DocumentHead {
    /// Its version.
    pub version: RecordVersion,
    /// What it is.
    pub kind: Category,
    /// Its size, 1 to [`DOCUMENT_MAX_BYTES`](crate::limits::DOCUMENT_MAX_BYTES).
    pub document_bytes: usize,
}

/// Asks for pages of a timeline.
#[derive(Clone, PartialEq, Eq)]
pub struct QueryTimelineRequest {
    /// Whose.
    pub patient: Patient,
    /// Who reads.
    pub actor: Acting,
    /// Kinds, ascending, none twice, at least one.
    pub kinds: Vec<Category>,
    /// First month; `None` for the earliest that may be read.
    pub from: Option<MonthBucket>,
    /// Last month, not before the first; `None` for the latest that may be read.
    pub to: Option<MonthBucket>,
    /// 1 to [`TIMELINE_MAX_ENTRIES`](crate::limits::TIMELINE_MAX_ENTRIES).
    pub page_entries: u16,
    /// Pages at most; `None` for all.
    pub max_pages: Option<NonZeroU32>,
    /// From the last page of an earlier call, at most
    /// [`CONTINUATION_MAX_BYTES`](crate::limits::CONTINUATION_MAX_BYTES) bytes.
    pub continuation: Option<Bytes>,
}

/// A summary in a timeline.
#[derive(Clone, PartialEq, Eq)]
pub struct TimelineEntry {
    /// Names the record towards this institution only; another one each time.
    pub reference: Reference,
    /// Its version.
    pub version: RecordVersion,
    /// What it is.
    pub kind: Category,
    /// Month of the document.
    pub month: MonthBucket,
    /// The typed summary, as crate `records` writes it.
    pub summary: Bytes,
    /// The same as JSON text.
    pub summary_json: String,
}

/// A page of a timeline, newest month first.
#[derive(Clone, PartialEq, Eq)]
pub struct TimelinePage {
    /// At most [`TIMELINE_MAX_ENTRIES`](crate::limits::TIMELINE_MAX_ENTRIES).
    pub entries: Vec<TimelineEntry>,
    /// Set where more may follow.
    pub continuation: Option<Bytes>,
}

/// Asks for the end of a document.
#[derive(Clone, PartialEq, Eq)]
pub struct DeleteDocumentRequest {
    /// Whose it is.
    pub patient: Patient,
    /// Who deletes it.
    pub actor: Acting,
    /// As in [`PutHead`].
    pub idempotency_key: Bytes,
    /// The document.
    pub reference: Reference,
    /// The version believed to be current.
    pub version: RecordVersion,
}

/// Asks for rows of the patient's audit history that the institution caused.
#[derive(Clone, PartialEq, Eq)]
pub struct ListAuditRequest {
    /// Whose.
    pub patient: Patient,
    /// Who reads.
    pub actor: Acting,
    /// Only rows above this one; 0 is before the first.
    pub after: AuditSeq,
}

/// One row.
#[derive(Clone, PartialEq, Eq)]
pub struct AuditEntry {
    /// Its place in the patient's history.
    pub seq: AuditSeq,
    /// When it was written.
    pub time: UnixMillis,
    /// What was done.
    pub operation: AuditOperation,
    /// What came of it.
    pub outcome: AuditOutcome,
    /// Records disclosed or changed.
    pub references: Vec<Reference>,
    /// Who acted.
    pub actor: Actor,
    /// Why.
    pub purpose: Purpose,
    /// What stood behind the check-in.
    pub evidence: Evidence,
    /// The log that holds its leaf.
    pub log: LogId,
    /// The leaf's place in it.
    pub leaf: LeafIndex,
    /// The leaf.
    pub leaf_hash: [u8; 32],
}

/// A word that this build knows no meaning of. It is not kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no such {0}")]
pub struct UnknownWord(pub &'static str);

macro_rules! words {
    ($(#[$doc:meta])* $name:ident, $kind:literal, $($(#[$word_doc:meta])* $variant:ident = $word:literal,)*) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $name {
            $($(#[$word_doc])* $variant,)*
        }

        impl $name {
            /// Every one, in their order.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The stable word.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)*
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl FromStr for $name {
            type Err = UnknownWord;

            fn from_str(word: &str) -> Result<Self, UnknownWord> {
                Self::ALL.iter().copied().find(|known| known.as_str() == word).ok_or(UnknownWord($kind))
            }
        }
    };
}

words! {
    /// What a row says was done.
    AuditOperation, "operation",
    /// A document was asked for.
    Get = "get",
    /// A page of the timeline was asked for.
    Timeline = "timeline",
    /// Audit rows were asked for.
    ListAudit = "list_audit",
    /// A document was to be stored.
    Put = "put",
    /// A document was to be deleted.
    Delete = "delete",
    /// Rules were to be set.
    SetRules = "set_rules",
    /// A capability was to be revoked.
    Revoke = "revoke",
}

words! {
    /// What a row says came of it.
    AuditOutcome, "outcome",
    /// Records were disclosed, or the change was made.
    Done = "done",
    /// There was nothing to disclose or change.
    Nothing = "nothing",
    /// The stored reply of an earlier request was given.
    Replayed = "replayed",
    /// Another version was stored.
    VersionConflict = "version_conflict",
    /// The idempotency key was used for other content.
    IdempotencyConflict = "idempotency_conflict",
    /// The record was deleted before.
    Deleted = "deleted",
    /// The capability had been revoked.
    DeniedRevoked = "denied_revoked",
    /// The capability had ended.
    DeniedExpired = "denied_expired",
    /// The capability did not allow it.
    DeniedScope = "denied_scope",
    /// The record or patient holds as many of something as there can be.
    LimitReached = "limit_reached",
}

redacted! {
    Patient
    OpenTicketsRequest
    OpenTicketsReply
    Acting
    Actor
    PutHead
    ReplaceHead
    PutDocumentReply
    BulkPutRequest
    BulkPutReply
    GetDocumentRequest
    QueryTimelineRequest
    TimelineEntry
    TimelinePage
    DeleteDocumentRequest
    ListAuditRequest
    AuditEntry
}

impl<H> fmt::Debug for Upload<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Head(_) => "Head(..)",
            Self::Piece(_) => "Piece(..)",
        })
    }
}
