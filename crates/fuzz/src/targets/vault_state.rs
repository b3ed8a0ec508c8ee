//! What a vault replicates: commands and rows read as they were written, and apply is total, the same on two replicas, and
//! opens nobody that it refused.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::OnceLock;

use bytes::Bytes;
use renkei_access::{Evidence, Limit, Period, Purpose, Scope};
use renkei_envelope::{
    Class, ClassKey, ClassSet, EpochKey, KeyEpoch, LogKey, Patient, PatientKey, PatientSeed, Pseudonym, Random, SlotKey,
};
use renkei_ids::{
    CapabilityId, CloudId, InstitutionId, KeyHash, LogId, Pid, RecordId, RecordVersion, RequestId, Slot, TicketId,
    UnixMillis,
};
use renkei_vault::state::{
    Ask, Batch, Command, Founding, Item, Limits, LogRow, NewClassKey, NewPatient, Reason, Store, Table, TicketUse,
    Verdict, Verdicts, View, Wanted, apply,
};

use crate::input::Input;

const CLOUD: CloudId = CloudId::from_bytes([0xC1; 16]);
const BATCHES_MAX: usize = 32;
const ITEMS_MAX: usize = 4;
const NOW: u64 = 1_795_132_800_000;

struct Fixed(u8);

impl Random for Fixed {
    fn fill(&self, into: &mut [u8]) {
        into.fill(self.0);
    }
}

#[derive(Clone, Default, PartialEq)]
struct Memory(BTreeMap<(Table, Vec<u8>), Bytes>);

impl Memory {
    fn table(&self, table: Table) -> impl Iterator<Item = (&(Table, Vec<u8>), &Bytes)> {
        self.0.iter().filter(move |((of, _), _)| *of == table)
    }
}

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

pub(super) fn run(bytes: &[u8]) {
    let mut input = Input::new(bytes);
    if input.one_in(4) { forms(input.rest()) } else { batches(&mut input) }
}

fn forms(bytes: &[u8]) {
    let bytes = Bytes::copy_from_slice(bytes);
    if let Ok(command) = Command::decode(&bytes) {
        assert!(Command::decode(&command.encode()).is_ok_and(|again| again == command));
    }
    if let Ok(verdicts) = Verdicts::decode(&bytes) {
        assert!(Verdicts::decode(&verdicts.encode()).is_ok_and(|again| again == verdicts));
    }
    drop(LogRow::decode(&bytes));
    let mut memory = founded();
    let reply = apply(&mut memory, &bytes).expect("memory does not fail");
    Verdicts::decode(&reply).expect("apply writes what decode reads");
}

fn founding() -> &'static Command {
    static FOUNDING: OnceLock<Command> = OnceLock::new();
    FOUNDING.get_or_init(|| {
        let key = EpochKey::from_bytes([1; 32]);
        let sealed = key.seal_slot_key((CLOUD, slot(0), KeyEpoch(1)), &SlotKey::from_bytes([2; 32]), &Fixed(3));
        // One form for every slot: nothing here opens one.
        let slots = Slot::all().map(|_| sealed.clone()).collect();
        Command::Found(Founding { log: LogId::from_bytes([4; 16]), epoch: KeyEpoch(1), slots })
    })
}

fn slot(raw: u32) -> Slot {
    Slot::try_from(raw).expect("a slot of the 4,096")
}

/// A founded vault with the keys of the slots that a few patients lie in; the others would only cost time.
fn founded() -> Memory {
    static FOUNDED: OnceLock<Memory> = OnceLock::new();
    let whole = FOUNDED.get_or_init(|| {
        let mut memory = Memory::default();
        apply(&mut memory, &founding().encode()).expect("memory does not fail");
        memory.0.retain(|(table, _), _| *table != Table::Slots);
        memory
    });
    whole.clone()
}

