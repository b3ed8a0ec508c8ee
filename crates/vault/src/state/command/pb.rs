//! The encoded form of commands. Tags never change their meaning.

use bytes::Bytes;
use renkei_access::{Evidence, Limit, Period, Purpose, Scope};
use renkei_envelope::{Class, ClassSet, KeyEpoch, PseudonymHash};
use renkei_ids::{DirectoryVersion, MonthBucket, RecordVersion, TicketId, UnixMillis};

use super::super::budget::Limits;
use super::super::format::copied;
use super::super::verdict::Reason;
use super::InvalidCommand;

#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(super) struct Command {
    #[prost(oneof = "Kind", tags = "1, 2, 3")]
    kind: Option<Kind>,
}

#[derive(Clone, PartialEq, Eq, prost::Oneof)]
enum Kind {
    #[prost(message, tag = "1")]
    Found(Founding),
    #[prost(message, tag = "2")]
    Decide(Batch),
    #[prost(message, tag = "3")]
    Direct(Direct),
}

#[derive(Clone, PartialEq, Eq, prost::Message)]
struct Direct {
    #[prost(uint64, tag = "1")]
    time_ms: u64,
    #[prost(bytes = "bytes", tag = "2")]
    signed: Bytes,
}

#[derive(Clone, PartialEq, Eq, prost::Message)]
struct Founding {
    #[prost(bytes = "bytes", tag = "1")]
    log: Bytes,
    #[prost(uint32, tag = "2")]
    epoch: u32,
    #[prost(bytes = "bytes", repeated, tag = "3")]
    slots: Vec<Bytes>,
}

#[derive(Clone, PartialEq, Eq, prost::Message)]
struct Batch {
    #[prost(uint64, tag = "1")]
    time_ms: u64,
    #[prost(bytes = "bytes", tag = "2")]
    gateway: Bytes,
    #[prost(bytes = "bytes", tag = "3")]
    request: Bytes,
    #[prost(bytes = "bytes", tag = "4")]
    limits: Bytes,
    #[prost(message, repeated, tag = "5")]
    items: Vec<Item>,
    /// 0 for none.
    #[prost(uint64, tag = "6")]
    directory: u64,
}

#[derive(Clone, PartialEq, Eq, prost::Message)]
struct Item {
    #[prost(bytes = "bytes", tag = "1")]
    capability: Bytes,
    #[prost(bytes = "bytes", tag = "2")]
    salt: Bytes,
    #[prost(bytes = "bytes", tag = "3")]
    institution: Bytes,
    #[prost(uint32, tag = "4")]
    purpose: u32,
    #[prost(uint32, tag = "5")]
    evidence: u32,
    #[prost(oneof = "Ask", tags = "6, 7, 8, 9, 10")]
    ask: Option<Ask>,
}

#[derive(Clone, PartialEq, Eq, prost::Oneof)]
enum Ask {
    #[prost(message, tag = "6")]
    Open(Open),
    #[prost(message, tag = "7")]
    Put(Put),
    #[prost(message, tag = "8")]
    Delete(Delete),
    #[prost(message, tag = "9")]
    Stubs(Stubs),
    #[prost(message, tag = "10")]
    Refuse(Refuse),
}

#[derive(Clone, PartialEq, Eq, prost::Message)]
struct Open {
    #[prost(bytes = "bytes", tag = "1")]
    hash: Bytes,
    #[prost(message, optional, tag = "2")]
    unknown: Option<NewPatient>,
    #[prost(uint32, tag = "3")]
    classes: u32,
    #[prost(uint32, tag = "4")]
    from_month: u32,
    #[prost(uint32, tag = "5")]
    to_month: u32,
    #[prost(uint32, tag = "6")]
    scope: u32,
    #[prost(message, optional, tag = "7")]
    ticket: Option<TicketUse>,
    #[prost(bytes = "bytes", optional, tag = "8")]
    escrow: Option<Bytes>,
}

#[derive(Clone, PartialEq, Eq, prost::Message)]
struct TicketUse {
    #[prost(bytes = "bytes", tag = "1")]
    id: Bytes,
    #[prost(uint64, tag = "2")]
    expires_ms: u64,
    #[prost(message, optional, tag = "3")]
    breadth: Option<Breadth>,
}

#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
struct Breadth {
    #[prost(uint32, tag = "1")]
    minute: u32,
    #[prost(uint32, tag = "2")]
    day: u32,
}

