//! Stored rows and their keys.

use bytes::Bytes;
use renkei_access::{CollectionBasis, ConsentSet, ConsentText, Evidence, Purpose, Scope};
use renkei_envelope::SealedPersonSeed;
use renkei_ids::{
    ActorTag, AttributeTag, BindingId, CloudId, GrantId, InstitutionId, LeafIndex, LogId, MemberIndex, PersonId,
    ResidentIndex, TokenHash, UnixMillis,
};

use super::day::Day;
use super::store::{StateError, Store, Table, View, read};
use super::stored::{Stored as _, raw_number, stored};

pub(crate) const HEAD_KEY: &[u8] = b"head";

/// The one row of [`Table::Head`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// Group time: the latest that any command bore.
    pub time: UnixMillis,
    /// The check-in log.
    pub log: LogId,
    /// The oldest row that is kept; equal to `leaves` where there is none.
    pub first_leaf: LeafIndex,
    /// Rows ever written.
    pub leaves: LeafIndex,
    /// First and next entry of each queue of what is to be forgotten.
    pub queues: [Span; QUEUES],
    /// [`renkei_envelope::RegistrarKey::check`] of the key that everything here is under.
    pub key_check: [u8; 16],
    /// The same of the seed key.
    pub seed_check: [u8; 16],
}

/// Entries of a queue, oldest first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    /// The oldest that is kept.
    pub first: u64,
    /// The next one to come.
    pub next: u64,
}

/// How many queues there are.
pub const QUEUES: usize = 3;

/// A row of [`Table::Members`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MemberRow {
    /// Who is bound to the member id, oldest first. More than one is a wrong link until it is settled.
    pub bindings: Vec<BindingId>,
}

/// How far a binding of a person to a member id is settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Standing {
    /// All five items match the register's.
    Settled = 1,
    /// The register has not been asked.
    Tentative = 2,
    /// The register has nobody with these five items, or the member id is claimed for another person too.
    Quarantined = 3,
}

/// A row of [`Table::Bindings`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BindingRow {
    /// The member id.
    pub member: MemberIndex,
    /// Whose it is: known since the register matched, and not before.
    pub person: Option<PersonId>,
    /// How far it is settled.
    pub standing: Standing,
    /// Birth date, as registered.
    pub birth: AttributeTag,
    /// Sex, as registered.
    pub sex: AttributeTag,
    /// First day of eligibility.
    pub from: Day,
    /// First day without.
    pub until: Option<Day>,
    /// What the insurer registered, sealed.
    pub registration: Bytes,
    /// When it was first registered.
    pub registered: UnixMillis,
    /// The token that the insurer printed last.
    pub token: Option<TokenHash>,
}

/// A row of [`Table::Persons`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PersonRow {
    /// Under what the register knows her.
    pub resident: ResidentIndex,
    /// Counts the seeds.
    pub generation: u32,
    /// What pseudonyms grow from, sealed under a key of its own.
    pub seed: SealedPersonSeed,
    /// What the register says of her, sealed.
    pub register: Bytes,
    /// Whether where she has been is hidden altogether.
    pub protected: bool,
    /// Random: by it decoys are drawn.
    pub decoys: [u8; 16],
    /// Clouds that she was written in, ascending.
    pub written: Vec<CloudId>,
    /// Clouds that a list of tickets has ever named, ascending: those and decoys.
    pub listed: Vec<CloudId>,
    /// Her bindings, oldest first.
    pub bindings: Vec<BindingId>,
}

/// A row of [`Table::Residents`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ResidentRow {
    /// The person.
    pub person: PersonId,
}

/// A row of [`Table::Tokens`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TokenRow {
    /// For whom it was printed.
    pub binding: BindingId,
    /// The first moment at which it is no longer taken.
    pub expires: UnixMillis,
}

/// A row of [`Table::Grants`]: a live grant until its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GrantRow {
    /// Who granted.
    pub person: PersonId,
    /// Under which binding.
    pub binding: BindingId,
    /// To whom.
    pub institution: InstitutionId,
    /// What for.
    pub purpose: Purpose,
    /// What stood behind the check-in.
    pub evidence: Evidence,
    /// What may be read, by category.
    pub categories: ConsentSet,
    /// The text that was shown.
    pub text: ConsentText,
    /// Why something may be put.
    pub basis: Option<CollectionBasis>,
    /// Who asked, inside the institution.
    pub actor: ActorTag,
    /// What tickets under it allow.
    pub scope: Scope,
    /// Its first moment.
    pub start: UnixMillis,
    /// The first moment after it.
    pub end: UnixMillis,
}

