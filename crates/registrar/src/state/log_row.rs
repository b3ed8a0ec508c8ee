//! Rows of the check-in log: who asked for whom, on what, and what came of it. A person's rows form a chain, newest
//! first, so that she can be shown hers.
//!
//! The leaf is `renkei_merkle::LeafHash` of the salt and the encoded content, as in the nodes' audit logs.

use bytes::Bytes;
use renkei_access::{CollectionBasis, ConsentSet, ConsentText, Evidence, Purpose};
use renkei_ids::{BindingId, GrantId, InstitutionId, LeafIndex, PersonId, RequestId, UnixMillis};
use renkei_merkle::LeafHash;

use super::budget::DAY_MILLIS;
use super::command::SALT_BYTES;
use super::forget::LOG_DAYS;
use super::refusals;
use super::rows::{Head, HistoryRow, Standing, history_row, put_history};
use super::store::{StateError, Store, Table, View};
use super::stored::{Raw, Stored as _, Unreadable, raw_number, stored};
use super::verdict::{Answer, Reason};

/// What a row says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogRow {
    /// Group time.
    pub time: UnixMillis,
    /// The call.
    pub request: RequestId,
    /// Who asked.
    pub who: Who,
    /// What.
    pub asked: Asked,
    /// What came of it.
    pub came: Came,
    /// Of whom; `None` where nobody was found.
    pub person: Option<PersonId>,
    /// Under which binding.
    pub binding: Option<BindingId>,
    /// Under which grant.
    pub grant: Option<GrantId>,
    /// What for.
    pub purpose: Option<Purpose>,
    /// On what.
    pub evidence: Option<Evidence>,
    /// What was consented to.
    pub categories: ConsentSet,
    /// The text that was shown.
    pub text: ConsentText,
    /// Why something may be put.
    pub basis: Option<CollectionBasis>,
    /// Who asked inside the institution, sealed about institution and request.
    pub sealed_actor: Bytes,
    /// Earlier refusals of the same asker and reason that have no row of their own.
    pub unlogged: u64,
    /// The row before it of the same person. It may have been dropped by now.
    pub previous: Option<LeafIndex>,
}

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    /// An institution.
    Institution(InstitutionId),
    /// An insurer, by its eight digits.
    Insurer(u32),
    /// An operator, of an institution.
    Operator(InstitutionId),
}

/// What was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Asked {
    /// To register a person.
    Register = 1,
    /// To end an insurance.
    End = 2,
    /// To print a token.
    Print = 3,
    /// To revoke a token.
    Revoke = 4,
    /// Whether somebody is insured.
    Eligibility = 5,
    /// The same, of many.
    Bulk = 6,
    /// To have somebody checked in.
    CheckIn = 7,
    /// To go on.
    Renew = 8,
    /// To enrol, lock or unlock an institution.
    Enrol = 9,
}

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Came {
    /// It was done.
    Done,
    /// It was answered.
    Answered(Answer),
    /// It was registered.
    Registered(Standing),
    /// It was refused.
    Refused(Reason),
}

impl Who {
    pub(crate) fn key(&self) -> Vec<u8> {
        match self {
            Self::Institution(id) => [&[1][..], id.as_bytes()].concat(),
            Self::Insurer(digits) => [&[2][..], &digits.to_be_bytes()].concat(),
            Self::Operator(id) => [&[3][..], id.as_bytes()].concat(),
        }
    }
}

impl Asked {
    fn from_raw(raw: u32) -> Option<Self> {
        [
            Self::Register,
            Self::End,
            Self::Print,
            Self::Revoke,
            Self::Eligibility,
            Self::Bulk,
            Self::CheckIn,
            Self::Renew,
            Self::Enrol,
        ]
        .into_iter()
        .find(|asked| u32::from(*asked as u8) == raw)
    }
}

raw_number![Asked];

const REGISTERED: u32 = 32;
const REFUSED: u32 = 64;

/// 0 done, 1 to 31 answered, 32 and more registered, 64 and more refused.
impl Raw<u32> for Came {
    fn to_raw(&self) -> u32 {
        match self {
            Self::Done => 0,
            Self::Answered(answer) => u32::from(*answer as u8),
            Self::Registered(standing) => REGISTERED + u32::from(*standing as u8),
            Self::Refused(reason) => REFUSED + u32::from(*reason as u8),
        }
    }

    fn from_raw(raw: u32) -> Option<Self> {
        match raw {
            0 => Some(Self::Done),
            1..REGISTERED => Answer::from_raw(raw).map(Self::Answered),
            REGISTERED..REFUSED => Standing::from_raw(raw - REGISTERED).map(Self::Registered),
            REFUSED.. => Reason::from_raw(raw - REFUSED).map(Self::Refused),
        }
    }
}

#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(crate) struct WhoMessage {
    /// 1 an institution, 2 an insurer, 3 an operator.
    #[prost(uint32, tag = "1")]
    kind: u32,
    #[prost(bytes = "bytes", tag = "2")]
    institution: Bytes,
    #[prost(uint32, tag = "3")]
    insurer: u32,
}

impl Raw<Option<WhoMessage>> for Who {
    fn to_raw(&self) -> Option<WhoMessage> {
        Some(match self {
            Self::Institution(id) => WhoMessage { kind: 1, institution: id.to_raw(), insurer: 0 },
            Self::Insurer(digits) => WhoMessage { kind: 2, institution: Bytes::new(), insurer: *digits },
            Self::Operator(id) => WhoMessage { kind: 3, institution: id.to_raw(), insurer: 0 },
        })
    }

