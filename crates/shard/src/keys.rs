//! Where everything lies. Every key starts with the slot, big-endian, so a slot is one range in each family and can move.

use renkei_ids::{AuditSeq, IdemTag, MonthBucket, Pid, RecordId, RecordVersion, Slot};

/// A family of keys. The discriminant is its place in [`FAMILIES`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Family {
    /// Current summaries: slot, pid, month (newest first), record.
    Summary = 0,
    /// Documents: slot, pid, record, version.
    Body = 1,
    /// Where a record's current summary lies, and summaries of superseded versions: slot, pid, record[, version].
    Record = 2,
    /// The patient's rules: slot, pid.
    Rules = 3,
    /// Audit rows: slot, pid, month, sequence number.
    Audit = 4,
    /// Stored replies: slot, 0, pid, tag; and their expiry index: slot, 1, hour, pid, tag.
    Idempotency = 5,
    /// Deleted records: slot, pid, record.
    Tombstones = 6,
    /// Slot states: slot, 0; patient heads: slot, 1, pid; keys noted while a slot moves: slot, 2, round, family, rest of
    /// the key; the group head under the slot that no patient has.
    System = 7,
}

impl Family {
    /// Every family, in the order of their numbers.
    pub const ALL: [Self; FAMILIES.len()] = [
        Self::Summary,
        Self::Body,
        Self::Record,
        Self::Rules,
        Self::Audit,
        Self::Idempotency,
        Self::Tombstones,
        Self::System,
    ];

    /// The family of this number.
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.get(usize::from(number)).copied()
    }
}

/// Name, length of the prefix that point look-ups share (0 for none) and the size from which values lie in blob files.
pub const FAMILIES: [(&str, usize, Option<u64>); 8] = [
    ("summary", PATIENT_PREFIX, None),
    ("body", PATIENT_PREFIX, Some(16 * 1024)),
    ("record", PATIENT_PREFIX, None),
    ("rules", PATIENT_PREFIX, None),
    ("audit", PATIENT_PREFIX, None),
    ("idempotency", 0, None),
    ("tombstones", PATIENT_PREFIX, None),
    ("shard", 0, None),
];

const PATIENT_PREFIX: usize = 2 + Pid::LEN;
const NO_SLOT: [u8; 2] = [0xFF, 0xFF];
const SLOT_STATE: u8 = 0;
const PATIENT_HEAD: u8 = 1;
const NOTED: u8 = 2;
const REPLY: u8 = 0;
const EXPIRY: u8 = 1;

/// Longest key.
pub(crate) const KEY_MAX_BYTES: usize = 64;

/// A key under construction: none is allocated.
#[derive(Clone, Copy)]
pub(crate) struct Key {
    bytes: [u8; KEY_MAX_BYTES],
    len: usize,
}

impl Key {
    fn slot(slot: Slot) -> Self {
        Self::from_slot_bytes(slot.to_be_bytes())
    }

    fn from_slot_bytes(slot: [u8; 2]) -> Self {
        Self { bytes: [0; KEY_MAX_BYTES], len: 0 }.push(&slot)
    }

    fn patient(pid: &Pid) -> Self {
        Self::slot(pid.slot()).push(pid.as_bytes())
    }

    fn push(mut self, part: &[u8]) -> Self {
        let end = self.len + part.len();
        self.bytes[self.len..end].copy_from_slice(part);
        self.len = end;
        self
    }

    /// The first key that does not start with this one.
    pub(crate) fn end(mut self) -> Self {
        while let Some(last) = self.bytes[..self.len].last_mut() {
            if *last < u8::MAX {
                *last += 1;
                return self;
            }
            self.len -= 1;
        }
        self
    }

    /// The later of two keys.
    pub(crate) fn max_key(self, other: Self) -> Self {
        if self[..] < other[..] { other } else { self }
    }

    /// A key that was stored.
    pub(crate) fn of(stored: &[u8]) -> Self {
        Self { bytes: [0; KEY_MAX_BYTES], len: 0 }.push(stored)
    }

    /// The first key behind this one.
    pub(crate) fn successor(self) -> Self {
        self.push(&[0])
    }
}

