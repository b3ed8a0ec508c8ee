//! What a reader sees: whole pages in order, nothing hidden, and nothing that tells hidden from absent.

use proptest::prelude::*;
use renkei_access::{Capability, Effect, Period, Rule, RuleSet, Subject, Target};
use renkei_ids::{CapabilityId, ClassTag, InstTag, RecordVersion, SlotEpoch};
use renkei_shard::{Access, Item, ItemKind, PutRecord, SlotChange, SlotHold, read};

use crate::scenario::*;

fn eyes<'a>(capability: &'a Capability, rules: &'a RuleSet) -> read::Eyes<'a> {
    read::Eyes { capability, rules, now: renkei_ids::UnixMillis(NOW) }
}

fn hide(record: renkei_ids::RecordId, from: InstTag) -> RuleSet {
    let rule =
        Rule { effect: Effect::Deny, target: Target::Record(record), subject: Subject::Institution(from), until: None };
    RuleSet::new(Effect::Allow, vec![rule]).unwrap()
}

fn whole(body: read::Body) -> bytes::Bytes {
    match body {
        read::Body::Whole(bytes) => bytes,
        other => panic!("expected a whole body, got {other:?}"),
    }
}

fn length(body: &read::Body) -> usize {
    match body {
        read::Body::Whole(bytes) => bytes.len(),
        read::Body::Absent | read::Body::Apart(_) => 0,
    }
}

#[test]
fn a_large_document_is_read_apart() {
    let mut group = Group::founded();
    group.by(access(1), ItemKind::Put(PutRecord { body: vec![7; 1_001].into(), ..put(9, 1, 10) }));
    let (capability, rules) = (capability(1), RuleSet::UNSET);
    let get =
        |whole| read::get(&group.store, &eyes(&capability, &rules), record(9), None, whole).unwrap().unwrap().body;
    assert_eq!(get(None), read::Body::Absent);
    assert_eq!(get(Some(1_000)), read::Body::Apart(1_001));
    assert_eq!(length(&get(Some(1_001))), 1_001);
    assert_eq!(read::body(&group.store, &pid(1), &record(9), version(1)).unwrap().len(), 1_001);
}

#[test]
fn the_current_version_is_read_and_older_ones_stay() {
    let mut group = Group::founded();
    group.by(access(1), ItemKind::Put(put(9, 1, 10)));
    group.by(access(1), ItemKind::Put(put(9, 2, 12)));
    let (capability, rules) = (capability(1), RuleSet::UNSET);
    let get =
        |version| read::get(&group.store, &eyes(&capability, &rules), record(9), version, Some(u32::MAX)).unwrap();
    let told = |v| get(v).map(|entry| (entry.version.get(), entry.month.raw(), entry.summary, whole(entry.body)));
    assert_eq!(told(None), Some((2, 12, "summary 9 2".into(), "body 9 2".into())));
    assert_eq!(told(RecordVersion::new(1)), Some((1, 10, "summary 9 1".into(), "body 9 1".into())));
    assert_eq!(told(RecordVersion::new(2)), told(None));
    assert_eq!(told(RecordVersion::new(3)), None);
    let page = read::timeline(&group.store, &eyes(&capability, &rules), &range(10)).unwrap();
    assert_eq!(page.entries.len(), 1, "a timeline shows current versions only");
}

#[test]
fn a_hidden_record_and_an_absent_one_are_answered_alike() {
    let mut with_hidden = Group::founded();
    let mut without = Group::founded();
    for id in [1, 2, 3] {
        with_hidden.by(access(1), ItemKind::Put(put(id, 1, u16::from(id))));
        if id != 2 {
            without.by(access(1), ItemKind::Put(put(id, 1, u16::from(id))));
        }
    }
    let capability = capability(1);
    let rules = hide(record(2), capability.institution);
    let eyes = eyes(&capability, &rules);
    for size in 1..4 {
        let pages = [&with_hidden, &without].map(|group| read::timeline(&group.store, &eyes, &range(size)).unwrap());
        assert_eq!(pages[0].entries, pages[1].entries);
    }
    let get = |group: &Group, id| read::get(&group.store, &eyes, record(id), None, Some(u32::MAX)).unwrap();
    assert_eq!(get(&with_hidden, 2), None);
    assert_eq!(get(&with_hidden, 77), None);
}

#[test]
fn classes_and_months_outside_the_capability_are_not_seen() {
    let mut group = Group::founded();
    let other = ClassTag::from_bytes([0x0C; 16]);
    group.by(access(1), ItemKind::Put(put(1, 1, 10)));
    group.by(access(1), ItemKind::Put(PutRecord { summary_class: other, ..put(2, 1, 10) }));
    group.by(access(1), ItemKind::Put(put(3, 1, 20)));
    let rules = RuleSet::UNSET;
    let narrow =
        Capability { classes: vec![SUMMARY_CLASS], period: Period { from: month(5), to: month(15) }, ..capability(1) };
    let page = read::timeline(&group.store, &eyes(&narrow, &rules), &range(10)).unwrap();
    assert_eq!(page.entries.iter().map(|entry| entry.record).collect::<Vec<_>>(), [record(1)]);
    let get = |id| read::get(&group.store, &eyes(&narrow, &rules), record(id), None, Some(u32::MAX)).unwrap();
    assert_eq!(get(1).unwrap().body, read::Body::Absent, "the document is a class of its own");
    assert_eq!((get(2), get(3)), (None, None));
    let empty = Capability { period: Period { from: month(15), to: month(5) }, ..capability(1) };
    assert!(read::timeline(&group.store, &eyes(&empty, &rules), &range(10)).unwrap().entries.is_empty());
}