/// A row of [`Table::Institutions`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InstitutionRow {
    /// Visits of a day, from which its budgets follow.
    pub visits_per_day: u32,
    /// Where what it puts is kept.
    pub home: CloudId,
    /// Since when it is locked.
    pub locked: Option<UnixMillis>,
    /// The day that `persons` counts.
    pub day: u32,
    /// Different persons asked for on that day who had not been checked in before.
    pub persons: u32,
}

/// A row of [`Table::Visits`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VisitRow {
    /// Last day (UTC) on which the institution asked for the person.
    pub asked_day: u32,
    /// When it last asked for the person, or checked her in.
    pub last: UnixMillis,
    /// When it last checked the person in.
    pub checked_in: Option<UnixMillis>,
}

/// A row of [`Table::Forget`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ForgetRow {
    pub(crate) key: Bytes,
    pub(crate) at: UnixMillis,
}

/// A row of [`Table::Histories`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HistoryRow {
    /// Her last row in the log, which names the one before.
    pub last: LeafIndex,
}

impl Standing {
    /// From its encoded number; `None` where it is unknown.
    pub fn from_raw(raw: u32) -> Option<Self> {
        [Self::Settled, Self::Tentative, Self::Quarantined]
            .into_iter()
            .find(|standing| u32::from(*standing as u8) == raw)
    }
}

raw_number![Standing];

stored!(Head as HeadMessage {
    #[prost(uint64, tag = "1")] time: u64,
    #[prost(bytes = "bytes", tag = "2")] log: Bytes,
    #[prost(uint64, tag = "3")] first_leaf: u64,
    #[prost(uint64, tag = "4")] leaves: u64,
    #[prost(message, repeated, tag = "5")] queues: Vec<SpanMessage>,
    #[prost(bytes = "bytes", tag = "6")] key_check: Bytes,
    #[prost(bytes = "bytes", tag = "7")] seed_check: Bytes,
});
stored!(Span as SpanMessage {
    #[prost(uint64, tag = "1")] first: u64,
    #[prost(uint64, tag = "2")] next: u64,
});
stored!(MemberRow as MemberMessage {
    #[prost(bytes = "bytes", repeated, tag = "1")] bindings: Vec<Bytes>,
});
stored!(BindingRow as BindingMessage {
    #[prost(bytes = "bytes", tag = "1")] member: Bytes,
    #[prost(bytes = "bytes", optional, tag = "2")] person: Option<Bytes>,
    #[prost(uint32, tag = "3")] standing: u32,
    #[prost(bytes = "bytes", tag = "4")] birth: Bytes,
    #[prost(bytes = "bytes", tag = "5")] sex: Bytes,
    #[prost(uint32, tag = "6")] from: u32,
    #[prost(uint32, optional, tag = "7")] until: Option<u32>,
    #[prost(bytes = "bytes", tag = "8")] registration: Bytes,
    #[prost(uint64, tag = "9")] registered: u64,
    #[prost(bytes = "bytes", optional, tag = "10")] token: Option<Bytes>,
});
stored!(PersonRow as PersonMessage {
    #[prost(bytes = "bytes", tag = "1")] resident: Bytes,
    #[prost(uint32, tag = "2")] generation: u32,
    #[prost(bytes = "bytes", tag = "3")] seed: Bytes,
    #[prost(bytes = "bytes", tag = "4")] register: Bytes,
    #[prost(bool, tag = "5")] protected: bool,
    #[prost(bytes = "bytes", tag = "6")] decoys: Bytes,
    #[prost(bytes = "bytes", repeated, tag = "7")] written: Vec<Bytes>,
    #[prost(bytes = "bytes", repeated, tag = "8")] listed: Vec<Bytes>,
    #[prost(bytes = "bytes", repeated, tag = "9")] bindings: Vec<Bytes>,
});
stored!(ResidentRow as ResidentMessage {
    #[prost(bytes = "bytes", tag = "1")] person: Bytes,
});
stored!(TokenRow as TokenMessage {
    #[prost(bytes = "bytes", tag = "1")] binding: Bytes,
    #[prost(uint64, tag = "2")] expires: u64,
});
stored!(GrantRow as GrantMessage {
    #[prost(bytes = "bytes", tag = "1")] person: Bytes,
    #[prost(bytes = "bytes", tag = "2")] binding: Bytes,
    #[prost(bytes = "bytes", tag = "3")] institution: Bytes,
    #[prost(uint32, tag = "4")] purpose: u32,
    #[prost(uint32, tag = "5")] evidence: u32,
    #[prost(uint32, tag = "6")] categories: u32,
    #[prost(uint32, tag = "7")] text: u32,
    #[prost(uint32, optional, tag = "8")] basis: Option<u32>,
    #[prost(bytes = "bytes", tag = "9")] actor: Bytes,
    #[prost(uint32, tag = "10")] scope: u32,
    #[prost(uint64, tag = "11")] start: u64,
    #[prost(uint64, tag = "12")] end: u64,
});
stored!(InstitutionRow as InstitutionMessage {
    #[prost(uint32, tag = "1")] visits_per_day: u32,
    #[prost(bytes = "bytes", tag = "2")] home: Bytes,
    #[prost(uint64, optional, tag = "3")] locked: Option<u64>,
    #[prost(uint32, tag = "4")] day: u32,
    #[prost(uint32, tag = "5")] persons: u32,
});
stored!(VisitRow as VisitMessage {
    #[prost(uint32, tag = "1")] asked_day: u32,
    #[prost(uint64, tag = "2")] last: u64,
    #[prost(uint64, optional, tag = "3")] checked_in: Option<u64>,
});
stored!(ForgetRow as ForgetMessage {
    #[prost(bytes = "bytes", tag = "1")] key: Bytes,
    #[prost(uint64, tag = "2")] at: u64,
});
stored!(HistoryRow as HistoryMessage {
    #[prost(uint64, tag = "1")] last: u64,
});

