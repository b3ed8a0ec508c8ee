//! Answers and frames that a gateway or a node does not believe.

use bytes::Bytes;
use renkei_wire::limits::{BODY_MAX_BYTES, FRAMES_MAX, PIECE_MAX_BYTES, SUMMARY_MAX_BYTES, WHOLE_BODY_MAX_BYTES};
use renkei_wire::pb::node::v1 as pb;
use renkei_wire::pb::node::v1::reply::Outcome;
use renkei_wire::pb::peer::v1 as peer_pb;
use renkei_wire::peer::PeerFrames;
use renkei_wire::{
    InvalidAuditRow, InvalidPeerFrame, InvalidPeerFrames, InvalidRecordEntry, InvalidReply, InvalidStored, NodeReply,
    RecordEntry,
};

fn bytes(len: usize) -> Bytes {
    Bytes::from(vec![7; len])
}

fn entry() -> pb::RecordEntry {
    pb::RecordEntry {
        record_id: bytes(16),
        version: 1,
        month: 1,
        size_bucket: 1,
        summary_class: bytes(16),
        body_class: bytes(16),
        summary: bytes(10),
        body: None,
        body_follows: 0,
    }
}

fn row() -> pb::AuditRef {
    pb::AuditRef { log_id: bytes(16), leaf_index: 0, seq: 1 }
}

fn refused(outcome: Outcome) -> Option<InvalidReply> {
    NodeReply::try_from(pb::Reply { row: Some(row()), outcome: Some(outcome) }).err()
}

#[test]
fn an_answer_without_its_row_is_refused() {
    let answer = |row| NodeReply::try_from(pb::Reply { row, outcome: Some(Outcome::Done(pb::Done {})) });
    assert!(answer(Some(row())).is_ok());
    assert_eq!(answer(None), Err(InvalidReply::NoRow));
    assert!(answer(Some(pb::AuditRef { seq: 0, ..row() })).is_err());
    assert!(answer(Some(pb::AuditRef { log_id: bytes(15), ..row() })).is_err());
    assert_eq!(NodeReply::try_from(pb::Reply { row: Some(row()), outcome: None }), Err(InvalidReply::NoOutcome));
    assert_eq!(refused(Outcome::Record(pb::FoundRecord { entry: None })), Some(InvalidReply::NoEntry));
    let stored = |version, id| Outcome::Stored(pb::Stored { version, replayed: true, record_id: bytes(id) });
    assert_eq!(refused(stored(1, 16)), None);
    assert_eq!(refused(stored(0, 16)), Some(InvalidReply::Stored(InvalidStored::Version)));
    for length in [0, 15, 17] {
        let reason = refused(stored(1, length));
        assert!(matches!(reason, Some(InvalidReply::Stored(InvalidStored::RecordId(_)))), "{length}: {reason:?}");
    }
}

#[test]
fn an_entry_is_within_its_limits() {
    let with = |change: fn(&mut pb::RecordEntry)| {
        let mut message = entry();
        change(&mut message);
        RecordEntry::try_from(message).err()
    };
    assert_eq!(with(|_| ()), None);
    assert_eq!(with(|entry| entry.version = 0), Some(InvalidRecordEntry::Version));
    assert_eq!(with(|entry| entry.month = 65_536), Some(InvalidRecordEntry::Month));
    assert_eq!(with(|entry| entry.size_bucket = 25), Some(InvalidRecordEntry::SizeBucket));
    assert_eq!(with(|entry| entry.summary = bytes(SUMMARY_MAX_BYTES)), None);
    assert!(with(|entry| entry.summary = bytes(SUMMARY_MAX_BYTES + 1)).is_some());
    assert!(with(|entry| entry.summary = bytes(0)).is_some());
    assert_eq!(with(|entry| entry.body = Some(bytes(WHOLE_BODY_MAX_BYTES))), None);
    assert!(with(|entry| entry.body = Some(bytes(WHOLE_BODY_MAX_BYTES + 1))).is_some());
    assert!(with(|entry| entry.body = Some(bytes(0))).is_some());
    assert_eq!(with(|entry| entry.body_follows = BODY_MAX_BYTES as u64), None);
    let over = BODY_MAX_BYTES as u64 + 1;
    assert_eq!(
        with(|entry| entry.body_follows = BODY_MAX_BYTES as u64 + 1),
        Some(InvalidRecordEntry::BodyFollows(over))
    );
    let twice = with(|entry| (entry.body, entry.body_follows) = (Some(bytes(1)), 1));
    assert_eq!(twice, Some(InvalidRecordEntry::TwoBodies));
}

