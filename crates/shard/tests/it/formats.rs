//! What an earlier build wrote, every later build reads: the whole store of a small history, and the entries that made
//! it. Store 2 is store 1 with stored replies that name their record. The moves are a slot on its way from one group to
//! another: the entries of both, and their stores when it is half done; the freeze is one that lapses, which came later.

use std::fmt::Write as _;

use bytes::Bytes;
use renkei_access::{RuleSet, Scope};
use renkei_shard::transfer::{Import, MovedRow, Purge};
use renkei_shard::{Access, Family, Item, ItemKind, Memory, SlotChange, SlotHold, Verdict, Verdicts, read};

use crate::scenario::*;

const ENTRIES: &str = include_str!("../fixtures/entries-v1.hex");
const FIRST_STORE: &str = include_str!("../fixtures/store-v1.hex");
const STORE: &str = include_str!("../fixtures/store-v2.hex");
const MOVES: &str = include_str!("../fixtures/moves-v1.hex");
const FREEZE: &str = include_str!("../fixtures/freeze-v1.hex");

fn history() -> Vec<Item> {
    // What this history says is fixed; what the scenarios say may grow.
    let scope = Scope::READ.with(Scope::WRITE).with(Scope::DELETE).with(Scope::RULES);
    let by = |kind| Item::Patient { access: Access { scope, ..access(1) }, kind };
    vec![
        Item::Found {
            log: LOG,
            slots: SlotChange {
                fence: fence(1, 0),
                hold: SlotHold::Owned,
                ranges: vec![(pid(1).slot(), pid(1).slot())],
            },
        },
        by(ItemKind::Put(put(9, 1, 24_000))),
        by(ItemKind::Put(put(9, 2, 24_001))),
        by(ItemKind::Put(put(8, 1, 24_002))),
        by(ItemKind::Delete(delete(8, 1))),
        by(set_rules(RuleSet::UNSET, 0)),
        by(ItemKind::Revoke {
            capability: renkei_ids::CapabilityId::from_bytes([5; 16]),
            expires: renkei_ids::UnixMillis(NOW + HOUR),
        }),
        by(note(1, &[record(9)])),
    ]
}

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a String takes what is written");
        text
    })
}

fn written_now() -> (String, String) {
    let mut group = Group { store: Memory::default(), now: renkei_ids::UnixMillis(NOW) };
    let mut entries = String::new();
    for item in history() {
        let entry = renkei_shard::Command { time: group.now, items: vec![item.encode()] }.encode();
        renkei_shard::apply(&mut group.store, &entry).unwrap();
        writeln!(entries, "{}", hex(&entry)).unwrap();
    }
    let store = group.store.0.iter().fold(String::new(), |mut text, ((family, key), value)| {
        writeln!(text, "{} {} {}", *family as u8, hex(key), hex(value)).unwrap();
        text
    });
    (entries, store)
}

/// `cargo test -p renkei-shard --release -- --ignored refresh` writes the fixtures of a *new* format; a stored format
/// that changed is a break.
#[test]
#[ignore = "writes the fixtures"]
fn refresh_fixtures() {
    let (entries, store) = written_now();
    std::fs::write("tests/fixtures/entries-v1.hex", entries).unwrap();
    std::fs::write("tests/fixtures/store-v2.hex", store).unwrap();
    std::fs::write("tests/fixtures/moves-v1.hex", moves_written_now()).unwrap();
    std::fs::write("tests/fixtures/freeze-v1.hex", freeze_written_now()).unwrap();
}

fn moved_range() -> (renkei_ids::Slot, renkei_ids::Slot) {
    (pid(1).slot(), pid(1).slot())
}

fn order(stamp: u64, hold: SlotHold) -> Item {
    Item::Slots(SlotChange { fence: fence(1, stamp), hold, ranges: vec![moved_range()] })
}

