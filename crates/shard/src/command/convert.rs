//! Items to and from their replicated form. Each message is destructured whole; nothing missing is defaulted.

use bytes::{Bytes, BytesMut};
use prost::Message as _;
use renkei_access::{RuleSet, Scope};
use renkei_ids::{
    BindingTag, CapabilityId, ClassTag, ContentTag, IdemTag, InstTag, LogId, MonthBucket, Pid, RecordId, RecordVersion,
    RequestId, SizeBucket, Slot, SlotEpoch, UnixMillis,
};

use super::{
    Access, BODY_MAX_BYTES, DeleteRecord, InvalidCommand, Item, ItemKind, NOTE_RECORDS_MAX, Note, Operation, PutRecord,
    SEALED_MAX_BYTES, SUMMARY_MAX_BYTES, SetRules, SlotChange, pb,
};
use crate::format::copied;
use crate::keys::Family;
use crate::slots::{Fence, SlotHold};
use crate::transfer::{CHUNK_MAX_ROWS, Import, MovedRow, Purge};

impl Item {
    /// The item's bytes, for a [`super::Command`].
    pub fn encode(&self) -> Bytes {
        pb::Item::from(self).encode_to_vec().into()
    }

    /// Reads an item.
    ///
    /// # Errors
    /// [`InvalidCommand`]; every limit of the parts is judged here.
    pub fn decode(bytes: &Bytes) -> Result<Self, InvalidCommand> {
        pb::Item::decode(bytes.clone()).map_err(|_| InvalidCommand::Frame)?.try_into()
    }
}

impl From<&Item> for pb::Item {
    fn from(item: &Item) -> Self {
        match item {
            Item::Patient { access, kind } => Self { access: Some(access.into()), ..kind.into() },
            Item::Found { log, slots } => Self {
                found: Some(pb::Found { log: copied(log.as_bytes()), slots: Some(slots.into()) }),
                ..Self::default()
            },
            Item::Slots(slots) => Self { slots: Some(slots.into()), ..Self::default() },
            Item::Import(import) => Self { import: Some(import.into()), ..Self::default() },
            Item::Purge(purge) => Self { purge: Some((*purge).into()), ..Self::default() },
        }
    }
}

impl From<&ItemKind> for pb::Item {
    fn from(kind: &ItemKind) -> Self {
        let empty = Self::default();
        match kind {
            ItemKind::Note(note) => Self { note: Some(note.into()), ..empty },
            ItemKind::Put(put) => Self { put: Some(put.into()), ..empty },
            ItemKind::Delete(delete) => Self { delete: Some(delete.into()), ..empty },
            ItemKind::SetRules(SetRules { rules, expected_version }) => Self {
                set_rules: Some(pb::SetRules { rules: rules.encode(), expected_version: *expected_version }),
                ..empty
            },
            ItemKind::Revoke { capability, expires } => Self {
                revoke: Some(pb::Revoke { capability: copied(capability.as_bytes()), expires_ms: expires.0 }),
                ..empty
            },
        }
    }
}

impl TryFrom<pb::Item> for Item {
    type Error = InvalidCommand;

    fn try_from(item: pb::Item) -> Result<Self, InvalidCommand> {
        let pb::Item { access, note, put, delete, set_rules, revoke, found, slots, import, purge } = item;
        let kind = match (note, put, delete, set_rules, revoke) {
            (Some(note), None, None, None, None) => Some(ItemKind::Note(note.try_into()?)),
            (None, Some(put), None, None, None) => Some(ItemKind::Put(put.try_into()?)),
            (None, None, Some(delete), None, None) => Some(ItemKind::Delete(delete.try_into()?)),
            (None, None, None, Some(rules), None) => Some(ItemKind::SetRules(rules.try_into()?)),
            (None, None, None, None, Some(pb::Revoke { capability, expires_ms })) => Some(ItemKind::Revoke {
                capability: CapabilityId::try_from(&capability[..])?,
                expires: UnixMillis(expires_ms),
            }),
            (None, None, None, None, None) => None,
            _ => return Err(InvalidCommand::Field("single kind")),
        };
        match (access, kind, found, slots, import, purge) {
            (Some(access), Some(kind), None, None, None, None) => {
                Ok(Self::Patient { access: access.try_into()?, kind })
            }
            (None, None, Some(pb::Found { log, slots }), None, None, None) => Ok(Self::Found {
                log: LogId::try_from(&log[..])?,
                slots: slots.ok_or(InvalidCommand::Field("slots"))?.try_into()?,
            }),
            (None, None, None, Some(slots), None, None) => Ok(Self::Slots(slots.try_into()?)),
            (None, None, None, None, Some(import), None) => Ok(Self::Import(import.try_into()?)),
            (None, None, None, None, None, Some(purge)) => Ok(Self::Purge(purge.try_into()?)),
            _ => Err(InvalidCommand::Field("single kind")),
        }
    }
}