macro_rules! rows {
    ($($(#[$doc:meta])* $get:ident, $put:ident: $row:ty, $table:ident, $name:literal, $key:ty;)*) => {
        $(
            $(#[$doc])*
            ///
            /// # Errors
            /// Failed storage, or a row that does not read.
            pub fn $get<V: View>(view: &V, key: &$key) -> Result<Option<$row>, StateError<V::Error>> {
                read(view, (Table::$table, $name), key.as_bytes())
            }

            pub(crate) fn $put<S: Store>(store: &mut S, key: &$key, row: &$row) {
                store.put(Table::$table, key.as_bytes(), row.encode());
            }
        )*
    };
}

rows! {
    /// Who is bound to a member id.
    member_row, put_member: MemberRow, Members, "member", MemberIndex;
    /// A binding.
    binding_row, put_binding: BindingRow, Bindings, "binding", BindingId;
    /// A person.
    person_row, put_person: PersonRow, Persons, "person", PersonId;
    /// The person that a resident is.
    resident_row, put_resident: ResidentRow, Residents, "resident", ResidentIndex;
    /// A token.
    token_row, put_token: TokenRow, Tokens, "token", TokenHash;
    /// A grant.
    grant_row, put_grant: GrantRow, Grants, "grant", GrantId;
    /// An institution.
    institution_row, put_institution: InstitutionRow, Institutions, "institution", InstitutionId;
    /// Where a person's rows in the log begin.
    history_row, put_history: HistoryRow, Histories, "history", PersonId;
}

/// The head; `None` before the registrar is founded.
///
/// # Errors
/// Failed storage, or a row that does not read.
pub fn head<V: View>(view: &V) -> Result<Option<Head>, StateError<V::Error>> {
    read(view, (Table::Head, "head"), HEAD_KEY)
}

pub(crate) fn put_head<S: Store>(store: &mut S, head: &Head) {
    store.put(Table::Head, HEAD_KEY, head.encode());
}

pub(crate) fn visit_key(institution: InstitutionId, person: PersonId) -> [u8; 32] {
    let mut key = [0; 32];
    key[..16].copy_from_slice(institution.as_bytes());
    key[16..].copy_from_slice(person.as_bytes());
    key
}

/// When an institution last had to do with a person.
///
/// # Errors
/// Failed storage, or a row that does not read.
pub fn visit_row<V: View>(
    view: &V,
    institution: InstitutionId,
    person: PersonId,
) -> Result<Option<VisitRow>, StateError<V::Error>> {
    read(view, (Table::Visits, "visit"), &visit_key(institution, person))
}

pub(crate) fn put_visit<S: Store>(store: &mut S, institution: InstitutionId, person: PersonId, row: &VisitRow) {
    store.put(Table::Visits, &visit_key(institution, person), row.encode());
}

/// A row that another row names: it is there, or the state is damaged.
pub(crate) fn there<T, E>(row: Option<T>, name: &'static str) -> Result<T, StateError<E>> {
    row.ok_or(StateError::Corrupt { row: name })
}