#[derive(Clone, PartialEq, Eq, prost::Message)]
struct Refuse {
    #[prost(uint32, tag = "1")]
    reason: u32,
    #[prost(bytes = "bytes", optional, tag = "2")]
    ticket: Option<Bytes>,
    #[prost(uint32, tag = "3")]
    classes: u32,
    #[prost(uint32, tag = "4")]
    from_month: u32,
    #[prost(uint32, tag = "5")]
    to_month: u32,
    #[prost(uint32, tag = "6")]
    scope: u32,
}

#[derive(Clone, PartialEq, Eq, prost::Message)]
struct NewPatient {
    #[prost(bytes = "bytes", tag = "1")]
    pid: Bytes,
    #[prost(bytes = "bytes", tag = "2")]
    seed: Bytes,
    #[prost(bytes = "bytes", tag = "3")]
    patient_key: Bytes,
    #[prost(bytes = "bytes", tag = "4")]
    log_key: Bytes,
}

#[derive(Clone, PartialEq, Eq, prost::Message)]
struct Put {
    #[prost(bytes = "bytes", tag = "1")]
    pid: Bytes,
    #[prost(bytes = "bytes", tag = "2")]
    record: Bytes,
    #[prost(uint32, tag = "3")]
    version: u32,
    #[prost(message, repeated, tag = "4")]
    class_keys: Vec<NewClassKey>,
}

#[derive(Clone, PartialEq, Eq, prost::Message)]
struct NewClassKey {
    #[prost(bytes = "bytes", tag = "1")]
    class: Bytes,
    #[prost(uint32, tag = "2")]
    year: u32,
    #[prost(bytes = "bytes", optional, tag = "3")]
    key: Option<Bytes>,
}

#[derive(Clone, PartialEq, Eq, prost::Message)]
struct Delete {
    #[prost(bytes = "bytes", tag = "1")]
    pid: Bytes,
    #[prost(bytes = "bytes", tag = "2")]
    record: Bytes,
    #[prost(uint32, tag = "3")]
    version: u32,
}

#[derive(Clone, PartialEq, Eq, prost::Message)]
struct Stubs {
    #[prost(bytes = "bytes", tag = "1")]
    pid: Bytes,
    #[prost(uint32, tag = "2")]
    count: u32,
}

const fn field<E>(name: &'static str) -> impl FnOnce(E) -> InvalidCommand {
    move |_| InvalidCommand::Field(name)
}

fn some<T>(value: Option<T>, name: &'static str) -> Result<T, InvalidCommand> {
    value.ok_or(InvalidCommand::Field(name))
}

/// 0 is nothing said.
fn said<T>(raw: u32, read: fn(u32) -> Option<T>, name: &'static str) -> Result<Option<T>, InvalidCommand> {
    if raw == 0 { Ok(None) } else { some(read(raw), name).map(Some) }
}

fn month(raw: u32) -> Result<MonthBucket, InvalidCommand> {
    u16::try_from(raw).map(MonthBucket::from_raw).map_err(field("period"))
}

fn wanted(classes: u32, (from, to): (u32, u32), scope: u32) -> Result<super::Wanted, InvalidCommand> {
    Ok(super::Wanted {
        classes: some(u8::try_from(classes).ok().and_then(ClassSet::from_bits), "classes")?,
        period: Period { from: month(from)?, to: month(to)? },
        scope: some(Scope::from_bits(scope), "scope")?,
    })
}

impl From<&super::Command> for Command {
    fn from(command: &super::Command) -> Self {
        let kind = match command {
            super::Command::Found(founding) => {
                let super::Founding { log, epoch, slots } = founding;
                Kind::Found(Founding {
                    log: copied(log.as_bytes()),
                    epoch: epoch.0,
                    slots: slots.iter().map(|slot| slot.as_bytes().clone()).collect(),
                })
            }
            super::Command::Decide(batch) => {
                let super::Batch { time, gateway, request, limits, directory, items } = batch;
                Kind::Decide(Batch {
                    time_ms: time.0,
                    gateway: copied(gateway.as_bytes()),
                    request: copied(request.as_bytes()),
                    limits: limits.to_bytes(),
                    items: items.iter().map(Item::from).collect(),
                    directory: directory.map_or(0, |version| version.0),
                })
            }
            super::Command::Direct { time, signed } => Kind::Direct(Direct { time_ms: time.0, signed: signed.clone() }),
        };
        Self { kind: Some(kind) }
    }
}

