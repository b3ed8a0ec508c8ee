//! The state machine against a model, and its stored forms against fixtures.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;

use bytes::Bytes;
use proptest::prelude::*;
use renkei_access::{Evidence, Limit, Period, Purpose, Scope};
use renkei_envelope::{
    Class, ClassKey, ClassSet, EpochKey, KeyEpoch, LogKey, Patient, PatientKey, PatientSeed, Pseudonym, Random, SlotKey,
};
use renkei_ids::{
    CapabilityId, CloudId, InstitutionId, KeyHash, LogId, Pid, RecordId, RecordVersion, RequestId, Slot, UnixMillis,
};

use super::format::decode;
use super::*;

mod tickets;

const CLOUD: CloudId = CloudId::from_bytes([0xC1; 16]);

struct Fixed(u8);

impl Random for Fixed {
    fn fill(&self, into: &mut [u8]) {
        into.fill(self.0);
    }
}

#[derive(Clone, Default, PartialEq)]
struct Memory(BTreeMap<(Table, Vec<u8>), Bytes>);

impl View for Memory {
    type Error = Infallible;

    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Bytes>, Infallible> {
        Ok(self.0.get(&(table, key.to_vec())).cloned())
    }
}

impl Store for Memory {
    fn put(&mut self, table: Table, key: &[u8], value: Bytes) {
        self.0.insert((table, key.to_vec()), value);
    }

    fn delete(&mut self, table: Table, key: &[u8]) {
        self.0.remove(&(table, key.to_vec()));
    }
}

fn founding() -> Command {
    let key = EpochKey::from_bytes([1; 32]);
    let seal = |slot: Slot| key.seal_slot_key((CLOUD, slot, KeyEpoch(1)), &SlotKey::from_bytes([2; 32]), &Fixed(3));
    Command::Found(Founding {
        log: LogId::from_bytes([4; 16]),
        epoch: KeyEpoch(1),
        slots: Slot::all().map(seal).collect(),
    })
}

fn founded() -> Memory {
    let mut memory = Memory::default();
    assert_eq!(run(&mut memory, &founding()), Verdicts::Decided(Vec::new()));
    memory
}

fn run(memory: &mut Memory, command: &Command) -> Verdicts {
    Verdicts::decode(&apply(memory, &command.encode()).unwrap()).unwrap()
}

fn limits(open: u32, write: u32) -> Limits {
    let wide = Limit { minute: u32::MAX, day: u32::MAX };
    Limits {
        open_asker: Limit { minute: open, day: u32::MAX },
        open_emergency: wide,
        open_cell: wide,
        open_slot: wide,
        write_asker: Limit { minute: write, day: u32::MAX },
        write_cell: wide,
        write_slot: wide,
    }
}

fn pid(number: u8) -> Pid {
    Pid::from_bytes([number; 16])
}

fn new_patient(person: u8, number: u8) -> NewPatient {
    let patient = Patient { cloud: CLOUD, pid: pid(number) };
    let (seed, slot, random) = (PatientSeed::from_bytes([number; 32]), SlotKey::from_bytes([2; 32]), Fixed(number));
    NewPatient {
        pid: patient.pid,
        seed: Pseudonym::from_bytes([person; 32]).seal_seed(&patient, &seed, &random),
        patient_key: seed.wrap_patient_key(&patient, &slot, &PatientKey::from_bytes([6; 32]), &random),
        log_key: seed.wrap_log_key(&patient, &slot, &LogKey::from_bytes([7; 32]), &random),
    }
}

fn open(person: u8, institution: u8, unknown: Option<u8>) -> Item {
    let ask = Ask::Open {
        hash: Pseudonym::from_bytes([person; 32]).hash(CLOUD),
        unknown: unknown.map(|number| new_patient(person, number)),
        wanted: Wanted { classes: Class::every().collect::<ClassSet>(), period: Period::ALL, scope: Scope::READ },
        ticket: None,
        escrow: None,
    };
    item(institution, Evidence::Card, ask)
}

