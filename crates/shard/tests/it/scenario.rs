//! A founded group and short ways to say what happens to it.

use bytes::Bytes;
use renkei_access::{Capability, Period, Purpose, RuleSet, Scope};
use renkei_ids::{
    BindingTag, CapabilityId, ClassTag, ContentTag, IdemTag, InstTag, KeyHash, LogId, MonthBucket, Pid, RecordId,
    RecordVersion, RequestId, SizeBucket, Slot, SlotEpoch, UnixMillis,
};
use renkei_shard::{
    Access, Command, DeleteRecord, Fence, Item, ItemKind, Memory, Note, Operation, PutRecord, SetRules, SlotChange,
    SlotHold, Verdict, Verdicts, apply, read,
};

pub(crate) const NOW: u64 = 1_795_132_800_000;
pub(crate) const HOUR: u64 = 3_600_000;
pub(crate) const LOG: LogId = LogId::from_bytes([0x10; 16]);
pub(crate) const SUMMARY_CLASS: ClassTag = ClassTag::from_bytes([0x51; 16]);
pub(crate) const BODY_CLASS: ClassTag = ClassTag::from_bytes([0xB0; 16]);

pub(crate) fn pid(n: u8) -> Pid {
    Pid::from_bytes([n; 16])
}

pub(crate) fn record(n: u8) -> RecordId {
    RecordId::from_bytes([n; 16])
}

pub(crate) fn version(n: u32) -> RecordVersion {
    RecordVersion::new(n).expect("tests name versions from 1")
}

pub(crate) fn month(raw: u16) -> MonthBucket {
    MonthBucket::from_raw(raw)
}

pub(crate) fn every_slot() -> Vec<(Slot, Slot)> {
    vec![(Slot::try_from(0).unwrap(), Slot::try_from(4095).unwrap())]
}

pub(crate) fn fence(epoch: u64, stamp: u64) -> Fence {
    Fence { epoch: SlotEpoch(epoch), stamp }
}

/// A group over a store in memory, with its clock.
pub(crate) struct Group {
    pub(crate) store: Memory,
    pub(crate) now: UnixMillis,
}

impl Group {
    pub(crate) fn founded() -> Self {
        #[cfg(feature = "faults")]
        crate::broken_rules::break_as_told();
        let mut group = Self { store: Memory::default(), now: UnixMillis(NOW) };
        let slots = SlotChange { fence: fence(1, 0), hold: SlotHold::Owned, ranges: every_slot() };
        assert_eq!(group.one(Item::Found { log: LOG, slots }), Verdict::Changed);
        group
    }

    pub(crate) fn raw(&mut self, items: Vec<Bytes>) -> Verdicts {
        let entry = Command { time: self.now, items }.encode();
        let reply = apply(&mut self.store, &entry).expect("memory does not fail");
        Verdicts::decode(&reply).expect("apply writes what decode reads")
    }

    pub(crate) fn one(&mut self, item: Item) -> Verdict {
        self.raw(vec![item.encode()]).verdicts[0]
    }

    pub(crate) fn by(&mut self, access: Access, kind: ItemKind) -> Verdict {
        self.one(Item::Patient { access, kind })
    }
}

pub(crate) fn access(n: u8) -> Access {
    Access {
        capability: CapabilityId::from_bytes([0xCA; 16]),
        pid: pid(n),
        institution: InstTag::from_bytes([0x1A; 16]),
        scope: Scope::READ.with(Scope::WRITE).with(Scope::DELETE).with(Scope::RULES).with(Scope::AUDIT),
        expires: UnixMillis(NOW + 1_000 * HOUR),
        request: RequestId::from_bytes([0x4E; 16]),
        stub: Bytes::from_static(b"sealed stub"),
        actor: Bytes::from_static(b"sealed actor"),
        salt: [7; 16],
    }
}

pub(crate) fn capability(n: u8) -> Capability {
    let access = access(n);
    Capability {
        id: access.capability,
        pid: access.pid,
        institution: access.institution,
        classes: vec![SUMMARY_CLASS, BODY_CLASS],
        period: Period::ALL,
        scope: access.scope,
        purpose: Purpose::Care,
        issued: UnixMillis(NOW),
        expires: access.expires,
        gateway: KeyHash::from_bytes([0x6A; 32]),
        stub: access.stub,
        records: vec![],
    }
}

/// A put whose idempotency and content tags follow from what it says.
pub(crate) fn put(id: u8, v: u32, m: u16) -> PutRecord {
    PutRecord {
        record: record(id),
        version: version(v),
        month: month(m),
        summary_class: SUMMARY_CLASS,
        body_class: BODY_CLASS,
        binding: BindingTag::from_bytes([0xBD; 16]),
        size: SizeBucket::of_len(100),
        summary: Bytes::from(format!("summary {id} {v}")),
        body: Bytes::from(format!("body {id} {v}")),
        idem: IdemTag::from_bytes([id; 16].map(|b| b ^ u8::try_from(v & 0xFF).unwrap())),
        content: ContentTag::from_bytes([id; 16]),
    }
}

pub(crate) fn delete(id: u8, v: u32) -> DeleteRecord {
    DeleteRecord {
        record: record(id),
        version: version(v),
        idem: IdemTag::from_bytes([id ^ 0xFF; 16]),
        content: ContentTag::from_bytes([id; 16]),
    }
}

pub(crate) fn note(rules_version: u64, records: &[RecordId]) -> ItemKind {
    ItemKind::Note(Note { operation: Operation::Get, rules_version, records: records.to_vec() })
}

pub(crate) fn set_rules(rules: RuleSet, expected_version: u64) -> ItemKind {
    ItemKind::SetRules(SetRules { rules, expected_version })
}

pub(crate) fn range(max_entries: usize) -> read::Range {
    read::Range { from: MonthBucket::MIN, to: MonthBucket::MAX, max_entries, inline_body_bytes: 0, after: None }
}