    fn from_raw(raw: Option<WhoMessage>) -> Option<Self> {
        let WhoMessage { kind, institution, insurer } = raw?;
        match kind {
            1 => InstitutionId::from_raw(institution).map(Self::Institution),
            2 => Some(Self::Insurer(insurer)),
            3 => InstitutionId::from_raw(institution).map(Self::Operator),
            _ => None,
        }
    }
}

stored!(LogRow as LogMessage {
    #[prost(uint64, tag = "1")] time: u64,
    #[prost(bytes = "bytes", tag = "2")] request: Bytes,
    #[prost(message, optional, tag = "3")] who: Option<WhoMessage>,
    #[prost(uint32, tag = "4")] asked: u32,
    #[prost(uint32, tag = "5")] came: u32,
    #[prost(bytes = "bytes", optional, tag = "6")] person: Option<Bytes>,
    #[prost(bytes = "bytes", optional, tag = "7")] binding: Option<Bytes>,
    #[prost(bytes = "bytes", optional, tag = "8")] grant: Option<Bytes>,
    #[prost(uint32, optional, tag = "9")] purpose: Option<u32>,
    #[prost(uint32, optional, tag = "10")] evidence: Option<u32>,
    #[prost(uint32, tag = "11")] categories: u32,
    #[prost(uint32, tag = "12")] text: u32,
    #[prost(uint32, optional, tag = "13")] basis: Option<u32>,
    #[prost(bytes = "bytes", tag = "14")] sealed_actor: Bytes,
    #[prost(uint64, tag = "15")] unlogged: u64,
    #[prost(uint64, optional, tag = "16")] previous: Option<u64>,
});

/// A row as stored: salt, leaf hash, hashed content.
struct StoredRow {
    salt: [u8; SALT_BYTES],
    hash: [u8; 32],
    content: Bytes,
}

stored!(StoredRow as StoredRowMessage {
    #[prost(bytes = "bytes", tag = "1")] salt: Bytes,
    #[prost(bytes = "bytes", tag = "2")] hash: Bytes,
    #[prost(bytes = "bytes", tag = "3")] content: Bytes,
});

impl LogRow {
    /// A row of which nothing but this is known.
    pub(crate) const fn new(time: UnixMillis, request: RequestId, who: Who, asked: Asked, came: Came) -> Self {
        Self {
            time,
            request,
            who,
            asked,
            came,
            person: None,
            binding: None,
            grant: None,
            purpose: None,
            evidence: None,
            categories: ConsentSet::NONE,
            text: ConsentText(0),
            basis: None,
            sealed_actor: Bytes::new(),
            unlogged: 0,
            previous: None,
        }
    }

    /// Reads what is stored, and checks the hash.
    ///
    /// # Errors
    /// [`Unreadable`].
    pub fn read(bytes: &Bytes) -> Result<Self, Unreadable> {
        let StoredRow { salt, hash, content } = StoredRow::decode(bytes)?;
        if *LeafHash::of(&salt, &content).as_bytes() != hash {
            return Err(Unreadable);
        }
        Self::decode(&content)
    }
}

/// The row of a leaf; `None` for one that is not written yet, or no longer kept.
///
/// # Errors
/// Failed storage, or a row that does not read.
pub fn log_row<V: View>(view: &V, leaf: LeafIndex) -> Result<Option<LogRow>, StateError<V::Error>> {
    match view.get(Table::Log, &leaf.0.to_be_bytes()).map_err(StateError::Store)? {
        None => Ok(None),
        Some(bytes) => LogRow::read(&bytes).map(Some).map_err(|Unreadable| StateError::Corrupt { row: "log" }),
    }
}

/// Writes a row, unless it is a refusal that a later row counts. A person's row is chained to her last one.
pub(crate) fn write<S: Store>(
    store: &mut S,
    head: &mut Head,
    salt: &[u8; SALT_BYTES],
    mut row: LogRow,
) -> Result<LeafIndex, StateError<S::Error>> {
    let leaf = head.leaves;
    if let Came::Refused(reason) = row.came {
        match refusals::count(store, &row.who, reason, head.time)? {
            None => return Ok(leaf),
            Some(unlogged) => row.unlogged = unlogged,
        }
    }
    if let Some(person) = row.person {
        row.previous = history_row(store, &person)?.map(|history| history.last);
        put_history(store, &person, &HistoryRow { last: leaf });
    }
    let content = row.encode();
    let hash = *LeafHash::of(salt, &content).as_bytes();
    store.put(Table::Log, &leaf.0.to_be_bytes(), StoredRow { salt: *salt, hash, content }.encode());
    head.leaves = LeafIndex(leaf.0 + 1);
    Ok(leaf)
}

/// Drops up to `most` rows that are older than the log is kept.
pub(crate) fn drop_old<S: Store>(store: &mut S, head: &mut Head, most: usize) -> Result<(), StateError<S::Error>> {
    for _ in 0..most {
        if head.first_leaf == head.leaves {
            break;
        }
        let row = log_row(store, head.first_leaf)?.ok_or(StateError::Corrupt { row: "log" })?;
        if row.time.plus_millis(LOG_DAYS * DAY_MILLIS) > head.time {
            break;
        }
        if let Some(person) = row.person
            && history_row(store, &person)?.is_some_and(|history| history.last == head.first_leaf)
        {
            store.delete(Table::Histories, person.as_bytes());
        }
        store.delete(Table::Log, &head.first_leaf.0.to_be_bytes());
        head.first_leaf = LeafIndex(head.first_leaf.0 + 1);
    }
    Ok(())
}