#[test]
fn pages_are_within_their_limits() {
    let page = |count| Outcome::Page(pb::TimelinePage { entries: vec![entry(); count], next: None });
    assert_eq!(refused(page(200)), None);
    assert!(refused(page(201)).is_some());

    let audit_row =
        pb::AuditRow { log_id: bytes(16), leaf_index: 0, leaf_hash: bytes(32), salt: bytes(16), content: bytes(100) };
    let audit =
        |row: &pb::AuditRow, count| Outcome::Audit(pb::AuditPage { rows: vec![row.clone(); count], more: true });
    assert_eq!(refused(audit(&audit_row, 500)), None);
    assert!(refused(audit(&audit_row, 501)).is_some());
    let short_salt = pb::AuditRow { salt: bytes(15), ..audit_row.clone() };
    assert!(matches!(
        refused(audit(&short_salt, 1)),
        Some(InvalidReply::Audit(renkei_wire::InvalidAuditPage::Row(InvalidAuditRow::Salt(15))))
    ));
    assert!(refused(audit(&pb::AuditRow { leaf_hash: bytes(31), ..audit_row.clone() }, 1)).is_some());
    assert!(refused(audit(&pb::AuditRow { content: bytes(0), ..audit_row.clone() }, 1)).is_some());
    assert!(refused(audit(&pb::AuditRow { content: bytes(8_193), ..audit_row }, 1)).is_some());
}

fn peer_frame() -> peer_pb::PeerFrame {
    peer_pb::PeerFrame {
        cloud: bytes(16),
        group: 0,
        from_replica: 1,
        to_replica: 2,
        call: 3,
        data: bytes(10),
        more: false,
        refused: None,
    }
}

fn refused_frame(change: impl FnOnce(&mut peer_pb::PeerFrame)) -> Option<InvalidPeerFrames> {
    let mut frame = peer_frame();
    change(&mut frame);
    PeerFrames::try_from(peer_pb::PeerFrames { lane: peer_pb::Lane::Append.into(), frames: vec![frame] }).err()
}

#[test]
fn frames_between_nodes_are_checked() {
    let frame = InvalidPeerFrames::Frame;
    assert_eq!(refused_frame(|_| ()), None);
    assert_eq!(refused_frame(|it| it.cloud = bytes(15)), Some(frame(InvalidPeerFrame::Cloud(15))));
    assert_eq!(refused_frame(|it| it.from_replica = 0), Some(frame(InvalidPeerFrame::From)));
    assert_eq!(refused_frame(|it| it.to_replica = 0), Some(frame(InvalidPeerFrame::To)));
    assert_eq!(refused_frame(|it| it.data = bytes(PIECE_MAX_BYTES)), None);
    assert!(refused_frame(|it| it.data = bytes(PIECE_MAX_BYTES + 1)).is_some());
    assert!(refused_frame(|it| (it.data, it.more) = (bytes(0), true)).is_some());
    assert_eq!(refused_frame(|it| it.refused = Some(1)), Some(frame(InvalidPeerFrame::RefusedWithData)));
    assert_eq!(refused_frame(|it| (it.data, it.refused) = (bytes(0), Some(1))), None);
}

#[test]
fn a_message_between_nodes_has_a_lane_and_256_frames_at_most() {
    let message = |lane, count| PeerFrames::try_from(peer_pb::PeerFrames { lane, frames: vec![peer_frame(); count] });
    assert!(message(1, FRAMES_MAX).is_ok());
    assert!(matches!(message(1, FRAMES_MAX + 1), Err(InvalidPeerFrames::Size(_))));
    for lane in [0, 4, -1] {
        assert_eq!(message(lane, 0), Err(InvalidPeerFrames::Lane(lane)));
    }
}
