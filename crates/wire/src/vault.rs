//! What a gateway asks of the vault of its cloud, and the keys that it is given. Nothing here shows itself in `Debug`.

use std::time::Duration;

use bytes::Bytes;
use renkei_access::{Evidence, Period, Purpose, Scope, SignedCapability, SignedTicket};
use renkei_envelope::{Category, Class, ClassKey, Pseudonym, RecordKey, ReferenceKey, StubKey, WriteTagKey};
use renkei_ids::{
    BindingTag, CapabilityId, CellId, ClassTag, InstTag, InstitutionId, KeyHash, MonthBucket, Pid, RecordId,
    RecordVersion, RequestId, UnixMillis,
};

use crate::Refusal;
use crate::redacted::redacted;

/// Items of one call, which become one entry of the vault's log.
#[derive(Clone, PartialEq)]
pub struct Batch<T> {
    /// Random id; a retry bears the same one.
    pub request: RequestId,
    /// What is left of the caller's deadline: [`DEADLINE_MIN`](crate::limits::DEADLINE_MIN) to
    /// [`DEADLINE_MAX`](crate::limits::DEADLINE_MAX), in whole milliseconds.
    pub deadline: Duration,
    /// 1 to [`VAULT_MAX_ITEMS`](crate::limits::VAULT_MAX_ITEMS).
    pub items: Vec<T>,
}

impl<T> core::fmt::Debug for Batch<T> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Batch({} items)", self.items.len())
    }
}

/// One result for each item of a [`Batch`], in their order; at most
/// [`VAULT_MAX_ITEMS`](crate::limits::VAULT_MAX_ITEMS).
#[derive(Clone, PartialEq)]
pub struct Results<T>(pub Vec<Result<T, Refusal>>);

impl<T> core::fmt::Debug for Results<T> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Results({} items)", self.0.len())
    }
}

/// Opens a patient by pseudonym, without a ticket. Development only.
#[derive(Clone, PartialEq)]
pub struct InsecureOpening {
    /// Who, in this cloud.
    pub pseudonym: Pseudonym,
    /// On whose behalf.
    pub institution: InstitutionId,
    /// Why.
    pub purpose: Purpose,
    /// What stood behind the check-in.
    pub evidence: Evidence,
    /// 1 to [`Class::COUNT`], none twice.
    pub classes: Vec<Class>,
    /// First month not after last, [`VAULT_MAX_YEARS`](crate::limits::VAULT_MAX_YEARS) calendar years at most.
    pub period: Period,
    /// What for: any of read, write, delete and audit, and at least one of them.
    pub scope: Scope,
}

/// Opens the patient of a ticket.
#[derive(Clone, PartialEq, Eq)]
pub struct TicketOpening {
    /// As it travels; nothing of it is judged yet but its length.
    pub ticket: SignedTicket,
    /// Who presents it, as the gateway authenticated them.
    pub institution: InstitutionId,
    /// The cell that the institution asked.
    pub home_cell: CellId,
    /// To be read: up to [`Class::COUNT`], none twice.
    pub reads: Vec<Class>,
    /// First month not after last, [`VAULT_MAX_YEARS`](crate::limits::VAULT_MAX_YEARS) calendar years at most.
    pub period: Period,
    /// What for: read where a class is to be read, and only there; write, delete and audit; at least one of them.
    pub scope: Scope,
}

/// A patient, known before or not.
#[derive(Clone, PartialEq)]
pub struct Opened {
    /// The patient.
    pub pid: Pid,
    /// For reading and for listing audit rows, as far as asked; writes and deletes get their own.
    pub capability: SignedCapability,
    /// The classes that the opening covers, each once.
    pub classes: Vec<ClassGrant>,
    /// Tag of the institution.
    pub institution: InstTag,
    /// Tag of the binding.
    pub binding: BindingTag,
    /// Seals the actor into the rows made under the capability.
    pub stub_key: StubKey,
    /// Seals record ids into references.
    pub reference_key: ReferenceKey,
    /// Sealed by the vault, 1 to [`OPENING_MAX_BYTES`](crate::limits::OPENING_MAX_BYTES) bytes.
    pub opening: Bytes,
    /// First moment at which capability and opening are no longer taken.
    pub expires: UnixMillis,
}

