//! Patients, and what is asked about them, as the shard knows it.

use bytes::Bytes;
use renkei_access::{Capability, Period, Purpose, Scope};
use renkei_ids::{
    BindingTag, CapabilityId, ClassTag, ContentTag, IdemTag, InstTag, KeyHash, LogId, MonthBucket, Pid, RecordId,
    RecordVersion, RequestId, SizeBucket, Slot, SlotEpoch, UnixMillis,
};
use renkei_shard::read::{self, Eyes, PatientRules, Range};
use renkei_shard::{Access, DeleteRecord, Fence, Item, ItemKind, Note, Operation, PutRecord, SlotChange, SlotHold};
use renkei_shard_state::{ShardState, storage_error};
use renkei_storage::StorageError;

use crate::frames::{self, FoundRecord};
use crate::run::EPOCH;

const CLASS: ClassTag = ClassTag::from_bytes([0x51; 16]);
const INSTITUTION: InstTag = InstTag::from_bytes([0x1A; 16]);
const CAPABILITY: CapabilityId = CapabilityId::from_bytes([0xCA; 16]);
/// Slots that the group takes; each patient has its own.
const SLOTS: u16 = 16;

fn id(kind: u8, number: u64) -> [u8; 16] {
    let mut bytes = [kind; 16];
    bytes[8..].copy_from_slice(&number.to_be_bytes());
    bytes
}

fn pid(patient: u32) -> Pid {
    let mut bytes = id(0, patient.into());
    // The first twelve bits are the slot.
    let slot = u16::try_from(patient).unwrap_or(0) % SLOTS;
    bytes[..2].copy_from_slice(&(slot << 4).to_be_bytes());
    Pid::from_bytes(bytes)
}

fn record(patient: u32, record: u32) -> RecordId {
    RecordId::from_bytes(id(0x4E, u64::from(patient) << 32 | u64::from(record)))
}

fn expires() -> UnixMillis {
    UnixMillis(u64::try_from(EPOCH.as_millis()).unwrap_or(u64::MAX)).plus_millis(86_400_000)
}

fn scope() -> Scope {
    Scope::READ.with(Scope::WRITE).with(Scope::DELETE)
}

fn capability(patient: u32) -> Capability {
    Capability {
        id: CAPABILITY,
        pid: pid(patient),
        institution: INSTITUTION,
        classes: vec![CLASS],
        period: Period::ALL,
        scope: scope(),
        purpose: Purpose::Care,
        issued: UnixMillis(0),
        expires: expires(),
        gateway: KeyHash::from_bytes([0x6A; 32]),
        stub: Bytes::new(),
        records: vec![],
    }
}

/// The request that a client's operation is, also when it is asked again.
pub(crate) fn request(operation: u64) -> RequestId {
    RequestId::from_bytes(id(0x4E, operation))
}

fn encoded(item: &frames::Item, kind: ItemKind) -> Bytes {
    let access = Access {
        capability: CAPABILITY,
        pid: pid(item.patient),
        institution: INSTITUTION,
        scope: scope(),
        expires: expires(),
        request: request(item.operation),
        stub: Bytes::from_static(b"stub"),
        actor: Bytes::from_static(b"actor"),
        salt: [7; 16],
    };
    Item::Patient { access, kind }.encode()
}

/// A write or a deletion.
pub(crate) fn change(item: &frames::Item) -> Bytes {
    let record = record(item.patient, item.record);
    let idem = IdemTag::from_bytes(id(0x1D, item.operation));
    let content = ContentTag::from_bytes(id(0xC0, item.content));
    let version = |number| RecordVersion::new(number).unwrap_or(RecordVersion::FIRST);
    let kind = match item.kind() {
        frames::ItemKind::Delete => {
            ItemKind::Delete(DeleteRecord { record, version: version(item.expected), idem, content })
        }
        _ => ItemKind::Put(PutRecord {
            record,
            version: version(item.expected + 1),
            month: MonthBucket::MIN,
            summary_class: CLASS,
            body_class: CLASS,
            binding: BindingTag::from_bytes([0xBD; 16]),
            size: SizeBucket::of_len(8),
            summary: Bytes::copy_from_slice(&item.content.to_be_bytes()),
            body: Bytes::from_static(b"body"),
            idem,
            content,
        }),
    };
    encoded(item, kind)
}

