//! Limits and missing fields of requests: the last value taken, the first one refused, and the field that is named.

use bytes::Bytes;
use prost::Message as _;
use renkei_access::CAPABILITY_MAX_BYTES;
use renkei_wire::limits::{
    ACTOR_MAX_BYTES, FRAMES_MAX, NODE_MESSAGE_MAX_BYTES, PAGE_MAX_BYTES, PEER_BATCH_MAX_BYTES, PEER_MESSAGE_MAX_BYTES,
    PIECE_MAX_BYTES, RULES_MAX_BYTES, SUMMARY_MAX_BYTES, WHOLE_BODY_MAX_BYTES,
};
use renkei_wire::pb::node::v1 as pb;
use renkei_wire::pb::node::v1::request::Operation;
use renkei_wire::pb::peer::v1::{Lane, PeerFrame, PeerFrames};
use renkei_wire::{BodyPiece, ErrorCode, InvalidRequestItem, NodeRequest, PutBody, Refusal, RequestFrame};

fn bytes(len: usize) -> Bytes {
    Bytes::from(vec![7; len])
}

fn request(operation: Operation) -> pb::Request {
    pb::Request {
        request_id: bytes(16),
        deadline_ms: 1_000,
        slot_epoch: 1,
        capability: Some(pb::SignedCapability { body: bytes(200), signature: bytes(64) }),
        sealed_actor: bytes(40),
        operation: Some(operation),
    }
}

fn get() -> pb::GetRecord {
    pb::GetRecord { record_id: bytes(16), version: 0, with_body: true }
}

fn put() -> pb::PutRecord {
    pb::PutRecord {
        record_id: bytes(16),
        version: 1,
        month: 24_322,
        summary_class: bytes(16),
        body_class: bytes(16),
        binding: bytes(16),
        size_bucket: 12,
        summary: bytes(400),
        body: bytes(4_000),
        idem_tag: bytes(16),
        content_tag: bytes(16),
    }
}

fn timeline() -> pb::ReadTimeline {
    pb::ReadTimeline { from_month: 10, to_month: 20, max_entries: 20, inline_body_bytes: 0, after: None }
}

fn position(month: u32, id_bytes: usize) -> Option<pb::TimelinePosition> {
    Some(pb::TimelinePosition { month, record_id: bytes(id_bytes) })
}

/// The code and the field of a refusal; `None` for a request that is taken.
fn judge(message: pb::Request) -> Option<(ErrorCode, Option<String>)> {
    let refusal = Refusal::from(NodeRequest::try_from(message).err()?);
    Some((refusal.code, refusal.field.map(|field| field.as_str().to_owned())))
}

fn invalid(field: &str) -> Option<(ErrorCode, Option<String>)> {
    Some((ErrorCode::InvalidArgument, Some(field.to_owned())))
}

fn too_large(field: &str) -> Option<(ErrorCode, Option<String>)> {
    Some((ErrorCode::TooLarge, Some(field.to_owned())))
}

/// Applies a change to a valid message, and judges the outcome.
fn with<M>(
    mut message: M,
    wrap: fn(M) -> Operation,
    change: impl FnOnce(&mut M),
) -> Option<(ErrorCode, Option<String>)> {
    change(&mut message);
    judge(request(wrap(message)))
}

fn with_request(change: impl FnOnce(&mut pb::Request)) -> Option<(ErrorCode, Option<String>)> {
    let mut message = request(Operation::Get(get()));
    change(&mut message);
    judge(message)
}

#[test]
fn a_deadline_lies_within_1_and_60_000_milliseconds() {
    assert_eq!(with_request(|request| request.deadline_ms = 0), invalid("deadline_ms"));
    assert_eq!(with_request(|request| request.deadline_ms = 1), None);
    assert_eq!(with_request(|request| request.deadline_ms = 60_000), None);
    assert_eq!(with_request(|request| request.deadline_ms = 60_001), invalid("deadline_ms"));
}

