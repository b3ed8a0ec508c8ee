//! Stored rows that are damaged: a read or an entry that meets one says so, and whatever it answers else, it ends.

use bytes::Bytes;
use renkei_access::RuleSet;
use renkei_ids::{AuditSeq, RecordId, UnixMillis};
use renkei_shard::{Memory, ShardError, Verdicts, read};

use super::shard::drawn::{self, NOW, command, pid};
use super::shard::founded;
use crate::input::Input;

/// Entries that fill the group before its rows are damaged, and that meet them afterwards.
const ENTRIES: usize = 24;
const DAMAGES_MAX: usize = 4;

pub(super) fn run(bytes: &[u8]) {
    let mut input = Input::new(bytes);
    let mut group = founded();
    let mut time = NOW;
    let mut entries = Vec::new();
    let length = input.below(ENTRIES);
    for _ in 0..length {
        let (entry, _) = command(&mut input, &mut time);
        renkei_shard::apply(&mut group, &entry).expect("memory does not fail");
        entries.push(entry);
    }
    for _ in 0..1 + input.below(DAMAGES_MAX) {
        damage(&mut group, &mut input);
    }
    look(&group);
    entries.push(command(&mut input, &mut time).0);
    for entry in entries {
        match renkei_shard::apply(&mut group, &entry) {
            // The replica would stop here.
            Err(ShardError::Corrupt { .. }) => return,
            Err(ShardError::Store(never)) => match never {},
            Ok(reply) => drop(Verdicts::decode(&reply).expect("apply writes what decode reads")),
        }
    }
}

/// One row is cut, changed or replaced by another one.
fn damage(group: &mut Memory, input: &mut Input<'_>) {
    let (row, other) = (input.below(group.0.len()), input.below(group.0.len()));
    let other = group.0.values().nth(other).cloned().expect("a row of the store");
    let value = group.0.values_mut().nth(row).expect("a row of the store");
    let mut bytes = value.to_vec();
    match input.byte() % 4 {
        0 => bytes.truncate(input.below(bytes.len() + 1)),
        1 => bytes = other.to_vec(),
        2 => bytes.extend_from_slice(input.short(16)),
        _ => {
            let at = input.below(bytes.len().max(1));
            if let Some(byte) = bytes.get_mut(at) {
                *byte = input.byte();
            }
        }
    }
    *value = Bytes::from(bytes);
}

fn look(group: &Memory) {
    for patient in 0..drawn::PATIENTS {
        let capability = drawn::capability(patient);
        let eyes = read::Eyes { capability: &capability, rules: &RuleSet::UNSET, now: UnixMillis(NOW) };
        drop(read::admit(group, &pid(patient), capability.id, UnixMillis(NOW)));
        drop(read::timeline(group, &eyes, &drawn::whole()));
        for record in 0..4 {
            drop(read::get(group, &eyes, RecordId::from_bytes([record; 16]), None, Some(u32::MAX)));
        }
        // A row whose hash does not hold is told from one that does; both may be given.
        if let Ok((rows, _)) = read::audit_rows(group, &pid(patient), AuditSeq(0), 100) {
            assert!(rows.iter().filter(|row| row.hash_holds()).count() <= rows.len());
        }
    }
}

pub(super) fn seeds() -> Vec<Vec<u8>> {
    let pattern = |seed: u8, len: u8| (0..len).map(move |place| place.wrapping_mul(41).wrapping_add(seed)).collect();
    (0..16).map(|seed| pattern(seed, 40 + 13 * seed)).collect()
}
