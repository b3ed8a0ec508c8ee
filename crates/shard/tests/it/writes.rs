//! What each kind of item does, and what it refuses.

use renkei_access::{Effect, Rule, RuleSet, Scope, Subject, Target};
use renkei_ids::{AuditSeq, CapabilityId, InstTag, LeafIndex, UnixMillis};
use renkei_shard::audit::AuditContent;
use renkei_shard::{
    Access, Item, ItemKind, Operation, Outcome, PutRecord, Recorded, SUMMARY_MAX_BYTES, SlotChange, SlotHold, Verdict,
    read,
};

use crate::scenario::*;

fn stored(verdict: Verdict) -> (u32, bool) {
    match verdict {
        Verdict::Stored { version, replayed, .. } => (version.get(), replayed),
        other => panic!("expected a stored version, got {other:?}"),
    }
}

fn rows(group: &Group, n: u8) -> Vec<AuditContent> {
    let (rows, more) = read::audit_rows(&group.store, &pid(n), AuditSeq(0), 500).unwrap();
    assert!(!more && rows.iter().all(|row| row.hash_holds()));
    rows.iter().map(|row| AuditContent::decode(&row.content).unwrap()).collect()
}

#[test]
fn every_item_of_a_patient_leaves_one_row_in_unbroken_sequence() {
    let mut group = Group::founded();
    let narrow = Access { scope: Scope::READ, ..access(1) };
    let late = Access { expires: group.now, ..access(1) };
    group.by(access(1), ItemKind::Put(put(9, 1, 10)));
    group.by(access(1), note(0, &[record(9)]));
    group.by(access(1), note(0, &[]));
    group.by(access(1), ItemKind::Put(put(9, 5, 10)));
    group.by(narrow, ItemKind::Put(put(8, 1, 10)));
    group.by(late, note(0, &[record(9)]));
    group.by(access(1), ItemKind::Delete(delete(9, 1)));
    let told: Vec<_> = rows(&group, 1).iter().map(|row| (row.seq.0, row.operation, row.outcome)).collect();
    let expected = [
        (1, Operation::Put, Outcome::Done),
        (2, Operation::Get, Outcome::Done),
        (3, Operation::Get, Outcome::Nothing),
        (4, Operation::Put, Outcome::VersionConflict),
        (5, Operation::Put, Outcome::DeniedScope),
        (6, Operation::Get, Outcome::DeniedExpired),
        (7, Operation::Delete, Outcome::Done),
    ];
    assert_eq!(told, expected);
    assert_eq!(rows(&group, 1)[1].records, [record(9)]);
}

#[test]
fn leaves_count_over_the_group_and_sequence_over_the_patient() {
    let mut group = Group::founded();
    let row = |verdict| match verdict {
        Verdict::Recorded(Recorded { seq, leaf }) => (seq, leaf),
        other => panic!("{other:?}"),
    };
    assert_eq!(row(group.by(access(1), note(0, &[]))), (AuditSeq(1), LeafIndex(0)));
    assert_eq!(row(group.by(access(2), note(0, &[]))), (AuditSeq(1), LeafIndex(1)));
    assert_eq!(row(group.by(access(1), note(0, &[]))), (AuditSeq(2), LeafIndex(2)));
}

#[test]
fn a_retry_gets_the_stored_reply_for_a_day() {
    let mut group = Group::founded();
    assert_eq!(stored(group.by(access(1), ItemKind::Put(put(9, 1, 10)))), (1, false));
    group.now = group.now.plus_millis(24 * HOUR - 1);
    assert_eq!(stored(group.by(access(1), ItemKind::Put(put(9, 1, 10)))), (1, true));
    group.now = group.now.plus_millis(1);
    let verdict = group.by(access(1), ItemKind::Put(put(9, 1, 10)));
    assert!(matches!(verdict, Verdict::VersionConflict { current: 1, .. }), "{verdict:?}");
}

