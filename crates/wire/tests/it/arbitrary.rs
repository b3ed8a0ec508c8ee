//! Any valid request, reply and message, edges of their limits included.

use std::time::Duration;

use bytes::Bytes;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use renkei_access::{Effect, Period, Rule, RuleSet, SignedCapability, Subject, Target};
use renkei_ids::{
    AuditSeq, BindingTag, CapabilityId, ClassTag, CloudId, ContentTag, GroupId, IdemTag, InstTag, LeafIndex, LogId,
    MonthBucket, RecordId, RecordVersion, ReplicaId, RequestId, SizeBucket, SlotEpoch, UnixMillis,
};
use renkei_wire::limits::{ACTOR_MAX_BYTES, BODY_MAX_BYTES, INLINE_BODY_MAX_BYTES, TIMELINE_MAX_ENTRIES};
use renkei_wire::peer::{Lane, PeerFrame, PeerFrames, PeerPayload};
use renkei_wire::{
    AuditPage, AuditRef, AuditRow, CallId, DeleteRecord, EntryBody, GetRecord, ListAudit, NodeReply, NodeRequest,
    Operation, Outcome, PutBody, PutRecord, ReadTimeline, RecordEntry, RevokeCapability, SetRules, Stored,
    TimelinePage, TimelinePosition,
};

pub(crate) fn sealed(max: usize) -> impl Strategy<Value = Bytes> {
    vec(any::<u8>(), 1..=max).prop_map(Bytes::from)
}

fn record() -> impl Strategy<Value = RecordId> {
    any::<[u8; 16]>().prop_map(RecordId::from_bytes)
}

fn version() -> impl Strategy<Value = RecordVersion> {
    (1..=u32::MAX).prop_map(|number| RecordVersion::new(number).expect("it is not 0"))
}

fn month() -> impl Strategy<Value = MonthBucket> {
    any::<u16>().prop_map(MonthBucket::from_raw)
}

fn size() -> impl Strategy<Value = SizeBucket> {
    (0..=SizeBucket::MAX.raw()).prop_map(|raw| SizeBucket::from_raw(raw).expect("it is at most the largest"))
}

fn class() -> impl Strategy<Value = ClassTag> {
    any::<[u8; 16]>().prop_map(ClassTag::from_bytes)
}

fn position() -> impl Strategy<Value = TimelinePosition> {
    (month(), record()).prop_map(|(month, record)| TimelinePosition { month, record })
}

fn capability() -> impl Strategy<Value = SignedCapability> {
    (sealed(600), any::<[[u8; 32]; 2]>()).prop_map(|(body, halves)| SignedCapability {
        body,
        signature: halves.concat().try_into().expect("two halves of 32 bytes are 64"),
    })
}

fn timeline() -> impl Strategy<Value = ReadTimeline> {
    let pages = (1..=TIMELINE_MAX_ENTRIES, 0..=INLINE_BODY_MAX_BYTES);
    (any::<[u16; 3]>(), pages, option::of(record())).prop_map(
        |(mut months, (max_entries, inline_body_bytes), after)| {
            months.sort_unstable();
            let [from, between, to] = months.map(MonthBucket::from_raw);
            let after = after.map(|record| TimelinePosition { month: between, record });
            ReadTimeline { period: Period { from, to }, max_entries, inline_body_bytes, after }
        },
    )
}

pub(crate) fn put() -> impl Strategy<Value = PutRecord> {
    let body = prop_oneof![sealed(300).prop_map(PutBody::Whole), Just(PutBody::InPieces)];
    (record(), version(), month(), [class(), class()], any::<[[u8; 16]; 3]>(), size(), sealed(300), body).prop_map(
        |(record, version, month, [summary_class, body_class], [binding, idem, content], size, summary, body)| {
            PutRecord {
                record,
                version,
                month,
                summary_class,
                body_class,
                binding: BindingTag::from_bytes(binding),
                size,
                summary,
                body,
                idem: IdemTag::from_bytes(idem),
                content: ContentTag::from_bytes(content),
            }
        },
    )
}

fn rule() -> impl Strategy<Value = Rule> {
    let target = prop_oneof![Just(Target::Every), class().prop_map(Target::Class), record().prop_map(Target::Record)];
    let institution = any::<[u8; 16]>().prop_map(|tag| Subject::Institution(InstTag::from_bytes(tag)));
    let subject = prop_oneof![Just(Subject::Every), institution];
    (effect(), target, subject, option::of(any::<u64>())).prop_map(|(effect, target, subject, until)| Rule {
        effect,
        target,
        subject,
        until: until.map(UnixMillis),
    })
}

fn effect() -> impl Strategy<Value = Effect> {
    prop_oneof![Just(Effect::Allow), Just(Effect::Deny)]
}

