//! The state machine: what it decides, what it keeps and for how long, and its stored forms.

mod attending;
mod formats;
mod keeping;
mod model;
mod registering;

use std::collections::BTreeMap;
use std::convert::Infallible;

use bytes::Bytes;
use renkei_access::{
    CollectionBasis, ConsentCategory, ConsentSet, ConsentText, DailyVisits, Directory, Entries, Limit, Purpose,
    SignedDirectory,
};
use renkei_envelope::{DayKey, DaySecret, DayUse, PersonSeed, Random, SeedKey};
use renkei_ids::{
    ActorTag, AttributeTag, BindingId, CloudId, DenyEpoch, DirectoryVersion, GrantId, InstitutionId, LogId,
    MemberIndex, PersonId, PresenceTag, RequestId, ResidentIndex, TokenHash, UnixDay, UnixMillis,
};

use super::*;

const MINUTE: u64 = 60_000;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;
/// 2026-01-01 03:00 UTC, noon in Japan.
const NOON: u64 = 1_767_236_400_000;
const OLD_MEMBER_DAYS: u32 = 100;
const ONLY: Nothing = Nothing {};

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

impl Memory {
    fn rows(&self, table: Table) -> Vec<(&[u8], &Bytes)> {
        self.0.iter().filter(|((of, _), _)| *of == table).map(|((_, key), row)| (&key[..], row)).collect()
    }

    fn log(&self) -> Vec<LogRow> {
        self.rows(Table::Log).into_iter().map(|(_, row)| LogRow::read(row).unwrap()).collect()
    }
}

fn run(memory: &mut Memory, command: &Command) -> Verdicts {
    Verdicts::decode(&apply(memory, &command.encode()).unwrap()).unwrap()
}

fn founding() -> Command {
    Command::Found(Founding { log: LogId::from_bytes([1; 16]), key_check: [2; 16], seed_check: [3; 16] })
}

/// A registrar that has begun, with institutions 1 and 2 enrolled.
fn founded() -> Memory {
    let mut memory = Memory::default();
    assert_eq!(run(&mut memory, &founding()).outcome, Outcome::Decided);
    for institution in [1, 2] {
        enrol(&mut memory, NOON - DAY, institution, false);
    }
    memory
}

fn enrol(memory: &mut Memory, time: u64, number: u8, locked: bool) {
    let command = Command::Enrol(Enrol {
        time: UnixMillis(time),
        request: RequestId::from_bytes([4; 16]),
        salt: [5; SALT_BYTES],
        institution: institution(number),
        visits_per_day: 100,
        home: cloud(number),
        locked: Some(locked),
    });
    let verdicts = run(memory, &command);
    assert!(matches!(verdicts.verdicts[..], [Verdict::Done(_)]), "{verdicts:?}");
}

/// A directory of this version and nothing else, as nobody has signed it.
fn direct(version: u64) -> Command {
    let entries = Entries {
        version: DirectoryVersion(version),
        valid_from: UnixMillis(NOON),
        deny_epoch: DenyEpoch(0),
        registrars: Vec::new(),
        clouds: Vec::new(),
        cells: Vec::new(),
        routes: Vec::new(),
        institutions: Vec::new(),
        denied: Vec::new(),
        surges: Vec::new(),
    };
    let directory = Directory::try_from(entries).unwrap();
    let signed = SignedDirectory::unsigned(&directory).unwrap().as_bytes().clone();
    Command::Direct(Direct { time: UnixMillis(NOON), signed })
}

fn institution(number: u8) -> InstitutionId {
    InstitutionId::from_bytes([number; 16])
}

fn cloud(number: u8) -> CloudId {
    CloudId::from_bytes([number; 16])
}

fn member(number: u8) -> MemberIndex {
    MemberIndex::from_bytes([number; 16])
}

fn binding(number: u8) -> BindingId {
    BindingId::from_bytes([number; 16])
}

fn resident(number: u8) -> ResidentIndex {
    ResidentIndex::from_bytes([number; 16])
}

fn tag(number: u8) -> AttributeTag {
    AttributeTag::from_bytes([number; 16])
}

fn token(number: u8) -> TokenHash {
    TokenHash::from_bytes([number; 16])
}

fn grant(number: u8) -> GrantId {
    GrantId::from_bytes([number; 16])
}

/// The register's answer that it knows this resident; `new` is who she becomes if she is nobody yet.
fn matches(number: u8, new: u8) -> RegisterAnswer {
    let person = PersonId::from_bytes([new; 16]);
    RegisterAnswer::Match(Match {
        resident: resident(number),
        protected: false,
        person,
        seed: SeedKey::from_bytes([6; 32]).seal((person, 1), &PersonSeed::from_bytes([new; 32]), &Fixed(7)),
        values: Bytes::from_static(b"sealed register entry"),
        decoys: [new; 16],
    })
}