#[test]
fn other_content_under_a_used_tag_is_a_conflict() {
    let mut group = Group::founded();
    group.by(access(1), ItemKind::Put(put(9, 1, 10)));
    let other = PutRecord { record: record(7), content: renkei_ids::ContentTag::from_bytes([1; 16]), ..put(9, 1, 10) };
    assert!(matches!(group.by(access(1), ItemKind::Put(other)), Verdict::IdempotencyConflict(_)));
}

#[test]
fn stored_replies_are_cleared_behind_their_window() {
    let mut group = Group::founded();
    for id in 1..=40 {
        group.by(access(1), ItemKind::Put(put(id, 1, 10)));
    }
    let replies =
        |group: &Group| group.store.0.keys().filter(|(family, _)| *family == renkei_shard::Family::Idempotency).count();
    assert_eq!(replies(&group), 80);
    group.now = group.now.plus_millis(26 * HOUR);
    for id in 41..=51 {
        group.by(access(1), ItemKind::Put(put(id, 1, 10)));
    }
    assert_eq!(replies(&group), 22, "each write clears four of the forty");
}

#[test]
fn a_replacement_needs_the_current_version_and_its_own_institution() {
    let mut group = Group::founded();
    group.by(access(1), ItemKind::Put(put(9, 1, 10)));
    assert!(matches!(group.by(access(1), ItemKind::Put(put(9, 3, 10))), Verdict::VersionConflict { current: 1, .. }));
    let stranger = Access { institution: InstTag::from_bytes([0xEE; 16]), ..access(1) };
    assert!(matches!(group.by(stranger.clone(), ItemKind::Put(put(9, 2, 10))), Verdict::Nothing(_)));
    assert!(matches!(group.by(stranger, ItemKind::Delete(delete(9, 1))), Verdict::Nothing(_)));
    assert!(matches!(group.by(access(1), ItemKind::Put(put(8, 2, 10))), Verdict::Nothing(_)));
    assert_eq!(stored(group.by(access(1), ItemKind::Put(put(9, 2, 11)))), (2, false));
}

#[test]
fn a_deleted_record_does_not_come_back() {
    let mut group = Group::founded();
    group.by(access(1), ItemKind::Put(put(9, 1, 10)));
    group.by(access(1), ItemKind::Put(put(9, 2, 11)));
    assert!(matches!(group.by(access(1), ItemKind::Delete(delete(9, 2))), Verdict::Done { replayed: false, .. }));
    assert!(matches!(group.by(access(1), ItemKind::Delete(delete(9, 2))), Verdict::Done { replayed: true, .. }));
    group.now = group.now.plus_millis(48 * HOUR);
    assert!(matches!(group.by(access(1), ItemKind::Put(put(9, 1, 10))), Verdict::Deleted(_)));
    let left = group.store.0.iter().filter(|((_, key), value)| {
        key.windows(16).any(|part| part == record(9).as_bytes())
            && value.windows(4).any(|part| part == b"body" || part == b"summ")
    });
    assert_eq!(left.count(), 0, "no version's content stays");
}

#[test]
fn a_revoked_capability_is_denied_until_it_would_have_ended() {
    let mut group = Group::founded();
    let used = access(1).capability;
    let other = Access { capability: CapabilityId::from_bytes([0xCB; 16]), ..access(1) };
    let until = group.now.plus_millis(HOUR);
    let revoke = ItemKind::Revoke { capability: used, expires: until };
    assert!(matches!(group.by(other.clone(), revoke), Verdict::Done { .. }));
    assert!(matches!(group.by(access(1), note(0, &[record(9)])), Verdict::Revoked(_)));
    assert!(matches!(group.by(other.clone(), note(0, &[])), Verdict::Recorded(_)));
    assert_eq!(rows(&group, 1)[1].outcome, Outcome::DeniedRevoked);
    // Live revocations are bounded; those that ended make room.
    for n in 0..63 {
        let capability = CapabilityId::from_bytes([n; 16]);
        assert!(matches!(
            group.by(other.clone(), ItemKind::Revoke { capability, expires: until }),
            Verdict::Done { .. }
        ));
    }
    let one_more = ItemKind::Revoke { capability: CapabilityId::from_bytes([99; 16]), expires: until.plus_millis(1) };
    assert!(matches!(group.by(other.clone(), one_more.clone()), Verdict::LimitReached(_)));
    group.now = until;
    assert!(matches!(group.by(other, one_more), Verdict::Done { .. }));
}