fn moves_written_now() -> String {
    let range = moved_range();
    let slots = SlotChange { fence: fence(1, 0), hold: SlotHold::Owned, ranges: vec![] };
    let row = |value: Option<&'static [u8]>| MovedRow {
        family: Family::Rules,
        key: Bytes::copy_from_slice(&[&range.0.to_be_bytes()[..], pid(1).as_bytes()].concat()),
        value: value.map(Bytes::from_static),
    };
    let rows = vec![row(Some(b"rules")), row(None), row(Some(b"later rules"))];
    let import = Import { fence: fence(1, 4), time: renkei_ids::UnixMillis(NOW + 1), rows };
    let purge = |stamp| Item::Purge(Purge { fence: fence(1, stamp), range });
    let access = access(1);
    let history = [
        (1, Item::Found { log: LOG, slots }),
        (1, order(2, SlotHold::Gone)),
        (1, purge(2)),
        (0, order(3, SlotHold::Moving { round: 1 })),
        (0, Item::Patient { access, kind: ItemKind::Put(put(9, 1, 24_000)) }),
        (0, order(4, SlotHold::Promised { round: 1 })),
        (1, order(4, SlotHold::Incoming)),
        (1, Item::Import(import)),
    ];
    written_by(&history)
}

fn freeze_written_now() -> String {
    let history = [
        (0, order(3, SlotHold::Moving { round: 1 })),
        (0, Item::Patient { access: access(1), kind: ItemKind::Put(put(9, 1, 24_000)) }),
        (0, order(4, SlotHold::Frozen { round: 1 })),
    ];
    written_by(&history)
}

/// One line for each entry (group, entry) and for each row that it leaves (group, family, key, value).
fn written_by(history: &[(usize, Item)]) -> String {
    let range = moved_range();
    let mut groups = [Group::founded(), Group { store: Memory::default(), now: renkei_ids::UnixMillis(NOW) }];
    let mut text = String::new();
    for &(group, ref item) in history {
        let entry = renkei_shard::Command { time: groups[group].now, items: vec![item.encode()] }.encode();
        renkei_shard::apply(&mut groups[group].store, &entry).unwrap();
        writeln!(text, "{group} {}", hex(&entry)).unwrap();
    }
    for (nth, group) in groups.iter().enumerate() {
        // Of the slots of the founding, those that stayed say nothing new.
        let about = |key: &[u8]| key.starts_with(&range.0.to_be_bytes()) || key.starts_with(&[0xFF, 0xFF]);
        for ((family, key), value) in group.store.0.iter().filter(|((_, key), _)| about(key)) {
            writeln!(text, "{nth} {} {} {}", *family as u8, hex(key), hex(value)).unwrap();
        }
    }
    text
}

#[test]
fn a_move_is_written_as_its_fixture_holds() {
    assert!(moves_written_now() == MOVES, "entries or rows of moving slots are written otherwise");
    assert!(freeze_written_now() == FREEZE, "a freeze is written otherwise");
}

#[test]
fn entries_and_rows_of_a_move_read() {
    [MOVES, FREEZE].into_iter().for_each(reads_as_written);
}

fn reads_as_written(fixture: &str) {
    let mut stores = [Group::founded().store, Memory::default()];
    for line in fixture.lines() {
        match line.split(' ').collect::<Vec<_>>()[..] {
            [group, entry] => {
                let store = &mut stores[group.parse::<usize>().unwrap()];
                let reply = renkei_shard::apply(store, &Bytes::from(unhex(entry))).unwrap();
                let [verdict] = Verdicts::decode(&reply).unwrap().verdicts[..] else { panic!("one item") };
                let done =
                    matches!(verdict, Verdict::Changed | Verdict::Purged { next: None } | Verdict::Stored { .. });
                assert!(done, "{verdict:?}");
            }
            [group, family, key, value] => {
                let family = Family::from_number(family.parse().unwrap()).unwrap();
                let stored = stores[group.parse::<usize>().unwrap()].0.get(&(family, unhex(key)));
                assert_eq!(stored, Some(&Bytes::from(unhex(value))));
            }
            _ => panic!("a line of another form"),
        }
    }
}

#[test]
fn this_build_writes_what_the_newest_fixtures_hold() {
    let (entries, store) = written_now();
    assert!(entries == ENTRIES, "entries are written otherwise than format 1 wrote them");
    assert!(store == STORE, "rows are written otherwise than the newest formats wrote them");
}