fn batches(input: &mut Input<'_>) {
    let mut replicas = if input.one_in(8) { [Memory::default(), Memory::default()] } else { [founded(), founded()] };
    let mut time = NOW;
    for _ in 0..BATCHES_MAX {
        if input.is_empty() {
            break;
        }
        let command = batch(input, &mut time).encode();
        let before = replicas[0].clone();
        let replies = replicas.each_mut().map(|replica| apply(replica, &command).expect("memory does not fail"));
        assert_eq!(replies[0], replies[1], "two replicas answer differently");
        let verdicts = Verdicts::decode(&replies[0]).expect("apply writes what decode reads");
        judge(&before, &replicas[0], &verdicts);
    }
    assert!(replicas[0] == replicas[1], "two replicas differ");
}

fn judge(before: &Memory, after: &Memory, verdicts: &Verdicts) {
    let Verdicts::Decided(verdicts) = verdicts else {
        return assert!(before == after, "a command that is not decided leaves a trace");
    };
    let allowed = verdicts.iter().filter(|verdict| matches!(verdict, Verdict::Allowed { .. })).count();
    let grown = |table: Table| after.table(table).count() - before.table(table).count();
    assert!(
        grown(Table::Patients) <= allowed && grown(Table::Index) == grown(Table::Patients),
        "a patient was refused and made"
    );
    assert!(grown(Table::ClassKeys) <= allowed * 2, "a class key was refused and kept");
    assert!(grown(Table::Openings) >= allowed, "something was given without a row");
    for (_, row) in after.table(Table::Openings) {
        LogRow::decode(row).expect("a row of the log reads, and its hash holds");
    }
}

fn batch(input: &mut Input<'_>, time: &mut u64) -> Command {
    *time = match input.byte() % 8 {
        0 => input.u64(),
        1 => time.saturating_add(60_000),
        2 => time.saturating_sub(1_000),
        _ => time.saturating_add(100),
    };
    let few = Limit { minute: u32::from(input.byte() % 8), day: u32::from(input.byte()) };
    let wide = Limit { minute: u32::MAX, day: u32::MAX };
    let limits = Limits {
        open_asker: few,
        open_emergency: few,
        open_cell: wide,
        open_slot: wide,
        write_asker: few,
        write_cell: wide,
        write_slot: wide,
    };
    Command::Decide(Batch {
        time: UnixMillis(*time),
        gateway: KeyHash::from_bytes([input.byte() % 2; 32]),
        request: RequestId::from_bytes(input.few()),
        limits,
        directory: None,
        items: (0..1 + input.below(ITEMS_MAX)).map(|_| item(input, *time)).collect(),
    })
}

fn item(input: &mut Input<'_>, time: u64) -> Item {
    let person = input.byte() % 4;
    let record = RecordId::from_bytes(input.few());
    let version = RecordVersion::new(1 + u32::from(input.byte() % 3)).expect("it is not 0");
    let ask = match input.byte() % 7 {
        0..3 => Ask::Open {
            hash: Pseudonym::from_bytes([person; 32]).hash(CLOUD),
            unknown: (!input.one_in(4)).then(|| patient(person, input.byte() % 4).clone()),
            wanted: wanted(input),
            ticket: (!input.one_in(3)).then(|| ticket(input, time)),
            escrow: input.one_in(2).then(|| Bytes::from(vec![input.byte(); 4])),
        },
        6 => {
            let number = usize::from(input.byte()) % Reason::EVERY.len();
            let ticket = input.one_in(2).then(|| TicketId::from_bytes(input.few()));
            Ask::Refuse { reason: Reason::EVERY[number], wanted: wanted(input), ticket }
        }
        3 => Ask::Put { pid: pid(input.byte() % 4), record, version, class_keys: class_keys(input) },
        4 => Ask::Delete { pid: pid(input.byte() % 4), record, version },
        _ => Ask::Stubs { pid: pid(input.byte() % 4), count: u32::from(input.u16()) },
    };
    Item {
        capability: CapabilityId::from_bytes(input.few()),
        salt: input.few(),
        institution: InstitutionId::from_bytes([input.byte() % 2; 16]),
        // None where a ticket was refused before it was read.
        purpose: Purpose::from_raw(u32::from(input.byte() % 6)),
        evidence: Evidence::from_raw(u32::from(input.byte() % 7)),
        ask,
    }
}