impl From<&Access> for pb::Access {
    fn from(access: &Access) -> Self {
        let Access { capability, pid, institution, scope, expires, request, stub, actor, salt } = access;
        Self {
            capability: copied(capability.as_bytes()),
            pid: copied(pid.as_bytes()),
            institution: copied(institution.as_bytes()),
            scope: u32::from(scope.bits()),
            expires_ms: expires.0,
            request: copied(request.as_bytes()),
            stub: stub.clone(),
            actor: actor.clone(),
            salt: copied(salt),
        }
    }
}

impl TryFrom<pb::Access> for Access {
    type Error = InvalidCommand;

    fn try_from(access: pb::Access) -> Result<Self, InvalidCommand> {
        let pb::Access { capability, pid, institution, scope, expires_ms, request, stub, actor, salt } = access;
        Ok(Self {
            capability: CapabilityId::try_from(&capability[..])?,
            pid: Pid::try_from(&pid[..])?,
            institution: InstTag::try_from(&institution[..])?,
            scope: Scope::from_bits(scope).ok_or(InvalidCommand::Field("scope"))?,
            expires: UnixMillis(expires_ms),
            request: RequestId::try_from(&request[..])?,
            stub: within(stub, SEALED_MAX_BYTES, "stub")?,
            actor: within(actor, SEALED_MAX_BYTES, "actor")?,
            salt: salt[..].try_into().map_err(|_| InvalidCommand::Field("salt"))?,
        })
    }
}

impl From<&Note> for pb::Note {
    fn from(note: &Note) -> Self {
        let Note { operation, rules_version, records } = note;
        Self { operation: u32::from(*operation as u8), rules_version: *rules_version, records: joined(records) }
    }
}

impl TryFrom<pb::Note> for Note {
    type Error = InvalidCommand;

    fn try_from(note: pb::Note) -> Result<Self, InvalidCommand> {
        let pb::Note { operation, rules_version, records } = note;
        let operation = Operation::from_raw(operation)
            .filter(|operation| matches!(operation, Operation::Get | Operation::Timeline | Operation::ListAudit))
            .ok_or(InvalidCommand::Field("read operation"))?;
        if records.len() > NOTE_RECORDS_MAX * RecordId::LEN {
            return Err(InvalidCommand::Field("record list within its limit"));
        }
        Ok(Self { operation, rules_version, records: split(&records)? })
    }
}

impl From<&PutRecord> for pb::Put {
    fn from(put: &PutRecord) -> Self {
        let PutRecord {
            record,
            version,
            month,
            summary_class,
            body_class,
            binding,
            size,
            summary,
            body,
            idem,
            content,
        } = put;
        Self {
            record: copied(record.as_bytes()),
            version: version.get(),
            month: u32::from(month.raw()),
            summary_class: copied(summary_class.as_bytes()),
            body_class: copied(body_class.as_bytes()),
            binding: copied(binding.as_bytes()),
            size: u32::from(size.raw()),
            summary: summary.clone(),
            body: body.clone(),
            idem: copied(idem.as_bytes()),
            content: copied(content.as_bytes()),
        }
    }
}

impl TryFrom<pb::Put> for PutRecord {
    type Error = InvalidCommand;

    fn try_from(put: pb::Put) -> Result<Self, InvalidCommand> {
        let pb::Put { record, version, month, summary_class, body_class, binding, size, summary, body, idem, content } =
            put;
        Ok(Self {
            record: RecordId::try_from(&record[..])?,
            version: RecordVersion::new(version).ok_or(InvalidCommand::Field("version"))?,
            month: u16::try_from(month).map(MonthBucket::from_raw).map_err(|_| InvalidCommand::Field("month"))?,
            summary_class: ClassTag::try_from(&summary_class[..])?,
            body_class: ClassTag::try_from(&body_class[..])?,
            binding: BindingTag::try_from(&binding[..])?,
            size: u8::try_from(size).ok().and_then(SizeBucket::from_raw).ok_or(InvalidCommand::Field("size bucket"))?,
            summary: within(summary, SUMMARY_MAX_BYTES, "summary")?,
            body: within(body, BODY_MAX_BYTES, "body")?,
            idem: IdemTag::try_from(&idem[..])?,
            content: ContentTag::try_from(&content[..])?,
        })
    }
}

impl From<&DeleteRecord> for pb::Delete {
    fn from(delete: &DeleteRecord) -> Self {
        let DeleteRecord { record, version, idem, content } = delete;
        Self {
            record: copied(record.as_bytes()),
            version: version.get(),
            idem: copied(idem.as_bytes()),
            content: copied(content.as_bytes()),
        }
    }
}

impl TryFrom<pb::Delete> for DeleteRecord {
    type Error = InvalidCommand;

    fn try_from(delete: pb::Delete) -> Result<Self, InvalidCommand> {
        let pb::Delete { record, version, idem, content } = delete;
        Ok(Self {
            record: RecordId::try_from(&record[..])?,
            version: RecordVersion::new(version).ok_or(InvalidCommand::Field("version"))?,
            idem: IdemTag::try_from(&idem[..])?,
            content: ContentTag::try_from(&content[..])?,
        })
    }
}

