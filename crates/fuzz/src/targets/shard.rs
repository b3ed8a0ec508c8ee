//! What a group replicates: items and commands read as they were written, and apply is total, the same on two replicas, and
//! leaves no trace of what it refused.

pub(super) mod drawn;

use bytes::Bytes;
use renkei_access::RuleSet;
use renkei_ids::{AuditSeq, SlotEpoch, UnixMillis};
use renkei_shard::audit::AuditContent;
use renkei_shard::{Command, Family, Fence, Item, Memory, SlotChange, SlotHold, Verdict, Verdicts, read};

use crate::input::Input;
use drawn::{LOG, NOW, command, item, pid};

const ENTRIES_MAX: usize = 64;

/// Stored and sent forms.
pub(super) fn items(bytes: &[u8]) {
    let Some((&which, rest)) = bytes.split_first() else { return };
    let bytes = Bytes::copy_from_slice(rest);
    match which % 4 {
        0 => {
            let Ok(item) = Item::decode(&bytes) else { return };
            assert!(Item::decode(&item.encode()).is_ok_and(|again| again == item));
        }
        1 => {
            let Ok(command) = Command::decode(&bytes) else { return };
            assert!(Command::decode(&command.encode()).is_ok_and(|again| again == command));
        }
        2 => {
            let Ok(verdicts) = Verdicts::decode(&bytes) else { return };
            assert!(Verdicts::decode(&verdicts.encode()).is_ok_and(|again| again == verdicts));
        }
        _ => {
            let Ok(content) = AuditContent::decode(&bytes) else { return };
            assert!(AuditContent::decode(&content.encode()).is_ok_and(|again| again == content));
        }
    }
}

pub(super) fn item_seeds() -> Vec<Vec<u8>> {
    let mut group = founded();
    let mut seeds = Vec::new();
    for choice in 0..8_u8 {
        let bytes = [choice, 1, 0, 0, 1, 2, 0, 0, 9];
        let item = item(&mut Input::new(&bytes)).encode();
        let entry = Command { time: UnixMillis(NOW), items: vec![item.clone()] }.encode();
        let verdicts = renkei_shard::apply(&mut group, &entry).expect("memory does not fail");
        seeds.extend([(0, item), (1, entry), (2, verdicts)]);
    }
    let (rows, _) = read::audit_rows(&group, &pid(0), AuditSeq(0), 10).expect("memory does not fail");
    seeds.extend(rows.into_iter().map(|row| (3, row.content)));
    seeds.into_iter().map(|(which, bytes)| [&[which][..], &bytes[..]].concat()).collect()
}

pub(super) fn founded() -> Memory {
    let mut group = Memory::default();
    let slots = SlotChange {
        fence: Fence { epoch: SlotEpoch(1), stamp: 0 },
        hold: SlotHold::Owned,
        ranges: vec![drawn::slots()],
    };
    let entry = Command { time: UnixMillis(NOW), items: vec![Item::Found { log: LOG, slots }.encode()] }.encode();
    renkei_shard::apply(&mut group, &entry).expect("memory does not fail");
    group
}

/// Entries over two replicas.
pub(super) fn apply(bytes: &[u8]) {
    let mut input = Input::new(bytes);
    let mut replicas = if input.flag() { [founded(), founded()] } else { [Memory::default(), Memory::default()] };
    let mut time = NOW;
    for _ in 0..ENTRIES_MAX {
        if input.is_empty() {
            break;
        }
        let (entry, count) = command(&mut input, &mut time);
        let before = replicas[0].clone();
        let replies = replicas.each_mut().map(|replica| {
            renkei_shard::apply(replica, &entry).expect("memory does not fail, and holds what apply wrote")
        });
        assert_eq!(replies[0], replies[1], "two replicas answer differently");
        let verdicts = Verdicts::decode(&replies[0]).expect("apply writes what decode reads").verdicts;
        if let Some(count) = count {
            assert_eq!(verdicts.len(), count, "an item has no verdict, or two");
        }
        trace(&before, &replicas[0], &verdicts);
    }
    assert!(replicas[0] == replicas[1], "two replicas differ");
    judge(&replicas[0]);
}

/// What an entry changed, against what it answered.
fn trace(before: &Memory, after: &Memory, verdicts: &[Verdict]) {
    // Beside the group's own row (its time, its count of leaves), refusals write nothing but audit rows.
    let writes =
        |verdict: &Verdict| matches!(verdict, Verdict::Stored { .. } | Verdict::Done { .. } | Verdict::Changed);
    if !verdicts.iter().any(writes) {
        for family in [Family::Summary, Family::Body, Family::Record, Family::Rules, Family::Tombstones] {
            assert!(before.family(family).eq(after.family(family)), "a refused item left a trace in {family:?}");
        }
    }
    let rows = |memory: &Memory| memory.family(Family::Audit).count();
    let recorded = verdicts.iter().filter(|verdict| row_of(verdict)).count();
    assert_eq!(rows(after), rows(before) + recorded, "rows and verdicts do not match");
}

fn row_of(verdict: &Verdict) -> bool {
    !matches!(
        verdict,
        Verdict::Malformed
            | Verdict::NotFounded
            | Verdict::WrongOwner { .. }
            | Verdict::RulesChanged
            | Verdict::Changed
            | Verdict::Fenced
            | Verdict::OutOfOrder
            | Verdict::Purged { .. }
    )
}

/// The audit rows of a patient have no gap, each hash holds, and what is listed can be had.
fn judge(group: &Memory) {
    for patient in 0..drawn::PATIENTS {
        let pid = pid(patient);
        let (rows, more) = read::audit_rows(group, &pid, AuditSeq(0), 1_000).expect("memory does not fail");
        assert!(!more, "there are fewer rows than that");
        for (row, seq) in rows.iter().zip(1..) {
            assert!(row.hash_holds());
            let content = AuditContent::decode(&row.content).expect("a stored row reads");
            assert!(content.pid == pid && content.seq == AuditSeq(seq), "a gap in the rows of a patient");
        }
        let capability = drawn::capability(patient);
        let eyes = read::Eyes { capability: &capability, rules: &RuleSet::UNSET, now: UnixMillis(0) };
        let page = read::timeline(group, &eyes, &drawn::whole()).expect("memory does not fail");
        for entry in page.entries {
            let found = read::get(group, &eyes, entry.record, None, Some(u32::MAX)).expect("memory does not fail");
            assert!(found.is_some_and(|found| found.version == entry.version), "what is listed cannot be had");
        }
    }
}

pub(super) fn seeds() -> Vec<Vec<u8>> {
    let pattern = |seed: u8, len: u8| (0..len).map(move |place| place.wrapping_mul(23).wrapping_add(seed)).collect();
    (0..16).map(|seed| [vec![1], pattern(seed, 20 + 14 * seed)].concat()).collect()
}