fn item(institution: u8, evidence: Evidence, ask: Ask) -> Item {
    Item {
        capability: CapabilityId::from_bytes([8; 16]),
        salt: [9; 16],
        institution: InstitutionId::from_bytes([institution; 16]),
        purpose: Some(Purpose::Care),
        evidence: Some(evidence),
        ask,
    }
}

fn put(number: u8, key: Option<u8>) -> Item {
    let class = Class::every().next().unwrap();
    let patient = Patient { cloud: CLOUD, pid: pid(number) };
    let wrap = |key| {
        let (slot, key) = (SlotKey::from_bytes([2; 32]), ClassKey::from_bytes([key; 32]));
        PatientKey::from_bytes([6; 32]).wrap_class_key(&patient, &slot, (class, 2025), &key, &Fixed(1))
    };
    let ask = Ask::Put {
        pid: patient.pid,
        record: RecordId::from_bytes([10; 16]),
        version: RecordVersion::FIRST,
        class_keys: vec![NewClassKey { class, year: 2025, key: key.map(wrap) }],
    };
    item(1, Evidence::Card, ask)
}

fn batch(time: u64, limits: Limits, items: Vec<Item>) -> Command {
    Command::Decide(Batch {
        time: UnixMillis(time),
        gateway: KeyHash::from_bytes([11; 32]),
        request: RequestId::from_bytes([12; 16]),
        limits,
        directory: None,
        items,
    })
}

fn rows(memory: &Memory) -> Vec<LogRow> {
    let rows = memory.0.iter().filter(|((table, _), _)| *table == Table::Openings);
    rows.map(|(_, row)| LogRow::decode(row).unwrap()).collect()
}

/// Items that the log accounts for: those with a row, those that a row counts, and those that wait to be counted by one.
fn accounted(memory: &Memory) -> u64 {
    let counters = memory.0.iter().filter(|((table, _), _)| *table == Table::Refusals);
    let waiting: u64 = counters.map(|(_, row)| decode::<refusals::Counter>(row).unwrap().unlogged).sum();
    rows(memory).iter().map(|row| 1 + row.unlogged).sum::<u64>() + waiting
}

#[test]
fn a_flood_of_refusals_is_a_few_rows_that_count_all_of_it_and_hides_nobody() {
    let mut memory = founded();
    let refused = |memory: &mut Memory, minute: u64, institution: u8, count: usize| {
        let mut item = open(1, institution, Some(1));
        item.evidence = Some(Evidence::MemberId);
        for items in vec![item; count].chunks(64) {
            run(memory, &batch(minute * 60_000, limits(9, 9), items.to_vec()));
        }
    };
    refused(&mut memory, 5, 1, 1_000);
    let flood = rows(&memory);
    // Sixteen, and the 32nd, 64th, 128th, 256th and 512th.
    assert_eq!(
        flood.iter().map(|row| row.unlogged).collect::<Vec<_>>(),
        [&[0; 16][..], &[15, 31, 63, 127, 255]].concat()
    );
    assert_eq!(accounted(&memory), 1_000);
    refused(&mut memory, 5, 2, 1);
    let other = rows(&memory).pop().unwrap();
    assert_eq!((other.institution, other.unlogged), (InstitutionId::from_bytes([2; 16]), 0));
    // What the flood left behind is counted by the next row of the same institution.
    refused(&mut memory, 6, 1, 1);
    assert_eq!(rows(&memory).pop().unwrap().unlogged, 1_000 - 512);
    assert_eq!(accounted(&memory), 1_002);
    // An opening that is allowed always has a row.
    run(&mut memory, &batch(360_000, limits(9, 9), vec![open(1, 1, Some(1))]));
    assert_eq!(rows(&memory).pop().unwrap().outcome, Outcome::Created);
}