#[test]
fn a_request_without_one_of_its_parts_is_refused() {
    assert_eq!(with_request(|request| request.request_id = bytes(15)), invalid("request_id"));
    assert_eq!(with_request(|request| request.capability = None), invalid("capability"));
    assert_eq!(with_request(|request| request.operation = None), invalid("operation"));
    assert_eq!(with_request(|request| request.sealed_actor = bytes(0)), invalid("sealed_actor"));
    assert_eq!(with_request(|request| request.sealed_actor = bytes(ACTOR_MAX_BYTES)), None);
    assert_eq!(with_request(|request| request.sealed_actor = bytes(ACTOR_MAX_BYTES + 1)), too_large("sealed_actor"));
}

#[test]
fn a_capability_of_the_wrong_form_is_an_invalid_capability() {
    let with_capability = |body, signature| {
        let capability = pb::SignedCapability { body: bytes(body), signature: bytes(signature) };
        with_request(|request| request.capability = Some(capability)).map(|(code, _)| code)
    };
    assert_eq!(with_capability(CAPABILITY_MAX_BYTES, 64), None);
    assert_eq!(with_capability(CAPABILITY_MAX_BYTES + 1, 64), Some(ErrorCode::CapabilityInvalid));
    assert_eq!(with_capability(0, 64), Some(ErrorCode::CapabilityInvalid));
    assert_eq!(with_capability(200, 63), Some(ErrorCode::CapabilityInvalid));
    assert_eq!(with_capability(200, 65), Some(ErrorCode::CapabilityInvalid));
}

#[test]
fn ids_and_tags_of_a_put_have_16_bytes() {
    type Field = fn(&mut pb::PutRecord) -> &mut Bytes;
    let fields: [(&str, Field); 6] = [
        ("put.record_id", |put| &mut put.record_id),
        ("put.summary_class", |put| &mut put.summary_class),
        ("put.body_class", |put| &mut put.body_class),
        ("put.binding", |put| &mut put.binding),
        ("put.idem_tag", |put| &mut put.idem_tag),
        ("put.content_tag", |put| &mut put.content_tag),
    ];
    for (name, field) in fields {
        for len in [0, 15, 17] {
            assert_eq!(with(put(), Operation::Put, |put| *field(put) = bytes(len)), invalid(name), "{len}");
        }
    }
}

#[test]
fn numbers_of_a_put_are_checked() {
    assert_eq!(with(put(), Operation::Put, |put| put.version = 0), invalid("put.version"));
    assert_eq!(with(put(), Operation::Put, |put| put.month = 65_535), None);
    assert_eq!(with(put(), Operation::Put, |put| put.month = 65_536), invalid("put.month"));
    assert_eq!(with(put(), Operation::Put, |put| put.size_bucket = 24), None);
    assert_eq!(with(put(), Operation::Put, |put| put.size_bucket = 25), invalid("put.size_bucket"));
    assert_eq!(with(put(), Operation::Put, |put| put.size_bucket = 256), invalid("put.size_bucket"));
}

#[test]
fn ciphertext_of_a_put_is_within_its_limits() {
    let summary = |len| with(put(), Operation::Put, |put| put.summary = bytes(len));
    assert_eq!(summary(0), invalid("put.summary"));
    assert_eq!(summary(1), None);
    assert_eq!(summary(SUMMARY_MAX_BYTES), None);
    assert_eq!(summary(SUMMARY_MAX_BYTES + 1), too_large("put.summary"));
    let body = |len| with(put(), Operation::Put, |put| put.body = bytes(len));
    assert_eq!(body(WHOLE_BODY_MAX_BYTES), None);
    assert_eq!(body(WHOLE_BODY_MAX_BYTES + 1), too_large("put.body"));
}

#[test]
fn a_put_without_a_body_announces_pieces() {
    let message = pb::PutRecord { body: Bytes::new(), ..put() };
    let put = renkei_wire::PutRecord::try_from(message).expect("a put may send its body in pieces");
    assert_eq!(put.body, PutBody::InPieces);
}