impl TryFrom<Command> for super::Command {
    type Error = InvalidCommand;

    fn try_from(command: Command) -> Result<Self, InvalidCommand> {
        match some(command.kind, "kind")? {
            Kind::Found(Founding { log, epoch, slots }) => Ok(Self::Found(super::Founding {
                log: log[..].try_into().map_err(field("log"))?,
                epoch: KeyEpoch(epoch),
                slots: slots
                    .into_iter()
                    .map(|slot| slot.try_into().map_err(field("slots")))
                    .collect::<Result<_, _>>()?,
            })),
            Kind::Decide(Batch { time_ms, gateway, request, limits, items, directory }) => {
                Ok(Self::Decide(super::Batch {
                    time: UnixMillis(time_ms),
                    gateway: gateway[..].try_into().map_err(field("gateway"))?,
                    request: request[..].try_into().map_err(field("request"))?,
                    limits: some(Limits::from_bytes(&limits), "limits")?,
                    directory: (directory > 0).then_some(DirectoryVersion(directory)),
                    items: items.into_iter().map(super::Item::try_from).collect::<Result<_, _>>()?,
                }))
            }
            Kind::Direct(Direct { time_ms, signed }) => Ok(Self::Direct { time: UnixMillis(time_ms), signed }),
        }
    }
}

impl From<&super::Item> for Item {
    fn from(item: &super::Item) -> Self {
        let super::Item { capability, salt, institution, purpose, evidence, ask } = item;
        Self {
            capability: copied(capability.as_bytes()),
            salt: copied(salt),
            institution: copied(institution.as_bytes()),
            purpose: purpose.map_or(0, |purpose| u32::from(purpose as u8)),
            evidence: evidence.map_or(0, |evidence| u32::from(evidence as u8)),
            ask: Some(ask.into()),
        }
    }
}

impl TryFrom<Item> for super::Item {
    type Error = InvalidCommand;

    fn try_from(item: Item) -> Result<Self, InvalidCommand> {
        let Item { capability, salt, institution, purpose, evidence, ask } = item;
        Ok(Self {
            capability: capability[..].try_into().map_err(field("capability"))?,
            salt: salt[..].try_into().map_err(field("salt"))?,
            institution: institution[..].try_into().map_err(field("institution"))?,
            purpose: said(purpose, Purpose::from_raw, "purpose")?,
            evidence: said(evidence, Evidence::from_raw, "evidence")?,
            ask: some(ask, "ask")?.try_into()?,
        })
    }
}

impl From<&super::Ask> for Ask {
    fn from(ask: &super::Ask) -> Self {
        match ask {
            super::Ask::Open { hash, unknown, wanted, ticket, escrow } => {
                let super::Wanted { classes, period, scope } = wanted;
                Self::Open(Open {
                    hash: copied(hash.expose()),
                    unknown: unknown.as_ref().map(|new| NewPatient {
                        pid: copied(new.pid.as_bytes()),
                        seed: new.seed.as_bytes().clone(),
                        patient_key: new.patient_key.as_bytes().clone(),
                        log_key: new.log_key.as_bytes().clone(),
                    }),
                    classes: u32::from(classes.bits()),
                    from_month: u32::from(period.from.raw()),
                    to_month: u32::from(period.to.raw()),
                    scope: u32::from(scope.bits()),
                    ticket: ticket.as_ref().map(TicketUse::from),
                    escrow: escrow.clone(),
                })
            }
            super::Ask::Refuse { reason, wanted, ticket } => {
                let super::Wanted { classes, period, scope } = wanted;
                Self::Refuse(Refuse {
                    reason: u32::from(*reason as u8),
                    ticket: ticket.map(|ticket| copied(ticket.as_bytes())),
                    classes: u32::from(classes.bits()),
                    from_month: u32::from(period.from.raw()),
                    to_month: u32::from(period.to.raw()),
                    scope: u32::from(scope.bits()),
                })
            }
            super::Ask::Put { pid, record, version, class_keys } => Self::Put(Put {
                pid: copied(pid.as_bytes()),
                record: copied(record.as_bytes()),
                version: version.get(),
                class_keys: class_keys
                    .iter()
                    .map(|new| NewClassKey {
                        class: copied(&new.class.to_bytes()),
                        year: u32::from(new.year),
                        key: new.key.as_ref().map(|key| key.as_bytes().clone()),
                    })
                    .collect(),
            }),
            super::Ask::Delete { pid, record, version } => Self::Delete(Delete {
                pid: copied(pid.as_bytes()),
                record: copied(record.as_bytes()),
                version: version.get(),
            }),
            super::Ask::Stubs { pid, count } => Self::Stubs(Stubs { pid: copied(pid.as_bytes()), count: *count }),
        }
    }
}