#[test]
fn of_two_racing_creations_the_first_committed_wins() {
    let mut memory = founded();
    let first = run(&mut memory, &batch(0, limits(9, 9), vec![open(1, 1, Some(1))]));
    let second = run(&mut memory, &batch(0, limits(9, 9), vec![open(1, 1, Some(2))]));
    for verdicts in [first, second] {
        let Verdicts::Decided(verdicts) = verdicts else { panic!("{verdicts:?}") };
        assert!(matches!(verdicts[..], [Verdict::Allowed { pid: opened, .. }] if opened == pid(1)));
    }
    assert!(patient_row(&memory, &pid(2)).unwrap().is_none());
    assert_eq!(rows(&memory).iter().map(|row| row.outcome).collect::<Vec<_>>(), [Outcome::Created, Outcome::Allowed]);
}

#[test]
fn a_command_that_leaves_out_what_is_gone_changes_nothing() {
    let mut memory = founded();
    let before = memory.clone();
    let mixed = vec![open(1, 1, Some(1)), open(2, 1, None)];
    assert_eq!(run(&mut memory, &batch(0, limits(9, 9), mixed)), Verdicts::Again);
    assert_eq!(run(&mut memory, &batch(0, limits(9, 9), vec![put(1, None)])), Verdicts::Again);
    assert!(memory == before);
}

#[test]
fn a_new_patient_never_takes_the_place_of_another() {
    let mut memory = founded();
    run(&mut memory, &batch(0, limits(9, 9), vec![open(1, 1, Some(1))]));
    let before = patient_row(&memory, &pid(1)).unwrap();
    let verdicts = run(&mut memory, &batch(0, limits(9, 9), vec![open(2, 1, Some(1)), put(3, Some(1))]));
    let refused = Verdict::Refused { reason: Reason::NoPatient, retry_after_millis: 0 };
    assert_eq!(verdicts, Verdicts::Decided(vec![refused; 2]));
    assert_eq!(patient_row(&memory, &pid(1)).unwrap(), before);
}

#[test]
fn the_first_committed_class_key_stays() {
    let mut memory = founded();
    run(&mut memory, &batch(0, limits(9, 9), vec![open(1, 1, Some(1)), put(1, Some(1)), put(1, Some(2))]));
    let class = Class::every().next().unwrap();
    let wrapped = wrapped_class_key(&memory, &pid(1), class, 2025).unwrap().unwrap();
    let patient = Patient { cloud: CLOUD, pid: pid(1) };
    let slot = SlotKey::from_bytes([2; 32]);
    let key = PatientKey::from_bytes([6; 32]).open_class_key(&patient, &slot, (class, 2025), &wrapped).unwrap();
    assert!(key == ClassKey::from_bytes([1; 32]));
}

#[test]
fn group_time_only_grows_so_a_clock_set_back_refills_no_budget() {
    let mut memory = founded();
    let one = |memory: &mut Memory, time| {
        let verdicts = run(memory, &batch(time, limits(1, 9), vec![open(1, 1, Some(1))]));
        matches!(verdicts, Verdicts::Decided(verdicts) if matches!(verdicts[..], [Verdict::Allowed { .. }]))
    };
    assert!(one(&mut memory, 600_000));
    assert!(!one(&mut memory, 0));
    assert!(!one(&mut memory, 659_999));
    assert!(one(&mut memory, 660_000));
}

#[test]
fn a_second_founding_changes_nothing_and_bytes_that_do_not_read_neither() {
    let mut memory = Memory::default();
    assert_eq!(run(&mut memory, &batch(0, limits(9, 9), vec![open(1, 1, Some(1))])), Verdicts::NotFounded);
    assert!(memory == Memory::default());
    run(&mut memory, &founding());
    let before = memory.clone();
    assert_eq!(run(&mut memory, &founding()), Verdicts::Decided(Vec::new()));
    for bytes in [&b""[..], b"\x02", b"\x01\xff", b"\x01"] {
        let reply = apply(&mut memory, &Bytes::from_static(bytes)).unwrap();
        assert_eq!(Verdicts::decode(&reply), Ok(Verdicts::Malformed), "{bytes:?}");
    }
    assert!(memory == before);
}

/// What an institution has used in the current minute, and who is known: the rules said once more, plainly.
#[derive(Default)]
struct Model {
    used: BTreeMap<(u8, u64), u32>,
    known: BTreeMap<u8, u8>,
    taken: BTreeSet<u8>,
    now: u64,
    rows: usize,
}