#[test]
fn rules_are_set_against_the_version_that_was_seen() {
    let mut group = Group::founded();
    let deny = Rule { effect: Effect::Deny, target: Target::Every, subject: Subject::Every, until: None };
    let rules = RuleSet::new(Effect::Allow, vec![deny]).unwrap();
    assert!(matches!(group.by(access(1), set_rules(rules.clone(), 1)), Verdict::VersionConflict { current: 0, .. }));
    assert!(matches!(group.by(access(1), set_rules(rules.clone(), 0)), Verdict::Done { .. }));
    assert!(matches!(group.by(access(1), set_rules(rules, 0)), Verdict::VersionConflict { current: 1, .. }));
    assert_eq!(group.by(access(1), note(0, &[])), Verdict::RulesChanged);
    assert!(matches!(group.by(access(1), note(1, &[])), Verdict::Recorded(_)));
}

#[test]
fn group_time_never_goes_back() {
    let mut group = Group::founded();
    let late = group.now.plus_millis(HOUR);
    group.now = late;
    group.by(access(1), note(0, &[]));
    group.now = UnixMillis(NOW - HOUR);
    group.by(access(1), note(0, &[]));
    assert_eq!(rows(&group, 1)[1].time, late);
}

#[test]
fn a_group_is_founded_once_and_decides_nothing_before() {
    let mut group = Group { store: Default::default(), now: UnixMillis(NOW) };
    assert_eq!(group.by(access(1), note(0, &[])), Verdict::NotFounded);
    let mut group = Group::founded();
    let slots = SlotChange { fence: fence(9, 0), hold: SlotHold::Gone, ranges: every_slot() };
    assert_eq!(group.one(Item::Found { log: renkei_ids::LogId::from_bytes([9; 16]), slots }), Verdict::NotFounded);
    assert!(matches!(group.by(access(1), note(0, &[])), Verdict::Recorded(_)));
}

#[test]
fn limits_hold_at_their_edges() {
    let mut group = Group::founded();
    let sized = |summary: usize, body: usize, id| PutRecord {
        summary: vec![1; summary].into(),
        body: vec![2; body].into(),
        ..put(id, 1, 10)
    };
    let body_max = renkei_shard::BODY_MAX_BYTES;
    assert_eq!(stored(group.by(access(1), ItemKind::Put(sized(SUMMARY_MAX_BYTES, body_max, 1)))), (1, false));
    assert_eq!(group.by(access(1), ItemKind::Put(sized(SUMMARY_MAX_BYTES + 1, 0, 2))), Verdict::Malformed);
    assert_eq!(group.by(access(1), ItemKind::Put(sized(0, body_max + 1, 3))), Verdict::Malformed);
    let ids = vec![record(1); read::PAGE_MAX_ENTRIES];
    assert!(matches!(group.by(access(1), note(0, &ids)), Verdict::Recorded(_)));
    assert_eq!(group.by(access(1), note(0, &[ids, vec![record(1)]].concat())), Verdict::Malformed);
}

#[test]
fn a_bad_item_spoils_only_itself() {
    let mut group = Group::founded();
    let good = Item::Patient { access: access(1), kind: note(0, &[]) }.encode();
    let bad = bytes::Bytes::from_static(b"\xff\xff\xff");
    let verdicts = group.raw(vec![good.clone(), bad, good]).verdicts;
    assert!(matches!(verdicts[..], [Verdict::Recorded(_), Verdict::Malformed, Verdict::Recorded(_)]));
}