#[test]
fn only_stored_replies_changed_since_the_first_store() {
    let (first, second) = (stored_fixture(FIRST_STORE), stored_fixture(STORE));
    assert!(first.0.keys().eq(second.0.keys()));
    for ((family, key), value) in &first.0 {
        let newer = &second.0[&(*family, key.clone())];
        // Of that family, entries of the expiry index have no value.
        let is_reply = *family == Family::Idempotency && !value.is_empty();
        assert_eq!(value != newer, is_reply, "{family:?}");
    }
}

#[test]
fn a_stored_reply_of_version_one_is_found_and_never_names_another_record() {
    let mut group = Group { store: stored_fixture(FIRST_STORE), now: renkei_ids::UnixMillis(NOW + 1) };
    let replayed = |replay: &Verdict| match replay {
        Verdict::Stored { record, version, replayed: true, .. } => Some((*record, version.get())),
        _ => None,
    };
    // The replace says which record it is of, a first put does not: its id is drawn anew for each try.
    let replace = group.by(access(1), ItemKind::Put(put(9, 2, 24_001)));
    assert_eq!(replayed(&replace), Some((record(9), 2)));
    let first = group.by(access(1), ItemKind::Put(put(9, 1, 24_000)));
    assert!(matches!(first, Verdict::IdempotencyConflict(_)), "{first:?}");
}

#[test]
fn a_replayed_put_names_the_record_that_was_stored() {
    let mut group = Group { store: stored_fixture(STORE), now: renkei_ids::UnixMillis(NOW + 1) };
    let again = renkei_shard::PutRecord { record: record(77), ..put(9, 1, 24_000) };
    let verdict = group.by(access(1), ItemKind::Put(again));
    let Verdict::Stored { record: named, replayed: true, .. } = verdict else { panic!("{verdict:?}") };
    assert_eq!(named, record(9));
}

#[test]
fn entries_of_format_one_apply_to_the_same_store() {
    let mut store = Memory::default();
    for line in ENTRIES.lines() {
        let reply = renkei_shard::apply(&mut store, &Bytes::from(unhex(line))).unwrap();
        Verdicts::decode(&reply).unwrap();
    }
    assert_eq!(store, stored_fixture(STORE));
}

#[test]
fn the_stores_of_every_format_read() {
    for fixture in [FIRST_STORE, STORE] {
        reads(&stored_fixture(fixture));
    }
}

fn reads(store: &Memory) {
    let capability = capability(1);
    let eyes = read::Eyes { capability: &capability, rules: &RuleSet::UNSET, now: renkei_ids::UnixMillis(NOW) };
    let entry = read::get(store, &eyes, record(9), None, Some(u32::MAX)).unwrap().unwrap();
    assert_eq!(entry.body, read::Body::Whole("body 9 2".into()));
    let old = read::get(store, &eyes, record(9), renkei_ids::RecordVersion::new(1), Some(u32::MAX)).unwrap().unwrap();
    assert_eq!(old.body, read::Body::Whole("body 9 1".into()));
    let (rows, _) = read::audit_rows(store, &pid(1), renkei_ids::AuditSeq(0), 500).unwrap();
    assert!(rows.len() == 7 && rows.iter().all(|row| row.hash_holds()));
}

#[test]
fn a_row_that_does_not_read_stops_the_replica() {
    let mut store = stored_fixture(STORE);
    for ((family, _), value) in &mut store.0 {
        if *family == Family::Summary {
            *value = Bytes::from_static(b"\x02from the future");
        }
    }
    let capability = capability(1);
    let eyes = read::Eyes { capability: &capability, rules: &RuleSet::UNSET, now: renkei_ids::UnixMillis(NOW) };
    assert!(read::timeline(&store, &eyes, &range(10)).is_err());
    assert!(read::get(&store, &eyes, record(9), None, None).is_err());
}

fn stored_fixture(text: &str) -> Memory {
    let rows = text.lines().map(|line| {
        let mut parts = line.split(' ');
        let family = Family::from_number(parts.next().unwrap().parse().unwrap()).unwrap();
        let key = unhex(parts.next().unwrap());
        ((family, key), Bytes::from(unhex(parts.next().unwrap())))
    });
    Memory(rows.collect())
}
