//! Rows of the log of openings: what the vault gave, or refused to give, to whom. One row for each item of a call, but for a
//! flood of refusals (see `refusals`).
//!
//! The leaf is `renkei_merkle::LeafHash` of the salt and the encoded content, as in the nodes' audit logs.

use bytes::Bytes;
use renkei_access::{Evidence, Period, Purpose, Scope};
use renkei_envelope::ClassSet;
use renkei_ids::{
    CapabilityId, InstitutionId, KeyHash, MonthBucket, Pid, RecordId, RecordVersion, RequestId, TicketId, UnixMillis,
};
use renkei_merkle::{LeafHash, SALT_BYTES};

use super::command::{Ask, Batch, Item, Wanted};
use super::format::{copied, decode, encode};
use super::verdict::Reason;

/// What a row says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogRow {
    /// Group time.
    pub time: UnixMillis,
    /// The gateway that asked.
    pub gateway: KeyHash,
    /// The call.
    pub request: RequestId,
    /// The capability that was given.
    pub capability: CapabilityId,
    /// On whose behalf.
    pub institution: InstitutionId,
    /// Why; `None` where no ticket that was read says so.
    pub purpose: Option<Purpose>,
    /// What stood behind the check-in; likewise.
    pub evidence: Option<Evidence>,
    /// The ticket, if one was read: what the registrar's log of check-ins has too.
    pub ticket: Option<TicketId>,
    /// The patient; `None` where an opening was refused before one was found.
    pub pid: Option<Pid>,
    /// What was asked.
    pub ask: LoggedAsk,
    /// What came of it.
    pub outcome: Outcome,
    /// Earlier refusals of the same gateway, institution and reason that have no row of their own.
    pub unlogged: u64,
}

/// What was asked, without keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoggedAsk {
    /// To open a patient.
    Open {
        /// Classes of record.
        classes: ClassSet,
        /// Months.
        period: Period,
        /// What for.
        scope: Scope,
    },
    /// To store a version of a record.
    Put(RecordId, RecordVersion),
    /// To delete a record.
    Delete(RecordId, RecordVersion),
    /// To open so many stubs.
    Stubs(u32),
}

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Given.
    Allowed,
    /// Given, to a patient that was created with it.
    Created,
    /// Refused.
    Refused(Reason),
}

/// Bytes that are no row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("row of the log of openings does not read")]
pub struct InvalidLogRow;

impl LogRow {
    pub(crate) fn new(
        time: UnixMillis,
        batch: &Batch,
        item: &Item,
        (pid, outcome, unlogged): (Option<Pid>, Outcome, u64),
    ) -> Self {
        let Item { capability, salt: _, institution, purpose, evidence, ask } = item;
        Self {
            time,
            gateway: batch.gateway,
            request: batch.request,
            capability: *capability,
            institution: *institution,
            purpose: *purpose,
            evidence: *evidence,
            ticket: ask.ticket(),
            pid,
            ask: LoggedAsk::from(ask),
            outcome,
            unlogged,
        }
    }

    /// As stored: salt, leaf hash, hashed content.
    pub(crate) fn encode(&self, salt: &[u8; SALT_BYTES]) -> Bytes {
        let content = encode(&Content::from(self));
        let hash = LeafHash::of(salt, &content);
        encode(&Stored { salt: copied(salt), hash: copied(hash.as_bytes()), content })
    }

    /// Reads what is stored, and checks the hash.
    ///
    /// # Errors
    /// [`InvalidLogRow`].
    pub fn decode(bytes: &Bytes) -> Result<Self, InvalidLogRow> {
        let Stored { salt, hash, content } = decode(bytes).map_err(|_| InvalidLogRow)?;
        let salt: [u8; SALT_BYTES] = salt[..].try_into().map_err(|_| InvalidLogRow)?;
        if LeafHash::of(&salt, &content).as_bytes()[..] != hash[..] {
            return Err(InvalidLogRow);
        }
        Self::try_from(decode::<Content>(&content).map_err(|_| InvalidLogRow)?)
    }
}

impl From<&Ask> for LoggedAsk {
    fn from(ask: &Ask) -> Self {
        match ask {
            Ask::Open { wanted, .. } | Ask::Refuse { wanted, .. } => {
                let Wanted { classes, period, scope } = *wanted;
                Self::Open { classes, period, scope }
            }
            Ask::Put { pid: _, record, version, class_keys: _ } => Self::Put(*record, *version),
            Ask::Delete { pid: _, record, version } => Self::Delete(*record, *version),
            Ask::Stubs { pid: _, count } => Self::Stubs(*count),
        }
    }
}

#[derive(Clone, PartialEq, Eq, prost::Message)]
struct Stored {
    #[prost(bytes = "bytes", tag = "1")]
    salt: Bytes,
    #[prost(bytes = "bytes", tag = "2")]
    hash: Bytes,
    #[prost(bytes = "bytes", tag = "3")]
    content: Bytes,
}