impl TryFrom<Ask> for super::Ask {
    type Error = InvalidCommand;

    fn try_from(ask: Ask) -> Result<Self, InvalidCommand> {
        match ask {
            Ask::Open(Open { hash, unknown, classes, from_month, to_month, scope, ticket, escrow }) => Ok(Self::Open {
                hash: PseudonymHash::try_from(&hash[..]).map_err(field("hash"))?,
                unknown: unknown.map(super::NewPatient::try_from).transpose()?,
                wanted: wanted(classes, (from_month, to_month), scope)?,
                ticket: ticket.map(super::TicketUse::try_from).transpose()?,
                escrow,
            }),
            Ask::Refuse(Refuse { reason, ticket, classes, from_month, to_month, scope }) => Ok(Self::Refuse {
                reason: some(Reason::from_raw(reason), "reason")?,
                wanted: wanted(classes, (from_month, to_month), scope)?,
                ticket: ticket.as_deref().map(TicketId::try_from).transpose().map_err(field("ticket"))?,
            }),
            Ask::Put(Put { pid, record, version, class_keys }) => Ok(Self::Put {
                pid: pid[..].try_into().map_err(field("pid"))?,
                record: record[..].try_into().map_err(field("record"))?,
                version: some(RecordVersion::new(version), "version")?,
                class_keys: class_keys.into_iter().map(super::NewClassKey::try_from).collect::<Result<_, _>>()?,
            }),
            Ask::Delete(Delete { pid, record, version }) => Ok(Self::Delete {
                pid: pid[..].try_into().map_err(field("pid"))?,
                record: record[..].try_into().map_err(field("record"))?,
                version: some(RecordVersion::new(version), "version")?,
            }),
            Ask::Stubs(Stubs { pid, count }) => {
                Ok(Self::Stubs { pid: pid[..].try_into().map_err(field("pid"))?, count })
            }
        }
    }
}

impl From<&super::TicketUse> for TicketUse {
    fn from(ticket: &super::TicketUse) -> Self {
        let super::TicketUse { id, expires, breadth } = ticket;
        let breadth = breadth.map(|Limit { minute, day }| Breadth { minute, day });
        Self { id: copied(id.as_bytes()), expires_ms: expires.0, breadth }
    }
}

impl TryFrom<TicketUse> for super::TicketUse {
    type Error = InvalidCommand;

    fn try_from(ticket: TicketUse) -> Result<Self, InvalidCommand> {
        let TicketUse { id, expires_ms, breadth } = ticket;
        Ok(Self {
            id: id[..].try_into().map_err(field("ticket"))?,
            expires: UnixMillis(expires_ms),
            breadth: breadth.map(|Breadth { minute, day }| Limit { minute, day }),
        })
    }
}

impl TryFrom<NewPatient> for super::NewPatient {
    type Error = InvalidCommand;

    fn try_from(new: NewPatient) -> Result<Self, InvalidCommand> {
        let NewPatient { pid, seed, patient_key, log_key } = new;
        Ok(Self {
            pid: pid[..].try_into().map_err(field("pid"))?,
            seed: seed.try_into().map_err(field("seed"))?,
            patient_key: patient_key.try_into().map_err(field("patient_key"))?,
            log_key: log_key.try_into().map_err(field("log_key"))?,
        })
    }
}

impl TryFrom<NewClassKey> for super::NewClassKey {
    type Error = InvalidCommand;

    fn try_from(new: NewClassKey) -> Result<Self, InvalidCommand> {
        let NewClassKey { class, year, key } = new;
        let class = class[..].try_into().ok().and_then(Class::from_bytes);
        Ok(Self {
            class: some(class, "class")?,
            year: u16::try_from(year).map_err(field("year"))?,
            key: key.map(|key| key.try_into().map_err(field("class_key"))).transpose()?,
        })
    }
}