/// One class, and the keys of its years.
#[derive(Clone, PartialEq)]
pub struct ClassGrant {
    /// The class.
    pub class: Class,
    /// Its tag.
    pub tag: ClassTag,
    /// Year and key, ascending without gaps; none of a class that is not to be read. A year without records has a key
    /// too, which opens nothing.
    pub keys: Vec<(u16, ClassKey)>,
}

/// A document that is about to be stored.
#[derive(Clone, PartialEq, Eq)]
pub struct PutItem {
    /// Of [`Opened`].
    pub opening: Bytes,
    /// Its kind.
    pub category: Category,
    /// Its month.
    pub month: MonthBucket,
    /// The record and the version stored now; `None` for a new record.
    pub replaces: Option<(RecordId, RecordVersion)>,
}

/// What storing one document takes.
#[derive(Clone, PartialEq)]
pub struct PutGrant {
    /// The patient.
    pub pid: Pid,
    /// The record.
    pub record: RecordId,
    /// The version to be stored.
    pub version: RecordVersion,
    /// Names this record and version, and allows to write it.
    pub capability: SignedCapability,
    /// Class tag of the summary.
    pub summary_class: ClassTag,
    /// Class tag of the document.
    pub document_class: ClassTag,
    /// Tag of the binding.
    pub binding: BindingTag,
    /// Seals the summary.
    pub summary_key: RecordKey,
    /// Seals the document.
    pub document_key: RecordKey,
    /// Makes idempotency and content tags.
    pub write_tag_key: WriteTagKey,
    /// Seals the actor into the row.
    pub stub_key: StubKey,
    /// Seals the record id into the reference that the institution gets.
    pub reference_key: ReferenceKey,
    /// First moment at which the capability is no longer taken.
    pub expires: UnixMillis,
}

/// A record that is about to be deleted.
#[derive(Clone, PartialEq, Eq)]
pub struct DeleteItem {
    /// Of [`Opened`].
    pub opening: Bytes,
    /// The record.
    pub record: RecordId,
    /// The version believed to be current.
    pub version: RecordVersion,
}

/// What deleting one record takes.
#[derive(Clone, PartialEq)]
pub struct DeleteGrant {
    /// The patient.
    pub pid: Pid,
    /// Names the record, and allows to delete it.
    pub capability: SignedCapability,
    /// Makes idempotency and content tags.
    pub write_tag_key: WriteTagKey,
    /// Seals the actor into the row.
    pub stub_key: StubKey,
    /// First moment at which the capability is no longer taken.
    pub expires: UnixMillis,
}

/// Asks who stood behind audit rows of one patient.
#[derive(Clone, PartialEq, Eq)]
pub struct OpenStubsRequest {
    /// Random id; a retry bears the same one.
    pub request: RequestId,
    /// As in [`Batch`].
    pub deadline: Duration,
    /// Of [`Opened`], with the scope audit.
    pub opening: Bytes,
    /// 1 to [`VAULT_MAX_STUBS`](crate::limits::VAULT_MAX_STUBS).
    pub stubs: Vec<SealedStub>,
}

/// A stub as an audit row bears it.
#[derive(Clone, PartialEq, Eq)]
pub struct SealedStub {
    /// The capability of the row.
    pub capability: CapabilityId,
    /// 1 to [`STUB_MAX_BYTES`](renkei_access::STUB_MAX_BYTES) bytes.
    pub stub: Bytes,
}

/// For each stub, in their order, what it says, or nothing where it was caused by another institution or is none of
/// this patient's.
#[derive(Clone, PartialEq)]
pub struct OpenStubsReply(pub Vec<Option<OpenedStub>>);

/// What a stub says to the institution that caused it.
#[derive(Clone, PartialEq)]
pub struct OpenedStub {
    /// Why.
    pub purpose: Purpose,
    /// What stood behind the check-in.
    pub evidence: Evidence,
    /// The gateway that it was opened for.
    pub cell: KeyHash,
    /// Opens the actor in the rows of this capability.
    pub stub_key: StubKey,
}

redacted! {
    InsecureOpening
    TicketOpening
    Opened
    ClassGrant
    PutItem
    PutGrant
    DeleteItem
    DeleteGrant
    OpenStubsRequest
    SealedStub
    OpenStubsReply
    OpenedStub
}