/// A registration under member id `number` of somebody born on `birth`, with the new binding `new`; entered twice, in
/// force since ten days.
fn registration(number: u8, birth: u8, new: u8, register: RegisterAnswer) -> InsurerItem {
    let today = super::Day::of(UnixMillis(NOON)).0;
    InsurerItem {
        salt: [8; SALT_BYTES],
        member: member(number),
        birth: tag(birth),
        say: Say::Register(Register {
            sex: tag(100),
            entered_twice: true,
            from: super::Day(today - 10),
            until: None,
            binding: binding(new),
            registration: Bytes::from_static(b"sealed registration"),
            register,
        }),
    }
}

fn said(number: u8, birth: u8, say: Say) -> InsurerItem {
    InsurerItem { salt: [8; SALT_BYTES], member: member(number), birth: tag(birth), say }
}

fn insure(memory: &mut Memory, time: u64, item: InsurerItem) -> Verdict {
    let command = Command::Insure(Insure {
        time: UnixMillis(time),
        request: RequestId::from_bytes([9; 16]),
        insurer: 6_139_877,
        items: vec![item],
    });
    let mut verdicts = run(memory, &command);
    assert_eq!((verdicts.outcome, verdicts.verdicts.len()), (Outcome::Decided, 1));
    verdicts.verdicts.remove(0)
}

/// Registers, and tells how far it is settled.
fn register(memory: &mut Memory, item: InsurerItem) -> Result<Standing, Reason> {
    match insure(memory, NOON, item) {
        Verdict::Registered(registered) => Ok(registered.standing),
        Verdict::Refused(refused) => Err(refused.reason),
        other => panic!("{other:?}"),
    }
}

/// Resident 1, born on day 1, settled under member id 1 with binding 1, and the same with 2.
fn with_two() -> Memory {
    let mut memory = founded();
    for number in [1, 2] {
        let item = registration(number, number, number, matches(number, number));
        assert_eq!(register(&mut memory, item), Ok(Standing::Settled));
    }
    memory
}

fn limits() -> Limits {
    Limits::of(DailyVisits::new(100).expect("a size"))
}

fn attending(time: u64, number: u8, asks: Vec<Ask>) -> Attend {
    Attend {
        time: UnixMillis(time),
        request: RequestId::from_bytes([10; 16]),
        institution: institution(number),
        actor: ActorTag::from_bytes([11; 16]),
        sealed_actor: Bytes::from_static(b"sealed actor"),
        limits: limits(),
        old_member_days: OLD_MEMBER_DAYS,
        clouds: (1..=6).map(cloud).collect(),
        items: asks.into_iter().map(|ask| InstitutionItem { salt: [12; SALT_BYTES], ask }).collect(),
    }
}

fn attend(memory: &mut Memory, command: Attend) -> Vec<Verdict> {
    let verdicts = run(memory, &Command::Attend(command));
    assert_eq!(verdicts.outcome, Outcome::Decided);
    verdicts.verdicts
}

/// Asks one thing of institution `number`.
fn ask(memory: &mut Memory, time: u64, number: u8, ask: Ask) -> Verdict {
    attend(memory, attending(time, number, vec![ask])).remove(0)
}

fn eligibility(number: u8, birth: u8) -> Ask {
    Ask::Eligibility(Eligibility { member: member(number), birth: tag(birth), bulk: false, five_items_of: None })
}

fn by_member(number: u8, birth: u8) -> Shown {
    Shown::Member(ShownMember { member: member(number), birth: tag(birth) })
}

fn by_token(number: u8) -> Shown {
    Shown::Token(ShownToken { token: token(number) })
}

/// A card of a resident, its proof used at `time` and told from others by `nonce`.
fn by_card(number: u8, time: u64, nonce: u8) -> Shown {
    Shown::Card(ShownCard {
        resident: resident(number),
        presence: PresenceTag::from_bytes([nonce; 16]),
        forget: UnixMillis(time + 2 * MINUTE),
    })
}

fn drugs() -> ConsentSet {
    ConsentSet::NONE.with(ConsentCategory::CareAndDrugs).unwrap()
}

/// A check-in for an hour, with consent to drugs where the evidence reads, and to writing.
fn check_in(shown: Shown, new: u8) -> CheckIn {
    let reads = !matches!(shown, Shown::Member(_));
    CheckIn {
        shown,
        purpose: Purpose::Care,
        categories: if reads { drugs() } else { ConsentSet::NONE },
        text: ConsentText(1),
        basis: Some(CollectionBasis::Consent),
        minutes: 60,
        admission: false,
        grant: grant(new),
    }
}

fn admitted(verdict: &Verdict) -> &Admitted {
    match verdict {
        Verdict::Admitted(admitted) => admitted,
        other => panic!("{other:?}"),
    }
}

fn reason(verdict: &Verdict) -> Reason {
    match verdict {
        Verdict::Refused(refused) => refused.reason,
        other => panic!("{other:?}"),
    }
}

fn answer(verdict: &Verdict) -> Answer {
    match verdict {
        Verdict::Eligible(eligible) => eligible.answer,
        other => panic!("{other:?}"),
    }
}