/// The note of a read.
pub(crate) fn note(item: &frames::Item, rules: &PatientRules, found: &[FoundRecord]) -> Bytes {
    let operation = match item.kind() {
        frames::ItemKind::List => Operation::Timeline,
        _ => Operation::Get,
    };
    let records = found.iter().map(|found| record(item.patient, found.record)).collect();
    encoded(item, ItemKind::Note(Note { operation, rules_version: rules.version, records }))
}

/// The first item of a group.
pub(crate) fn found(log: u64) -> Bytes {
    let slot = |number: u16| Slot::try_from(u32::from(number)).expect("there are more slots than these");
    let ranges = vec![(slot(0), slot(SLOTS - 1))];
    let slots = SlotChange { fence: Fence { epoch: SlotEpoch(1), stamp: 0 }, hold: SlotHold::Owned, ranges };
    Item::Found { log: LogId::from_bytes(id(0x10, log)), slots }.encode()
}

/// Whether the group serves the patient, and by which rules.
pub(crate) fn admit(state: &ShardState<'_>, patient: u32, now: UnixMillis) -> Result<read::Admission, StorageError> {
    read::admit(state, &pid(patient), CAPABILITY, now).map_err(storage_error)
}

/// What a state shows of what a read asks for.
pub(crate) fn find(
    state: &ShardState<'_>,
    item: &frames::Item,
    rules: &PatientRules,
    now: UnixMillis,
) -> Result<Vec<FoundRecord>, StorageError> {
    let capability = capability(item.patient);
    let eyes = Eyes { capability: &capability, rules: &rules.rules, now };
    let entries = match item.kind() {
        frames::ItemKind::List => {
            let range = Range {
                from: MonthBucket::MIN,
                to: MonthBucket::MAX,
                max_entries: 200,
                inline_body_bytes: 0,
                after: None,
            };
            read::timeline(state, &eyes, &range).map_err(storage_error)?.entries
        }
        _ => {
            let found = read::get(state, &eyes, record(item.patient, item.record), None, None);
            found.map_err(storage_error)?.into_iter().collect()
        }
    };
    Ok(entries.iter().filter_map(found_record).collect())
}

fn found_record(entry: &read::Entry) -> Option<FoundRecord> {
    let number = entry.record.as_bytes().last_chunk().map(|number| u32::from_be_bytes(*number))?;
    let content = u64::from_be_bytes(entry.summary.as_ref().try_into().ok()?);
    Some(FoundRecord { record: number, version: entry.version.get(), content })
}

/// The audit rows of a patient: sequence number, leaf and request of each.
pub(crate) fn rows(state: &ShardState<'_>, patient: u32) -> Result<Vec<Row>, StorageError> {
    let mut rows = Vec::new();
    let mut after = renkei_ids::AuditSeq(0);
    loop {
        let (page, more) =
            read::audit_rows(state, &pid(patient), after, read::AUDIT_PAGE_MAX_ROWS).map_err(storage_error)?;
        for row in page {
            let content = renkei_shard::audit::AuditContent::decode(&row.content);
            let content = content.map_err(|_| storage_error(renkei_shard::ShardError::Corrupt { row: "audit row" }))?;
            after = content.seq;
            rows.push(Row { patient, seq: content.seq.0, leaf: row.leaf.0, request: content.request });
        }
        if !more {
            return Ok(rows);
        }
    }
}

/// An audit row, as far as an observer compares it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) patient: u32,
    pub(crate) seq: u64,
    pub(crate) leaf: u64,
    pub(crate) request: RequestId,
}
