//! One synthetic patient, and the requests that a gateway makes for her.

use std::time::Duration;

use bytes::Bytes;
use renkei_access::{Capability, Period, Purpose, RecordGrant, Scope, SignedCapability};
use renkei_ids::{
    AuditSeq, BindingTag, CapabilityId, ClassTag, ContentTag, IdemTag, InstTag, KeyHash, MonthBucket, Pid, RecordId,
    RecordVersion, RequestId, SizeBucket, Slot, SlotEpoch, UnixMillis,
};
use renkei_wire::{DeleteRecord, GetRecord, ListAudit, NodeRequest, Operation, PutBody, PutRecord, ReadTimeline};

use crate::cloud::TestCloud;

pub(crate) const SUMMARY: ClassTag = ClassTag::from_bytes([0x51; 16]);
pub(crate) const BODY: ClassTag = ClassTag::from_bytes([0xB0; 16]);

#[derive(Clone, Copy)]
pub(crate) struct Patient(pub(crate) Pid);

impl Patient {
    /// A patient whose number is the first byte of her id: 16 slots apart from the next.
    pub(crate) fn new(n: u8) -> Self {
        Self(Pid::from_bytes([n; 16]))
    }

    pub(crate) fn slot(&self) -> Slot {
        self.0.slot()
    }

    pub(crate) fn capability(&self, cloud: &TestCloud) -> Capability {
        self.capability_for(cloud.gateway_key(), cloud.now())
    }

    pub(crate) fn capability_for(&self, gateway: KeyHash, now: UnixMillis) -> Capability {
        Capability {
            id: CapabilityId::from_bytes([1; 16]),
            pid: self.0,
            institution: InstTag::from_bytes([2; 16]),
            classes: vec![SUMMARY, BODY],
            period: Period::ALL,
            scope: Scope::READ.with(Scope::WRITE).with(Scope::DELETE).with(Scope::RULES).with(Scope::AUDIT),
            purpose: Purpose::Care,
            issued: now,
            expires: now.plus_millis(3_600_000),
            gateway,
            stub: Bytes::from_static(b"stub"),
            records: vec![],
        }
    }

    /// A capability that may store these versions.
    pub(crate) fn writing(&self, cloud: &TestCloud, grants: &[(RecordId, u32)]) -> Capability {
        let grant = |(record, version): &(RecordId, u32)| RecordGrant {
            record: *record,
            version: RecordVersion::new(*version).unwrap(),
        };
        Capability { records: grants.iter().map(grant).collect(), ..self.capability(cloud) }
    }
}

pub(crate) fn sign(cloud: &TestCloud, capability: &Capability) -> SignedCapability {
    capability.sign(&cloud.vault).unwrap()
}

pub(crate) fn request(capability: SignedCapability, operation: Operation) -> NodeRequest {
    NodeRequest {
        request: RequestId::from_bytes([7; 16]),
        deadline: Duration::from_secs(10),
        slot_epoch: SlotEpoch(1),
        capability,
        actor: Bytes::from_static(b"actor"),
        operation,
    }
}

pub(crate) fn record(n: u32) -> RecordId {
    let mut bytes = [0xEC; 16];
    bytes[..4].copy_from_slice(&n.to_be_bytes());
    RecordId::from_bytes(bytes)
}

pub(crate) fn put(id: RecordId, version: u32, month: u16, summary: &str, body: PutBody) -> PutRecord {
    let mut idem = *id.as_bytes();
    idem[15] ^= u8::try_from(version).unwrap();
    PutRecord {
        record: id,
        version: RecordVersion::new(version).unwrap(),
        month: MonthBucket::from_raw(month),
        summary_class: SUMMARY,
        body_class: BODY,
        binding: BindingTag::from_bytes([3; 16]),
        size: SizeBucket::of_len(1_000),
        summary: Bytes::copy_from_slice(summary.as_bytes()),
        body,
        idem: IdemTag::from_bytes(idem),
        content: ContentTag::from_bytes(*id.as_bytes()),
    }
}

pub(crate) fn whole(text: &str) -> PutBody {
    PutBody::Whole(Bytes::copy_from_slice(text.as_bytes()))
}

pub(crate) fn get(id: RecordId) -> Operation {
    Operation::Get(GetRecord { record: id, version: None, with_body: true })
}

pub(crate) fn delete(id: RecordId, version: u32) -> Operation {
    Operation::Delete(DeleteRecord {
        record: id,
        version: RecordVersion::new(version).unwrap(),
        idem: IdemTag::from_bytes([9; 16]),
        content: ContentTag::from_bytes([9; 16]),
    })
}

pub(crate) fn timeline() -> Operation {
    Operation::Timeline(ReadTimeline { period: Period::ALL, max_entries: 200, inline_body_bytes: 0, after: None })
}

pub(crate) fn list_audit() -> Operation {
    Operation::ListAudit(ListAudit { after: AuditSeq(0), max_rows: 500 })
}
