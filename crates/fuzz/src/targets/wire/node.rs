//! Messages between gateways and nodes.

use bytes::Bytes;
use prost::Message as _;
use renkei_wire::limits::FRAMES_MAX;
use renkei_wire::pb::node::v1 as pb;
use renkei_wire::{NodeReply, NodeRequest, Refusal, ReplyFrame, RequestFrame, RouteMap};

const READERS: [fn(&[u8]); 6] = [
    super::read::<pb::Request, NodeRequest>,
    super::read::<pb::Reply, NodeReply>,
    super::read::<pb::Refusal, Refusal>,
    requests,
    replies,
    maps,
];

pub(crate) fn run(bytes: &[u8]) {
    super::choose(bytes, &READERS);
}

fn requests(bytes: &[u8]) {
    let Ok(message) = pb::RequestFrames::decode(bytes) else { return };
    let count = message.frames.len();
    let Ok(frames) = message.into_frames() else { return assert!(count > FRAMES_MAX) };
    for frame in frames {
        // One bad frame refuses its call and no other.
        let Ok(frame) = frame else { continue };
        let sent: pb::RequestFrames = core::iter::once(frame.clone()).collect();
        let again: Result<Vec<RequestFrame>, _> = sent.into_frames().expect("there is one").collect();
        assert!(again == Ok(vec![frame]));
    }
}

fn replies(bytes: &[u8]) {
    let Ok(message) = pb::ReplyFrames::decode(bytes) else { return };
    let count = message.frames.len();
    let Ok(frames) = message.into_frames() else { return assert!(count > FRAMES_MAX) };
    for frame in frames {
        let Ok(frame) = frame else { continue };
        let sent: pb::ReplyFrames = core::iter::once(frame.clone()).collect();
        let again: Result<Vec<ReplyFrame>, _> = sent.into_frames().expect("there is one").collect();
        assert!(again == Ok(vec![frame]));
    }
}

fn maps(bytes: &[u8]) {
    let Ok(message) = pb::SlotMap::decode(bytes) else { return };
    let Ok(Some(map)) = Option::<RouteMap>::try_from(message) else { return };
    let sent = pb::SlotMap::from(map.clone());
    let again = Option::<RouteMap>::try_from(sent);
    assert!(again.is_ok_and(|again| again.as_ref() == Some(&map)));
    for slot in renkei_ids::Slot::all().step_by(64) {
        let group = map.slots.group_of(slot);
        assert!(map.slots.ranges_of(group).iter().any(|(first, last)| *first <= slot && slot <= *last));
    }
}

fn filled(len: usize) -> Bytes {
    Bytes::from(vec![7; len])
}

fn request(operation: pb::request::Operation) -> pb::Request {
    pb::Request {
        request_id: filled(16),
        deadline_ms: 1_000,
        slot_epoch: 1,
        capability: Some(pb::SignedCapability { body: filled(80), signature: filled(64) }),
        sealed_actor: filled(40),
        operation: Some(operation),
    }
}

fn put() -> pb::PutRecord {
    pb::PutRecord {
        record_id: filled(16),
        version: 1,
        month: 24_000,
        summary_class: filled(16),
        body_class: filled(16),
        binding: filled(16),
        size_bucket: 3,
        summary: filled(50),
        body: filled(60),
        idem_tag: filled(16),
        content_tag: filled(16),
    }
}

fn entry() -> pb::RecordEntry {
    pb::RecordEntry {
        record_id: filled(16),
        version: 2,
        month: 24_000,
        size_bucket: 1,
        summary_class: filled(16),
        body_class: filled(16),
        summary: filled(40),
        body: Some(filled(40)),
        body_follows: 0,
    }
}