#[test]
fn a_timeline_is_within_its_limits() {
    let timeline = |change: fn(&mut pb::ReadTimeline)| with(timeline(), Operation::Timeline, change);
    assert_eq!(timeline(|timeline| timeline.max_entries = 0), invalid("timeline.max_entries"));
    assert_eq!(timeline(|timeline| timeline.max_entries = 1), None);
    assert_eq!(timeline(|timeline| timeline.max_entries = 200), None);
    assert_eq!(timeline(|timeline| timeline.max_entries = 201), invalid("timeline.max_entries"));
    assert_eq!(timeline(|timeline| timeline.max_entries = 65_537), invalid("timeline.max_entries"));
    assert_eq!(timeline(|timeline| timeline.inline_body_bytes = 16_384), None);
    assert_eq!(timeline(|timeline| timeline.inline_body_bytes = 16_385), invalid("timeline.inline_body_bytes"));
    assert_eq!(timeline(|timeline| timeline.from_month = 20), None);
    assert_eq!(timeline(|timeline| timeline.from_month = 21), invalid("timeline.from_month"));
    assert_eq!(timeline(|timeline| timeline.to_month = 65_536), invalid("timeline.to_month"));
}

#[test]
fn a_timeline_goes_on_behind_a_place_inside_its_months() {
    let after = |position| with(timeline(), Operation::Timeline, |timeline| timeline.after = position);
    assert_eq!(after(position(10, 16)), None);
    assert_eq!(after(position(20, 16)), None);
    assert_eq!(after(position(9, 16)), invalid("timeline.after"));
    assert_eq!(after(position(21, 16)), invalid("timeline.after"));
    assert_eq!(after(position(15, 15)), invalid("timeline.after"));
}

#[test]
fn the_other_operations_are_within_their_limits() {
    let list = |max_rows| judge(request(Operation::ListAudit(pb::ListAudit { after_seq: 0, max_rows })));
    assert_eq!(list(0), invalid("list_audit.max_rows"));
    assert_eq!(list(1), None);
    assert_eq!(list(500), None);
    assert_eq!(list(501), invalid("list_audit.max_rows"));

    let revoke = |id, expires_ms| {
        judge(request(Operation::Revoke(pb::RevokeCapability { capability_id: bytes(id), expires_ms })))
    };
    assert_eq!(revoke(16, 1), None);
    assert_eq!(revoke(16, 0), invalid("revoke.expires_ms"));
    assert_eq!(revoke(17, 1), invalid("revoke.capability_id"));

    let rules = |len| judge(request(Operation::SetRules(pb::SetRules { rules: bytes(len), expected_version: 0 })));
    assert_eq!(rules(0), invalid("set_rules.rules"));
    assert_eq!(rules(10), invalid("set_rules.rules"));
    assert_eq!(rules(RULES_MAX_BYTES + 1), too_large("set_rules.rules"));

    let delete = pb::DeleteRecord { record_id: bytes(16), version: 1, idem_tag: bytes(16), content_tag: bytes(16) };
    assert_eq!(judge(request(Operation::Delete(delete.clone()))), None);
    assert_eq!(with(delete, Operation::Delete, |delete| delete.version = 0), invalid("delete.version"));
    assert_eq!(with(get(), Operation::Get, |get| get.record_id = bytes(0)), invalid("get.record_id"));
}

#[test]
fn the_most_rules_that_there_can_be_fit_their_limit() {
    use renkei_access::{Effect, RULES_MAX, Rule, RuleSet, Subject, Target};
    use renkei_ids::{InstTag, RecordId, UnixMillis};
    let rule = Rule {
        effect: Effect::Deny,
        target: Target::Record(RecordId::from_bytes([9; 16])),
        subject: Subject::Institution(InstTag::from_bytes([9; 16])),
        until: Some(UnixMillis(u64::MAX)),
    };
    let rules = RuleSet::new(Effect::Deny, vec![rule; RULES_MAX]).expect("it is the limit");
    assert!(rules.encode().len() <= RULES_MAX_BYTES, "{}", rules.encode().len());
    let message = pb::SetRules { rules: rules.encode(), expected_version: 1 };
    assert_eq!(judge(request(Operation::SetRules(message))), None);
}