impl TryFrom<pb::SetRules> for SetRules {
    type Error = InvalidCommand;

    fn try_from(set: pb::SetRules) -> Result<Self, InvalidCommand> {
        let pb::SetRules { rules, expected_version } = set;
        let rules = RuleSet::decode(&rules).map_err(|_| InvalidCommand::Field("rules"))?;
        Ok(Self { rules, expected_version })
    }
}

impl From<&SlotChange> for pb::Slots {
    fn from(change: &SlotChange) -> Self {
        let SlotChange { fence: Fence { epoch, stamp }, hold, ranges } = change;
        let bounds = ranges.iter().flat_map(|(first, last)| [u32::from(first.get()), u32::from(last.get())]).collect();
        let (hold, round) = hold.raw();
        Self { epoch: epoch.0, hold, bounds, stamp: *stamp, round }
    }
}

impl TryFrom<pb::Slots> for SlotChange {
    type Error = InvalidCommand;

    fn try_from(slots: pb::Slots) -> Result<Self, InvalidCommand> {
        let pb::Slots { epoch, hold, bounds, stamp, round } = slots;
        let (pairs, rest) = bounds.as_chunks::<2>();
        if !rest.is_empty() {
            return Err(InvalidCommand::Field("pair of slots"));
        }
        let ranges = pairs.iter().map(|[first, last]| range(*first, *last)).collect::<Result<Vec<_>, _>>()?;
        let hold = SlotHold::from_raw(hold, round).ok_or(InvalidCommand::Field("hold"))?;
        Ok(Self { fence: Fence { epoch: SlotEpoch(epoch), stamp }, hold, ranges })
    }
}

fn range(first: u32, last: u32) -> Result<(Slot, Slot), InvalidCommand> {
    let slot = |raw: u32| Slot::try_from(raw).map_err(|_| InvalidCommand::Field("slot"));
    if first > last {
        return Err(InvalidCommand::Field("ascending range"));
    }
    Ok((slot(first)?, slot(last)?))
}

impl From<&Import> for pb::Import {
    fn from(import: &Import) -> Self {
        let Import { fence: Fence { epoch, stamp }, time, rows } = import;
        let row = |row: &MovedRow| {
            let MovedRow { family, key, value } = row;
            pb::MovedRow { family: u32::from(*family as u8), key: key.clone(), value: value.clone() }
        };
        Self { epoch: epoch.0, stamp: *stamp, time_ms: time.0, rows: rows.iter().map(row).collect() }
    }
}

impl TryFrom<pb::Import> for Import {
    type Error = InvalidCommand;

    fn try_from(import: pb::Import) -> Result<Self, InvalidCommand> {
        let pb::Import { epoch, stamp, time_ms, rows } = import;
        if rows.len() > CHUNK_MAX_ROWS {
            return Err(InvalidCommand::Field("rows within their limit"));
        }
        let row = |pb::MovedRow { family, key, value }| {
            let family = u8::try_from(family).ok().and_then(Family::from_number);
            let row = MovedRow { family: family.ok_or(InvalidCommand::Field("family"))?, key, value };
            if row.moves() { Ok(row) } else { Err(InvalidCommand::Field("key that moves")) }
        };
        Ok(Self {
            fence: Fence { epoch: SlotEpoch(epoch), stamp },
            time: UnixMillis(time_ms),
            rows: rows.into_iter().map(row).collect::<Result<_, InvalidCommand>>()?,
        })
    }
}

impl From<Purge> for pb::Purge {
    fn from(purge: Purge) -> Self {
        let Purge { fence: Fence { epoch, stamp }, range: (first, last) } = purge;
        Self { epoch: epoch.0, stamp, first: u32::from(first.get()), last: u32::from(last.get()) }
    }
}

impl TryFrom<pb::Purge> for Purge {
    type Error = InvalidCommand;

    fn try_from(purge: pb::Purge) -> Result<Self, InvalidCommand> {
        let pb::Purge { epoch, stamp, first, last } = purge;
        Ok(Self { fence: Fence { epoch: SlotEpoch(epoch), stamp }, range: range(first, last)? })
    }
}

fn within(bytes: Bytes, limit: usize, field: &'static str) -> Result<Bytes, InvalidCommand> {
    if bytes.len() > limit { Err(InvalidCommand::Field(field)) } else { Ok(bytes) }
}

/// Record ids one behind the other.
pub(crate) fn joined(records: &[RecordId]) -> Bytes {
    let mut bytes = BytesMut::with_capacity(records.len() * RecordId::LEN);
    records.iter().for_each(|record| bytes.extend_from_slice(record.as_bytes()));
    bytes.freeze()
}

/// The record ids that lie one behind the other.
pub(crate) fn split(bytes: &[u8]) -> Result<Vec<RecordId>, InvalidCommand> {
    let (records, rest) = bytes.as_chunks::<{ RecordId::LEN }>();
    if !rest.is_empty() {
        return Err(InvalidCommand::Field("whole record ids"));
    }
    Ok(records.iter().copied().map(RecordId::from_bytes).collect())
}