fn operations() -> Vec<pb::request::Operation> {
    use pb::request::Operation;
    let after = Some(pb::TimelinePosition { month: 24_000, record_id: filled(16) });
    let rules = renkei_access::RuleSet::UNSET.encode();
    vec![
        Operation::Get(pb::GetRecord { record_id: filled(16), version: 1, with_body: true }),
        Operation::Timeline(pb::ReadTimeline {
            from_month: 0,
            to_month: 65_535,
            max_entries: 20,
            inline_body_bytes: 16_384,
            after,
        }),
        Operation::Put(put()),
        Operation::Delete(pb::DeleteRecord {
            record_id: filled(16),
            version: 1,
            idem_tag: filled(16),
            content_tag: filled(16),
        }),
        Operation::SetRules(pb::SetRules { rules, expected_version: 0 }),
        Operation::Revoke(pb::RevokeCapability { capability_id: filled(16), expires_ms: 9 }),
        Operation::ListAudit(pb::ListAudit { after_seq: 0, max_rows: 100 }),
    ]
}

fn outcomes() -> Vec<pb::reply::Outcome> {
    use pb::reply::Outcome;
    let row = pb::AuditRow {
        log_id: filled(16),
        leaf_index: 1,
        leaf_hash: filled(32),
        salt: filled(16),
        content: filled(90),
    };
    let next = Some(pb::TimelinePosition { month: 24_000, record_id: filled(16) });
    vec![
        Outcome::Record(pb::FoundRecord { entry: Some(entry()) }),
        Outcome::Nothing(pb::Nothing {}),
        Outcome::Page(pb::TimelinePage { entries: vec![entry(); 2], next }),
        Outcome::Stored(pb::Stored { version: 1, replayed: true, record_id: filled(16) }),
        Outcome::Done(pb::Done {}),
        Outcome::Audit(pb::AuditPage { rows: vec![row; 2], more: true }),
    ]
}

pub(crate) fn seeds() -> Vec<Vec<u8>> {
    let refusal = pb::Refusal {
        code: "not_leader".into(),
        retry_after_ms: Some(50),
        leader_node: Some(2),
        slot_epoch: Some(3),
        current_version: Some(4),
        field: Some("put.body".into()),
    };
    let mut seeds: Vec<_> = operations().into_iter().map(|operation| super::seed(0, &request(operation))).collect();
    let row = Some(pb::AuditRef { log_id: filled(16), leaf_index: 3, seq: 4 });
    let reply = |outcome| pb::Reply { row: row.clone(), outcome: Some(outcome) };
    seeds.extend(outcomes().into_iter().map(|outcome| super::seed(1, &reply(outcome))));
    seeds.push(super::seed(2, &refusal));
    let piece = pb::BodyPiece { data: filled(30), last: true };
    let asked = [
        pb::request_frame::Frame::Request(request(operations().swap_remove(2))),
        pb::request_frame::Frame::Piece(piece.clone()),
        pb::request_frame::Frame::Cancel(pb::Cancel {}),
    ];
    let frames = asked.map(|frame| pb::RequestFrame { call: 5, frame: Some(frame) }).into();
    seeds.push(super::seed(3, &pb::RequestFrames { frames }));
    let answered = [
        pb::reply_frame::Frame::Reply(reply(outcomes().swap_remove(0))),
        pb::reply_frame::Frame::Piece(piece),
        pb::reply_frame::Frame::Refusal(refusal),
    ];
    let frames = answered.map(|frame| pb::ReplyFrame { call: 5, frame: Some(frame) }).into();
    seeds.push(super::seed(4, &pb::ReplyFrames { frames }));
    let replicas = (1..=3).map(|node| pb::ReplicaPlace { replica: u64::from(node) + 3, node }).collect();
    let map = pb::SlotMap {
        epoch: 7,
        slots: vec![
            pb::SlotRange { first: 0, last: 2_047, group: 1 },
            pb::SlotRange { first: 2_048, last: 4_095, group: 2 },
        ],
        groups: vec![pb::GroupPlace { group: 1, replicas, leader_node: Some(2) }],
        nodes: vec![pb::NodePlace { node: 1, address: "node-1.example:7000".into() }],
    };
    seeds.push(super::seed(5, &map));
    seeds
}