fn operation() -> impl Strategy<Value = Operation> {
    let get = (record(), option::of(version()), any::<bool>()).prop_map(|(record, version, with_body)| GetRecord {
        record,
        version,
        with_body,
    });
    let delete = (record(), version(), any::<[[u8; 16]; 2]>()).prop_map(|(record, version, [idem, content])| {
        let (idem, content) = (IdemTag::from_bytes(idem), ContentTag::from_bytes(content));
        DeleteRecord { record, version, idem, content }
    });
    let rules = (effect(), vec(rule(), 0..6), any::<u64>()).prop_map(|(default, rules, expected_version)| SetRules {
        rules: RuleSet::new(default, rules).expect("a handful is within the limit"),
        expected_version,
    });
    let revoke = (any::<[u8; 16]>(), 1..=u64::MAX).prop_map(|(id, expires)| RevokeCapability {
        capability: CapabilityId::from_bytes(id),
        expires: UnixMillis(expires),
    });
    let list = (any::<u64>(), 1..=500_u16).prop_map(|(after, max_rows)| ListAudit { after: AuditSeq(after), max_rows });
    prop_oneof![
        get.prop_map(Operation::Get),
        timeline().prop_map(Operation::Timeline),
        put().prop_map(Operation::Put),
        delete.prop_map(Operation::Delete),
        rules.prop_map(Operation::SetRules),
        revoke.prop_map(Operation::Revoke),
        list.prop_map(Operation::ListAudit),
    ]
}

pub(crate) fn request() -> impl Strategy<Value = NodeRequest> {
    (any::<[u8; 16]>(), 1..=60_000_u64, any::<u64>(), capability(), sealed(ACTOR_MAX_BYTES), operation()).prop_map(
        |(request, deadline, epoch, capability, actor, operation)| NodeRequest {
            request: RequestId::from_bytes(request),
            deadline: Duration::from_millis(deadline),
            slot_epoch: SlotEpoch(epoch),
            capability,
            actor,
            operation,
        },
    )
}

fn entry() -> impl Strategy<Value = RecordEntry> {
    let body = prop_oneof![
        Just(EntryBody::Absent),
        sealed(300).prop_map(EntryBody::Whole),
        (1..=BODY_MAX_BYTES).prop_map(EntryBody::InPieces),
    ];
    (record(), version(), month(), size(), class(), class(), sealed(300), body).prop_map(
        |(record, version, month, size, summary_class, body_class, summary, body)| RecordEntry {
            record,
            version,
            month,
            size,
            summary_class,
            body_class,
            summary,
            body,
        },
    )
}

fn audit_row() -> impl Strategy<Value = AuditRow> {
    (any::<[u8; 16]>(), any::<u64>(), any::<[u8; 32]>(), any::<[u8; 16]>(), sealed(200)).prop_map(
        |(log, leaf, leaf_hash, salt, content)| AuditRow {
            log: LogId::from_bytes(log),
            leaf: LeafIndex(leaf),
            leaf_hash,
            salt,
            content,
        },
    )
}

pub(crate) fn reply() -> impl Strategy<Value = NodeReply> {
    let row = (any::<[u8; 16]>(), any::<u64>(), 1..=u64::MAX).prop_map(|(log, leaf, seq)| AuditRef {
        log: LogId::from_bytes(log),
        leaf: LeafIndex(leaf),
        seq: AuditSeq(seq),
    });
    let page = (vec(entry(), 0..4), option::of(position())).prop_map(|(entries, next)| TimelinePage { entries, next });
    let audit = (vec(audit_row(), 0..4), any::<bool>()).prop_map(|(rows, more)| AuditPage { rows, more });
    let stored = (any::<[u8; 16]>(), version(), any::<bool>()).prop_map(|(record, version, replayed)| Stored {
        record: RecordId::from_bytes(record),
        version,
        replayed,
    });
    let outcome = prop_oneof![
        entry().prop_map(Outcome::Record),
        Just(Outcome::Nothing),
        page.prop_map(Outcome::Page),
        stored.prop_map(Outcome::Stored),
        Just(Outcome::Done),
        audit.prop_map(Outcome::Audit),
    ];
    (row, outcome).prop_map(|(row, outcome)| NodeReply { row, outcome })
}

pub(crate) fn peer_frames() -> impl Strategy<Value = PeerFrames> {
    let payload = prop_oneof![
        sealed(200).prop_map(PeerPayload::Piece),
        vec(any::<u8>(), 0..200).prop_map(|data| PeerPayload::End(data.into())),
        any::<u32>().prop_map(PeerPayload::Refused),
    ];
    let replicas = (1..=u64::MAX, 1..=u64::MAX);
    let frame = (any::<[u8; 16]>(), any::<u32>(), replicas, any::<u64>(), payload).prop_map(
        |(cloud, group, (from, to), call, payload)| PeerFrame {
            cloud: CloudId::from_bytes(cloud),
            group: GroupId(group),
            from: ReplicaId(from),
            to: ReplicaId(to),
            call: CallId(call),
            payload,
        },
    );
    let lane = prop_oneof![Just(Lane::Append), Just(Lane::Control), Just(Lane::Snapshot)];
    (lane, vec(frame, 0..5)).prop_map(|(lane, frames)| PeerFrames { lane, frames })
}