#[test]
fn a_page_keeps_to_its_bytes_and_inlines_what_fits() {
    let mut group = Group::founded();
    for id in 0..40 {
        let big = PutRecord { summary: vec![id; 60_000].into(), body: vec![id; 16_384].into(), ..put(id, 1, 10) };
        group.by(access(1), ItemKind::Put(big));
    }
    let (capability, rules) = (capability(1), RuleSet::UNSET);
    let asked = read::Range { inline_body_bytes: 16_384, ..range(200) };
    let page = read::timeline(&group.store, &eyes(&capability, &rules), &asked).unwrap();
    let bytes: usize = page.entries.iter().map(|entry| entry.summary.len() + length(&entry.body)).sum();
    assert!(bytes <= read::PAGE_MAX_BYTES && page.next.is_some(), "{bytes}");
    assert_eq!(page.entries.len(), 17, "seventeen summaries of 60,000 bytes fit into 1 MiB");
    let small = read::Range { inline_body_bytes: 16_383, ..range(3) };
    let page = read::timeline(&group.store, &eyes(&capability, &rules), &small).unwrap();
    assert!(page.entries.iter().all(|entry| entry.body == read::Body::Absent));
}

#[test]
fn audit_rows_come_in_pages() {
    let mut group = Group::founded();
    for _ in 0..7 {
        group.by(access(1), note(0, &[]));
    }
    group.by(access(2), note(0, &[]));
    let page = |after, rows| {
        let (rows, more) = read::audit_rows(&group.store, &pid(1), renkei_ids::AuditSeq(after), rows).unwrap();
        (rows.len(), more)
    };
    assert_eq!(page(0, 3), (3, true));
    assert_eq!(page(3, 4), (4, false));
    assert_eq!(page(7, 4), (0, false));
}

#[test]
fn admission_tells_rules_and_revocation() {
    let mut group = Group::founded();
    let asked =
        |group: &Group, id| match read::admit(&group.store, &pid(1), CapabilityId::from_bytes([id; 16]), group.now)
            .unwrap()
        {
            read::Admission::Admitted(rules) => (rules.version, rules.revoked),
            other => panic!("{other:?}"),
        };
    assert_eq!(asked(&group, 5), (0, false));
    let rules = hide(record(1), access(1).institution);
    group.by(access(1), set_rules(rules, 0));
    let expires = group.now.plus_millis(1_000);
    group.by(access(1), ItemKind::Revoke { capability: CapabilityId::from_bytes([5; 16]), expires });
    assert_eq!(asked(&group, 5), (1, true));
    assert_eq!(asked(&group, 6), (1, false));
}

proptest! {
    /// Reading page by page gives each visible record once, newest month first, whatever the page size.
    #[test]
    fn pages_cover_the_timeline(records in proptest::collection::btree_map(any::<u8>(), 0_u16..6, 0..30), size in 1_usize..8, hidden: u8) {
        let mut group = Group::founded();
        for (id, m) in &records {
            let writer = Access { salt: [*id; 16], ..access(1) };
            group.by(writer, ItemKind::Put(put(*id, 1, *m)));
        }
        let capability = capability(1);
        let rules = hide(record(hidden), capability.institution);
        let mut seen = Vec::new();
        let mut after = None;
        loop {
            let page = read::timeline(&group.store, &eyes(&capability, &rules), &read::Range { after, ..range(size) }).unwrap();
            prop_assert!(page.entries.len() <= size);
            seen.extend(page.entries.iter().map(|entry| (entry.month.raw(), entry.record)));
            match page.next {
                Some(next) => after = Some(next),
                None => break,
            }
        }
        let mut expected: Vec<_> = records.iter().filter(|(id, _)| **id != hidden).map(|(id, m)| (*m, record(*id))).collect();
        expected.sort_by_key(|(m, id)| (core::cmp::Reverse(*m), *id));
        prop_assert_eq!(seen, expected);
    }
}

#[test]
fn nothing_is_read_of_a_slot_that_is_frozen_or_has_gone() {
    let mut group = Group::founded();
    let admitted = |group: &Group| read::admit(&group.store, &pid(1), access(1).capability, group.now).unwrap();
    assert!(matches!(admitted(&group), read::Admission::Admitted(_)));
    group.one(Item::Slots(SlotChange {
        fence: fence(4, 1),
        hold: SlotHold::Moving { round: 1 },
        ranges: every_slot(),
    }));
    assert!(matches!(admitted(&group), read::Admission::Admitted(_)), "it is served while it is copied");
    let away = [SlotHold::Frozen { round: 1 }, SlotHold::Promised { round: 1 }, SlotHold::Gone];
    for (epoch, hold) in (5..).zip(away) {
        group.one(Item::Slots(SlotChange { fence: fence(epoch, 1), hold, ranges: every_slot() }));
        let refused = read::Admission::WrongOwner { epoch: SlotEpoch(epoch), passing: hold != SlotHold::Gone };
        assert_eq!(admitted(&group), refused);
    }
}