impl Model {
    fn open(&mut self, (person, institution, candidate): (u8, u8, u8), member_id: bool, limit: u32) -> Option<Pid> {
        self.rows += 1;
        if member_id || (!self.known.contains_key(&person) && self.taken.contains(&candidate)) {
            return None;
        }
        let used = self.used.entry((institution, self.now / 60_000)).or_default();
        if *used >= limit {
            return None;
        }
        *used += 1;
        let number = *self.known.entry(person).or_insert(candidate);
        self.taken.insert(number);
        Some(pid(number))
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn openings_go_as_the_model_says(
        calls in prop::collection::vec(
            (0_u64..200_000, prop::collection::vec((0_u8..4, 1_u8..3, 0_u8..8, prop::bool::weighted(0.1)), 1..6)),
            1..20,
        ),
        limit in 1_u32..5,
    ) {
        let (mut memory, mut model) = (founded(), Model::default());
        for (time, items) in calls {
            model.now = model.now.max(time);
            let asked = items.iter().map(|&(person, institution, candidate, member_id)| {
                let mut item = open(person, institution, Some(candidate));
                item.evidence = Some(if member_id { Evidence::MemberId } else { Evidence::Card });
                item
            });
            let reply = run(&mut memory, &batch(time, limits(limit, 9), asked.collect()));
            let Verdicts::Decided(verdicts) = reply else { panic!("{reply:?}") };
            for ((person, institution, candidate, member_id), verdict) in items.into_iter().zip(verdicts) {
                let expected = model.open((person, institution, candidate), member_id, limit);
                let found = match verdict {
                    Verdict::Allowed { pid, .. } => Some(pid),
                    Verdict::Refused { .. } => None,
                };
                prop_assert_eq!(found, expected);
            }
        }
        prop_assert_eq!(accounted(&memory), model.rows as u64);
        prop_assert_eq!(head(&memory).unwrap().unwrap().leaves, rows(&memory).len() as u64);
    }

    #[test]
    fn any_bytes_are_applied_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let mut memory = founded();
        apply(&mut memory, &[&[1][..], &bytes].concat().into()).unwrap();
    }

    #[test]
    fn a_spoilt_command_is_applied_without_a_panic(at: prop::sample::Index, byte: u8) {
        let command = batch(1, limits(9, 9), vec![open(1, 1, Some(1)), put(1, Some(1))]).encode();
        let mut bytes = command.to_vec();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        apply(&mut founded(), &bytes.into()).unwrap();
    }
}

#[test]
fn a_refusals_row_and_its_counter_read_as_version_1_wrote_them() {
    let mut memory = founded();
    let mut refused = open(1, 1, Some(1));
    refused.evidence = Some(Evidence::MemberId);
    run(&mut memory, &batch(1_000, limits(9, 9), vec![refused; 34]));
    let last = memory.0.iter().rfind(|((table, _), _)| *table == Table::Openings).unwrap();
    let counter = memory.0.iter().find(|((table, _), _)| *table == Table::Refusals).unwrap();
    let hex = |(_, row): (_, &Bytes)| row.iter().map(|byte| format!("{byte:02x}")).collect::<String>() + "\n";
    let fixture = include_str!("../../tests/fixtures/refusals-v1.txt");
    assert!(hex(last) + &hex(counter) == fixture, "a stored format has changed:\n{}{}", hex(last), hex(counter));
}

#[test]
fn commands_and_rows_read_as_version_1_wrote_them() {
    let command = batch(1_000, limits(9, 9), vec![open(1, 1, Some(1)), put(1, Some(1))]);
    let mut memory = founded();
    run(&mut memory, &command);
    let mut stored: Vec<Bytes> = vec![command.encode()];
    stored.extend(memory.0.iter().filter(|((table, _), _)| *table != Table::Slots).map(|(_, row)| row.clone()));
    let hex: String =
        stored.iter().map(|bytes| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>() + "\n").collect();
    let fixture = include_str!("../../tests/fixtures/state-v1.txt");
    assert!(hex == fixture, "a stored format has changed:\n{hex}");
}