fn wanted(input: &mut Input<'_>) -> Wanted {
    Wanted {
        classes: ClassSet::from_bits(input.byte() % 64).expect("six bits are known"),
        period: Period::ALL,
        scope: Scope::from_bits(u32::from(input.byte() % 32)).expect("five bits are known"),
    }
}

fn ticket(input: &mut Input<'_>, time: u64) -> TicketUse {
    let few = Limit { minute: u32::from(input.byte() % 4), day: u32::from(input.byte()) };
    TicketUse {
        id: TicketId::from_bytes([input.byte() % 8; 16]),
        expires: UnixMillis(time.saturating_add(u64::from(input.byte()) * 1_000)),
        breadth: (!input.one_in(4)).then_some(few),
    }
}

fn pid(number: u8) -> Pid {
    Pid::from_bytes([number; 16])
}

/// A patient to be made for a person; sealing is what would cost time here, so each is made once.
fn patient(person: u8, number: u8) -> &'static NewPatient {
    static PATIENTS: OnceLock<Vec<NewPatient>> = OnceLock::new();
    let made = PATIENTS.get_or_init(|| {
        let pairs = (0..4).flat_map(|person| (0..4).map(move |number| (person, number)));
        pairs
            .map(|(person, number)| {
                let patient = Patient { cloud: CLOUD, pid: pid(number) };
                let (seed, slot, random) =
                    (PatientSeed::from_bytes([number; 32]), SlotKey::from_bytes([2; 32]), Fixed(number));
                NewPatient {
                    pid: patient.pid,
                    seed: Pseudonym::from_bytes([person; 32]).seal_seed(&patient, &seed, &random),
                    patient_key: seed.wrap_patient_key(&patient, &slot, &PatientKey::from_bytes([6; 32]), &random),
                    log_key: seed.wrap_log_key(&patient, &slot, &LogKey::from_bytes([7; 32]), &random),
                }
            })
            .collect()
    });
    &made[usize::from(person) * 4 + usize::from(number)]
}

fn class_keys(input: &mut Input<'_>) -> Vec<NewClassKey> {
    let class = Class::every().next().expect("there are six");
    let patient = Patient { cloud: CLOUD, pid: pid(0) };
    let wrap = || {
        let (slot, key) = (SlotKey::from_bytes([2; 32]), ClassKey::from_bytes([5; 32]));
        PatientKey::from_bytes([6; 32]).wrap_class_key(&patient, &slot, (class, 2026), &key, &Fixed(1))
    };
    let one = |year| NewClassKey { class, year, key: input.flag().then(wrap) };
    [2026, 2027].map(one).into()
}

pub(super) fn seeds() -> Vec<Vec<u8>> {
    let pattern =
        |seed: u8, len: u8| -> Vec<u8> { (0..len).map(|place| place.wrapping_mul(17).wrapping_add(seed)).collect() };
    let mut seeds: Vec<Vec<u8>> = (0..14).map(|seed| [vec![1, 1], pattern(seed, 30 + 14 * seed)].concat()).collect();
    let drawn = pattern(3, 90);
    let command = batch(&mut Input::new(&drawn), &mut NOW.clone()).encode();
    let mut memory = founded();
    let verdicts = apply(&mut memory, &command).expect("memory does not fail");
    let row = memory.table(Table::Openings).map(|(_, row)| row.clone()).next().unwrap_or_default();
    seeds.extend([command, verdicts, row].map(|bytes| [&[0][..], &bytes[..]].concat()));
    seeds
}