#[test]
fn a_frame_is_refused_alone_and_by_its_call() {
    let empty = pb::RequestFrame { call: 5, frame: None };
    let good = pb::RequestFrame { call: 6, frame: Some(pb::request_frame::Frame::Cancel(pb::Cancel {})) };
    let message = pb::RequestFrames { frames: vec![empty, good] };
    let read: Vec<Result<RequestFrame, _>> = message.into_frames().expect("two are few").collect();
    let refused = read[0].as_ref().expect_err("there is nothing in it");
    assert_eq!((refused.call.0, refused.reason), (5, InvalidRequestItem::NoFrame));
    assert_eq!(read[1].as_ref().map(|frame| frame.call.0), Ok(6));
}

#[test]
fn a_message_takes_256_frames() {
    let frame = pb::RequestFrame { call: 1, frame: Some(pb::request_frame::Frame::Cancel(pb::Cancel {})) };
    let frames = |count| pb::RequestFrames { frames: vec![frame.clone(); count] };
    assert!(frames(FRAMES_MAX).into_frames().is_ok());
    assert!(frames(FRAMES_MAX + 1).into_frames().is_err());
}

#[test]
fn a_piece_has_1_byte_to_256_kib() {
    let piece = |len| BodyPiece::try_from(pb::BodyPiece { data: bytes(len), last: true });
    assert!(piece(1).is_ok() && piece(PIECE_MAX_BYTES).is_ok());
    let code = |len| Refusal::from(piece(len).expect_err("it is out of its limits")).code;
    assert_eq!(code(0), ErrorCode::InvalidArgument);
    assert_eq!(code(PIECE_MAX_BYTES + 1), ErrorCode::TooLarge);
}

#[test]
fn debug_of_a_request_shows_nothing_of_the_patient() {
    let token = Bytes::from_static(b"planted-token-16");
    let message = request(Operation::Get(pb::GetRecord { record_id: token.clone(), version: 77_777, with_body: true }));
    let frame = pb::RequestFrame { call: 1, frame: Some(pb::request_frame::Frame::Request(message.clone())) };
    let request = NodeRequest::try_from(message.clone()).expect("it is valid");
    let row = PeerFrame { data: token, ..PeerFrame::default() };
    let shown = format!("{message:?} {frame:?} {request:?} {:?} {row:?}", request.operation);
    assert!(!shown.contains("planted") && !shown.contains("112, 108") && !shown.contains("77777"), "{shown}");
}

#[test]
fn the_largest_batch_of_a_gateway_fits_its_codec() {
    let largest = pb::PutRecord { summary: bytes(SUMMARY_MAX_BYTES), body: bytes(WHOLE_BODY_MAX_BYTES), ..put() };
    let put = pb::Request {
        capability: Some(pb::SignedCapability { body: bytes(CAPABILITY_MAX_BYTES), signature: bytes(64) }),
        sealed_actor: bytes(ACTOR_MAX_BYTES),
        ..request(Operation::Put(largest))
    };
    let frame = |frame| pb::RequestFrame { call: u64::MAX, frame: Some(frame) };
    let piece = pb::BodyPiece { data: bytes(PAGE_MAX_BYTES / (FRAMES_MAX - 1)), last: true };
    let mut frames = vec![frame(pb::request_frame::Frame::Piece(piece)); FRAMES_MAX - 1];
    frames.push(frame(pb::request_frame::Frame::Request(put)));
    let encoded = pb::RequestFrames { frames }.encoded_len();
    assert!(encoded <= NODE_MESSAGE_MAX_BYTES, "{encoded}");
}

#[test]
fn the_largest_batch_between_nodes_fits_its_codec() {
    let frame = PeerFrame {
        cloud: bytes(16),
        group: u32::MAX,
        from_replica: u64::MAX,
        to_replica: u64::MAX,
        call: u64::MAX,
        data: bytes(PEER_BATCH_MAX_BYTES / FRAMES_MAX),
        more: true,
        refused: None,
    };
    let message = PeerFrames { lane: Lane::Snapshot.into(), frames: vec![frame; FRAMES_MAX] };
    assert!(message.encoded_len() <= PEER_MESSAGE_MAX_BYTES, "{}", message.encoded_len());
}
