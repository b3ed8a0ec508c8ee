//! Items and commands drawn from an input: a few patients, records and tags, so that they meet.

use bytes::Bytes;
use renkei_access::{Capability, Effect, Period, Purpose, Rule, RuleSet, Scope, Subject, Target};
use renkei_ids::{
    BindingTag, CapabilityId, ClassTag, ContentTag, IdemTag, InstTag, KeyHash, LogId, MonthBucket, Pid, RecordId,
    RecordVersion, RequestId, SizeBucket, Slot, SlotEpoch, UnixMillis,
};
use renkei_shard::{
    Access, Command, DeleteRecord, Fence, Item, ItemKind, Note, Operation, PutRecord, SetRules, SlotChange, SlotHold,
    read,
};

use crate::input::Input;

pub(crate) const NOW: u64 = 1_795_132_800_000;
pub(crate) const LOG: LogId = LogId::from_bytes([0x10; 16]);
/// Patients that an input has.
pub(crate) const PATIENTS: u8 = 3;
const HOUR: u64 = 3_600_000;
const ITEMS_MAX: usize = 6;
const CLASSES: [ClassTag; 2] = [ClassTag::from_bytes([0x51; 16]), ClassTag::from_bytes([0xB0; 16])];

pub(crate) fn pid(patient: u8) -> Pid {
    Pid::from_bytes([patient; 16])
}

/// Those that the patients lie in, and a few more; all of them would only cost time.
pub(crate) fn slots() -> (Slot, Slot) {
    (slot(0), slot(63))
}

fn slot(raw: u32) -> Slot {
    Slot::try_from(raw).expect("a slot of the 4,096")
}

pub(crate) fn whole() -> read::Range {
    read::Range { from: MonthBucket::MIN, to: MonthBucket::MAX, max_entries: 1_000, inline_body_bytes: 0, after: None }
}

pub(crate) fn capability(patient: u8) -> Capability {
    Capability {
        id: CapabilityId::from_bytes([0; 16]),
        pid: pid(patient),
        institution: InstTag::from_bytes([1; 16]),
        classes: CLASSES.to_vec(),
        period: Period::ALL,
        scope: Scope::READ,
        purpose: Purpose::Care,
        issued: UnixMillis(0),
        expires: UnixMillis(u64::MAX),
        gateway: KeyHash::from_bytes([0x6A; 32]),
        stub: Bytes::new(),
        records: vec![],
    }
}

/// An entry, and how many items it has where that is known. Time goes on, jumps, or goes back.
pub(crate) fn command(input: &mut Input<'_>, time: &mut u64) -> (Bytes, Option<usize>) {
    *time = match input.byte() % 16 {
        0 => input.u64(),
        1 => time.saturating_add(25 * HOUR),
        2 => time.saturating_sub(HOUR),
        _ => time.saturating_add(1_000),
    };
    if input.one_in(16) {
        return (Bytes::copy_from_slice(input.short(64)), None);
    }
    let count = 1 + input.below(ITEMS_MAX);
    let items = (0..count)
        .map(|_| if input.one_in(16) { Bytes::copy_from_slice(input.short(48)) } else { item(input).encode() });
    let items: Vec<_> = items.collect();
    (Command { time: UnixMillis(*time), items }.encode(), Some(count))
}

pub(crate) fn item(input: &mut Input<'_>) -> Item {
    match input.byte() % 24 {
        22 => Item::Found { log: LOG, slots: change(input) },
        23 => Item::Slots(change(input)),
        choice => {
            let access = access(input);
            Item::Patient { access, kind: kind(choice, input) }
        }
    }
}

fn change(input: &mut Input<'_>) -> SlotChange {
    let ranges = (0..1 + input.below(2)).map(|_| {
        let mut ends = [u32::from(input.byte() % 64), u32::from(input.byte() % 64)];
        ends.sort_unstable();
        (slot(ends[0]), slot(ends[1]))
    });
    let ranges = ranges.collect();
    let round = 1 + u32::from(input.byte() % 3);
    let hold = *input.pick(&[
        SlotHold::Owned,
        SlotHold::Moving { round },
        SlotHold::Frozen { round },
        SlotHold::Promised { round },
        SlotHold::Incoming,
        SlotHold::Gone,
    ]);
    let fence = Fence { epoch: SlotEpoch(u64::from(input.byte() % 4)), stamp: u64::from(input.byte() % 8) };
    SlotChange { fence, hold, ranges }
}

fn access(input: &mut Input<'_>) -> Access {
    let scope = if input.one_in(8) { Scope::from_bits(u32::from(input.byte() % 32)) } else { Scope::from_bits(31) };
    Access {
        capability: CapabilityId::from_bytes(input.few()),
        pid: pid(input.byte() % PATIENTS),
        institution: InstTag::from_bytes(if input.one_in(4) { [2; 16] } else { [1; 16] }),
        scope: scope.expect("five bits are known"),
        expires: UnixMillis(if input.one_in(8) { input.u64() } else { u64::MAX }),
        request: RequestId::from_bytes(input.few()),
        stub: Bytes::from_static(b"stub"),
        actor: Bytes::from_static(b"actor"),
        salt: input.few(),
    }
}

fn kind(choice: u8, input: &mut Input<'_>) -> ItemKind {
    let record = RecordId::from_bytes(input.few());
    let version = RecordVersion::new(1 + u32::from(input.byte() % 3)).expect("it is not 0");
    let (idem, content) =
        (IdemTag::from_bytes([input.byte() % 16; 16]), ContentTag::from_bytes([input.byte() % 2; 16]));
    match choice {
        0..8 => ItemKind::Put(PutRecord {
            record,
            version,
            month: MonthBucket::from_raw(input.u16()),
            summary_class: CLASSES[0],
            body_class: CLASSES[1],
            binding: BindingTag::from_bytes([3; 16]),
            size: SizeBucket::of_len(100),
            summary: Bytes::from_static(b"summary"),
            body: Bytes::copy_from_slice(input.short(16)),
            idem,
            content,
        }),
        8..12 => ItemKind::Delete(DeleteRecord { record, version, idem, content }),
        12..15 => ItemKind::SetRules(SetRules { rules: rules(input), expected_version: u64::from(input.byte() % 4) }),
        15..17 => ItemKind::Revoke {
            capability: CapabilityId::from_bytes(input.few()),
            expires: UnixMillis(if input.flag() { u64::MAX } else { input.u64() }),
        },
        _ => ItemKind::Note(Note {
            operation: *input.pick(&[Operation::Get, Operation::Timeline, Operation::ListAudit]),
            rules_version: u64::from(input.byte() % 3),
            records: vec![record; usize::from(input.byte() % 3)],
        }),
    }
}

fn rules(input: &mut Input<'_>) -> RuleSet {
    let effect = |flag| if flag { Effect::Deny } else { Effect::Allow };
    let rules = (0..input.byte() % 4)
        .map(|_| Rule {
            effect: effect(input.flag()),
            target: match input.byte() % 3 {
                0 => Target::Every,
                1 => Target::Class(*input.pick(&CLASSES)),
                _ => Target::Record(RecordId::from_bytes(input.few())),
            },
            subject: if input.flag() { Subject::Every } else { Subject::Institution(InstTag::from_bytes([1; 16])) },
            until: input.flag().then(|| UnixMillis(input.u64())),
        })
        .collect();
    RuleSet::new(effect(input.flag()), rules).expect("three rules are few")
}