impl core::ops::Deref for Key {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

fn newest_first(month: MonthBucket) -> [u8; 2] {
    (!month.raw()).to_be_bytes()
}

pub(crate) fn summaries_from_month(pid: &Pid, month: MonthBucket) -> Key {
    Key::patient(pid).push(&newest_first(month))
}

pub(crate) fn summary(pid: &Pid, month: MonthBucket, record: &RecordId) -> Key {
    summaries_from_month(pid, month).push(record.as_bytes())
}

/// Month and record of a summary key.
pub(crate) fn parse_summary(key: &[u8]) -> Option<(MonthBucket, RecordId)> {
    let (month, record) = key.get(PATIENT_PREFIX..)?.split_first_chunk::<2>()?;
    Some((MonthBucket::from_raw(!u16::from_be_bytes(*month)), RecordId::try_from(record).ok()?))
}

pub(crate) fn bodies(pid: &Pid, record: &RecordId) -> Key {
    Key::patient(pid).push(record.as_bytes())
}

pub(crate) fn body(pid: &Pid, record: &RecordId, version: RecordVersion) -> Key {
    bodies(pid, record).push(&version.get().to_be_bytes())
}

pub(crate) fn record(pid: &Pid, record: &RecordId) -> Key {
    Key::patient(pid).push(record.as_bytes())
}

pub(crate) fn superseded(pid: &Pid, id: &RecordId, version: RecordVersion) -> Key {
    record(pid, id).push(&version.get().to_be_bytes())
}

pub(crate) fn rules(pid: &Pid) -> Key {
    Key::patient(pid)
}

pub(crate) fn audit_rows(pid: &Pid) -> Key {
    Key::patient(pid)
}

pub(crate) fn audit(pid: &Pid, month: MonthBucket, seq: AuditSeq) -> Key {
    Key::patient(pid).push(&month.raw().to_be_bytes()).push(&seq.0.to_be_bytes())
}

/// Sequence number of an audit key.
pub(crate) fn parse_audit(key: &[u8]) -> Option<AuditSeq> {
    let seq = key.get(PATIENT_PREFIX + 2..)?.try_into().ok()?;
    Some(AuditSeq(u64::from_be_bytes(seq)))
}

pub(crate) fn stored_reply(pid: &Pid, tag: &IdemTag) -> Key {
    Key::slot(pid.slot()).push(&[REPLY]).push(pid.as_bytes()).push(tag.as_bytes())
}

pub(crate) fn expiries(slot: Slot) -> Key {
    Key::slot(slot).push(&[EXPIRY])
}

pub(crate) fn expiries_before(slot: Slot, hour: u64) -> Key {
    expiries(slot).push(&hour.to_be_bytes())
}

pub(crate) fn expiry(pid: &Pid, tag: &IdemTag, hour: u64) -> Key {
    expiries_before(pid.slot(), hour).push(pid.as_bytes()).push(tag.as_bytes())
}

/// Patient and tag of an expiry key.
pub(crate) fn parse_expiry(key: &[u8]) -> Option<(Pid, IdemTag)> {
    let (pid, tag) = key.get(2 + 1 + 8..)?.split_first_chunk::<{ Pid::LEN }>()?;
    Some((Pid::from_bytes(*pid), IdemTag::try_from(tag).ok()?))
}

pub(crate) fn tombstone(pid: &Pid, record: &RecordId) -> Key {
    Key::patient(pid).push(record.as_bytes())
}

pub(crate) fn slot_state(slot: Slot) -> Key {
    Key::slot(slot).push(&[SLOT_STATE])
}

pub(crate) fn patient_head(pid: &Pid) -> Key {
    Key::slot(pid.slot()).push(&[PATIENT_HEAD]).push(pid.as_bytes())
}

/// Every patient head of a slot starts so.
pub(crate) fn patient_heads(slot: Slot) -> Key {
    Key::slot(slot).push(&[PATIENT_HEAD])
}

/// The first key behind a stored one, which is shorter than the longest.
pub(crate) fn behind(key: &[u8]) -> Key {
    Key::of(key).successor()
}

/// Every key of a slot starts so, in each family.
pub(crate) fn slot(slot: Slot) -> Key {
    Key::slot(slot)
}

/// The slot of a key; `None` for the group head and for what is no key.
pub(crate) fn slot_of(key: &[u8]) -> Option<Slot> {
    let (slot, _) = key.split_first_chunk::<2>()?;
    Slot::try_from(u32::from(u16::from_be_bytes(*slot))).ok()
}

/// Whether a key is one of what moves with a slot: all but how the slot stands and what is noted meanwhile.
pub(crate) fn moves(family: Family, key: &[u8]) -> bool {
    let of_family = family != Family::System || key.get(2) == Some(&PATIENT_HEAD);
    of_family && key.len() > 2 && key.len() <= KEY_MAX_BYTES - NOTED_HEAD && slot_of(key).is_some()
}

/// What a noted key has in front of the rest of the key, beyond its slot.
const NOTED_HEAD: usize = 1 + 4 + 1;

/// Every note of a slot starts so.
pub(crate) fn all_noted(slot: Slot) -> Key {
    Key::slot(slot).push(&[NOTED])
}

/// Every note of one round starts so.
pub(crate) fn noted_in(slot: Slot, round: u32) -> Key {
    all_noted(slot).push(&round.to_be_bytes())
}

/// The note that a key of this slot was written or deleted in a round.
pub(crate) fn noted(slot: Slot, round: u32, family: Family, key: &[u8]) -> Key {
    noted_in(slot, round).push(&[family as u8]).push(&key[2..])
}

/// Family and key that a note is about.
pub(crate) fn parse_noted(note: &[u8]) -> Option<(Family, Key)> {
    let rest = note.get(2 + 1 + 4..)?;
    let (family, rest) = rest.split_first()?;
    let key = Key::slot(slot_of(note)?);
    (key.len + rest.len() <= KEY_MAX_BYTES).then_some(())?;
    Some((Family::from_number(*family)?, key.push(rest)))
}

pub(crate) fn group_head() -> Key {
    Key::from_slot_bytes(NO_SLOT)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn family_numbers_are_their_places() {
        assert!(Family::ALL.iter().enumerate().all(|(place, family)| *family as usize == place));
        assert!((0..=u8::MAX).filter_map(Family::from_number).eq(Family::ALL));
    }

    proptest! {
        #[test]
        fn newer_months_come_first(pid: [u8; 16], a: u16, b: u16, r: [u8; 16], s: [u8; 16]) {
            let pid = Pid::from_bytes(pid);
            let key = |month, record| summary(&pid, MonthBucket::from_raw(month), &RecordId::from_bytes(record));
            let (first, second) = (key(a, r), key(b, s));
            prop_assert_eq!(first.cmp(&second), b.cmp(&a).then(r.cmp(&s)));
            prop_assert_eq!(parse_summary(&first), Some((MonthBucket::from_raw(a), RecordId::from_bytes(r))));
        }

        #[test]
        fn a_prefix_ends_behind_all_it_starts(prefix in proptest::collection::vec(any::<u8>(), 1..20), tail in proptest::collection::vec(any::<u8>(), 0..20)) {
            let key = Key { bytes: [0; KEY_MAX_BYTES], len: 0 }.push(&prefix);
            let end = key.end();
            let inside = key.push(&tail);
            prop_assert!(end.is_empty() || inside[..] < end[..]);
            prop_assert!(end.is_empty() || prefix[..] < end[..]);
        }

        #[test]
        fn a_note_names_its_key(pid: [u8; 16], tag: [u8; 16], hour: u64, round: u32) {
            // The longest keys there are.
            let longest = expiry(&Pid::from_bytes(pid), &IdemTag::from_bytes(tag), hour);
            for family in Family::ALL {
                let slot = Pid::from_bytes(pid).slot();
                let note = noted(slot, round, family, &longest);
                prop_assert!(note.starts_with(&noted_in(slot, round)));
                let (of, key) = parse_noted(&note).unwrap();
                prop_assert_eq!((of, &key[..]), (family, &longest[..]));
                prop_assert!(moves(family, &longest) || family == Family::System);
                prop_assert!(!moves(Family::System, &note));
            }
        }

        #[test]
        fn expiry_keys_read_back(pid: [u8; 16], tag: [u8; 16], hour: u64) {
            let key = expiry(&Pid::from_bytes(pid), &IdemTag::from_bytes(tag), hour);
            prop_assert_eq!(parse_expiry(&key), Some((Pid::from_bytes(pid), IdemTag::from_bytes(tag))));
        }
    }
}