#[derive(Clone, PartialEq, Eq, prost::Message)]
struct Content {
    #[prost(uint64, tag = "1")]
    time_ms: u64,
    #[prost(bytes = "bytes", tag = "2")]
    gateway: Bytes,
    #[prost(bytes = "bytes", tag = "3")]
    request: Bytes,
    #[prost(bytes = "bytes", tag = "4")]
    capability: Bytes,
    #[prost(bytes = "bytes", tag = "5")]
    institution: Bytes,
    #[prost(uint32, tag = "6")]
    purpose: u32,
    #[prost(uint32, tag = "7")]
    evidence: u32,
    #[prost(bytes = "bytes", optional, tag = "8")]
    pid: Option<Bytes>,
    /// 1 open, 2 put, 3 delete, 4 stubs.
    #[prost(uint32, tag = "9")]
    kind: u32,
    #[prost(uint32, tag = "10")]
    classes: u32,
    #[prost(uint32, tag = "11")]
    from_month: u32,
    #[prost(uint32, tag = "12")]
    to_month: u32,
    #[prost(uint32, tag = "13")]
    scope: u32,
    #[prost(bytes = "bytes", tag = "14")]
    record: Bytes,
    #[prost(uint32, tag = "15")]
    version: u32,
    #[prost(uint32, tag = "16")]
    count: u32,
    /// 0 allowed, 1 created, 16 and more refused for the reason 16 less.
    #[prost(uint32, tag = "17")]
    outcome: u32,
    #[prost(uint64, tag = "18")]
    unlogged: u64,
    #[prost(bytes = "bytes", optional, tag = "19")]
    ticket: Option<Bytes>,
}

const REFUSED: u32 = 16;

impl From<&LogRow> for Content {
    fn from(row: &LogRow) -> Self {
        let LogRow { time, gateway, request, capability, institution, purpose, evidence, ticket, pid, .. } = row;
        let LogRow { ask, outcome, unlogged, .. } = row;
        let mut content = Self {
            time_ms: time.0,
            gateway: copied(gateway.as_bytes()),
            request: copied(request.as_bytes()),
            capability: copied(capability.as_bytes()),
            institution: copied(institution.as_bytes()),
            purpose: purpose.map_or(0, |purpose| u32::from(purpose as u8)),
            evidence: evidence.map_or(0, |evidence| u32::from(evidence as u8)),
            ticket: ticket.map(|ticket| copied(ticket.as_bytes())),
            pid: pid.map(|pid| copied(pid.as_bytes())),
            outcome: match outcome {
                Outcome::Allowed => 0,
                Outcome::Created => 1,
                Outcome::Refused(reason) => REFUSED + u32::from(*reason as u8),
            },
            unlogged: *unlogged,
            ..Self::default()
        };
        match ask {
            LoggedAsk::Open { classes, period, scope } => {
                content.kind = 1;
                content.classes = u32::from(classes.bits());
                content.from_month = u32::from(period.from.raw());
                content.to_month = u32::from(period.to.raw());
                content.scope = u32::from(scope.bits());
            }
            LoggedAsk::Put(record, version) | LoggedAsk::Delete(record, version) => {
                content.kind = if matches!(ask, LoggedAsk::Put(..)) { 2 } else { 3 };
                content.record = copied(record.as_bytes());
                content.version = version.get();
            }
            LoggedAsk::Stubs(count) => (content.kind, content.count) = (4, *count),
        }
        content
    }
}

impl TryFrom<Content> for LogRow {
    type Error = InvalidLogRow;

    fn try_from(content: Content) -> Result<Self, InvalidLogRow> {
        let bad = |_| InvalidLogRow;
        Ok(Self {
            time: UnixMillis(content.time_ms),
            gateway: content.gateway[..].try_into().map_err(bad)?,
            request: content.request[..].try_into().map_err(bad)?,
            capability: content.capability[..].try_into().map_err(bad)?,
            institution: content.institution[..].try_into().map_err(bad)?,
            purpose: said(content.purpose, Purpose::from_raw)?,
            evidence: said(content.evidence, Evidence::from_raw)?,
            ticket: content.ticket.as_deref().map(TicketId::try_from).transpose().map_err(bad)?,
            pid: content.pid.as_deref().map(Pid::try_from).transpose().map_err(bad)?,
            outcome: outcome(content.outcome).ok_or(InvalidLogRow)?,
            ask: ask(&content).ok_or(InvalidLogRow)?,
            unlogged: content.unlogged,
        })
    }
}

/// 0 is nothing said.
fn said<T>(raw: u32, read: impl FnOnce(u32) -> Option<T>) -> Result<Option<T>, InvalidLogRow> {
    if raw == 0 { Ok(None) } else { read(raw).map(Some).ok_or(InvalidLogRow) }
}

fn outcome(raw: u32) -> Option<Outcome> {
    match raw {
        0 => Some(Outcome::Allowed),
        1 => Some(Outcome::Created),
        _ => raw.checked_sub(REFUSED).and_then(Reason::from_raw).map(Outcome::Refused),
    }
}

fn ask(content: &Content) -> Option<LoggedAsk> {
    let month = |raw: u32| u16::try_from(raw).ok().map(MonthBucket::from_raw);
    let record = || Some((RecordId::try_from(&content.record[..]).ok()?, RecordVersion::new(content.version)?));
    match content.kind {
        1 => Some(LoggedAsk::Open {
            classes: ClassSet::from_bits(u8::try_from(content.classes).ok()?)?,
            period: Period { from: month(content.from_month)?, to: month(content.to_month)? },
            scope: Scope::from_bits(content.scope)?,
        }),
        2 => record().map(|(record, version)| LoggedAsk::Put(record, version)),
        3 => record().map(|(record, version)| LoggedAsk::Delete(record, version)),
        4 => Some(LoggedAsk::Stubs(content.count)),
        _ => None,
    }
}
