//! A registrar without a process: its state in memory, and a register of residents made of the population.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use futures::FutureExt as _;
use renkei_access::{
    CollectionBasis, ConsentCategory, ConsentSet, ConsentText, Limit, Purpose, ResidentCode, StatementKey,
};
use renkei_envelope::{DayKey, MarkKey, Random, RegistrarKey, SeedKey};
use renkei_ids::{ActorTag, CloudId, GrantId, InstitutionId, LogId, PersonId, PresenceTag, RequestId, UnixMillis};
use renkei_population::{FiveItems as Spelling, PersonIndex, Population, Sex as Drawn};
use renkei_records::{BirthDate, FiveItems, MemberId, Sex};
use renkei_registrar::entry::{Entry, Registration};
use renkei_registrar::keys::Keys;
use renkei_registrar::register::{FileRegister, Resident};
use renkei_registrar::state::{
    Answer, Ask, Attend, CheckIn, Command, Day, Eligibility, Enrol, Founding, InstitutionItem, Insure, Limits, Outcome,
    Reason, SALT_BYTES, Shown, ShownCard, ShownMember, Standing, Store, Table, Verdict, Verdicts, View, apply,
    resident_row,
};

/// The seed of every test here; a failure names the person beside it.
pub(crate) const SEED: u64 = 20_261_129;
/// 2026-01-01 03:00 UTC.
const NOON: u64 = 1_767_236_400_000;
const MINUTE: u64 = 60_000;
const HOSPITAL: InstitutionId = InstitutionId::from_bytes([1; 16]);

#[derive(Default)]
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

/// Bytes that no two calls share, the same in every run.
struct Counting(AtomicU64);

impl Random for Counting {
    fn fill(&self, into: &mut [u8]) {
        let drawn = self.0.fetch_add(1, Ordering::Relaxed).to_le_bytes();
        for (at, byte) in into.iter_mut().enumerate() {
            *byte = drawn[at % 8] ^ u8::try_from(at / 8).unwrap();
        }
    }
}

/// A registrar, and a register of residents.
pub(crate) struct World {
    memory: Memory,
    keys: Keys,
    register: FileRegister,
    random: Counting,
    time: Cell<u64>,
}

/// What a registration came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Came {
    Registered(Standing),
    Refused(Reason),
    /// Refused before anything was proposed.
    EntriesDiffer,
}

impl World {
    /// With these persons in the register.
    pub(crate) fn of(population: &Population, persons: impl Iterator<Item = PersonIndex>) -> Self {
        let residents = persons.map(|index| {
            let person = population.person(index);
            Resident { code: code(index), items: items(&Spelling::registered(&person)), protected: false }
        });
        let mut world = Self {
            memory: Memory::default(),
            keys: Keys {
                registrar: RegistrarKey::from_bytes([1; 32]),
                seeds: SeedKey::from_bytes([2; 32]),
                marks: MarkKey::from_bytes([3; 32]),
                days: DayKey::from_bytes([4; 32]),
                signing: StatementKey::from_seed(&[5; 32]),
            },
            register: FileRegister::new(residents.collect()),
            random: Counting(1.into()),
            time: Cell::new(NOON),
        };
        let founding = Founding { log: LogId::from_bytes([3; 16]), key_check: [4; 16], seed_check: [5; 16] };
        world.run(&Command::Found(founding));
        world.run(&Command::Enrol(Enrol {
            time: UnixMillis(NOON),
            request: RequestId::from_bytes([6; 16]),
            salt: [7; SALT_BYTES],
            institution: HOSPITAL,
            visits_per_day: 1_000_000,
            home: CloudId::from_bytes([8; 16]),
            locked: Some(false),
        }));
        world
    }

    fn run(&mut self, command: &Command) -> Vec<Verdict> {
        let verdicts = Verdicts::decode(&apply(&mut self.memory, &command.encode()).unwrap()).unwrap();
        assert_eq!(verdicts.outcome, Outcome::Decided);
        verdicts.verdicts
    }

    fn draw<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.random.fill(&mut bytes);
        bytes
    }

    /// A registration by the member id's own insurer, as the service has it carried out.
    pub(crate) fn register(&mut self, entry: Entry, again: Option<Entry>) -> Came {
        let insurer: u32 = entry.member.insurer().to_string().parse().unwrap();
        let registration = Registration { entry, again, from: Day(0), until: None };
        let answer = registration.ask(&self.register).now_or_never().expect("a file answers at once");
        let answer = answer.map(|found| {
            found.map(|resident| {
                let index = self.keys.registrar.resident(resident.code.as_bytes());
                let known: Option<PersonId> = resident_row(&self.memory, &index).unwrap().map(|row| row.person);
                (resident, known)
            })
        });
        let Ok(item) = registration.prepare(&self.keys, answer, &self.random) else { return Came::EntriesDiffer };
        let command = Insure {
            time: UnixMillis(self.time.get()),
            request: RequestId::from_bytes(self.draw()),
            insurer,
            items: vec![item],
        };
        match self.run(&Command::Insure(command)).remove(0) {
            Verdict::Registered(registered) => Came::Registered(registered.standing),
            Verdict::Refused(refused) => Came::Refused(refused.reason),
            other => panic!("{other:?}"),
        }
    }

    fn ask(&mut self, ask: Ask) -> Verdict {
        // A minute for each, so that no budget has a part in it.
        self.time.set(self.time.get() + MINUTE);
        let wide = Limit { minute: u32::MAX, day: u32::MAX };
        let limits = Limits {
            check_ins: wide,
            eligibility: wide,
            bulk: wide,
            failures: wide,
            renewals: wide,
            actor: wide,
            breadth: u32::MAX,
        };
        self.run(&Command::Attend(Attend {
            time: UnixMillis(self.time.get()),
            request: RequestId::from_bytes(self.draw()),
            institution: HOSPITAL,
            actor: ActorTag::from_bytes([9; 16]),
            sealed_actor: Bytes::from_static(b"sealed actor"),
            limits,
            old_member_days: 100,
            clouds: vec![CloudId::from_bytes([8; 16])],
            items: vec![InstitutionItem { salt: [10; SALT_BYTES], ask }],
        }))
        .remove(0)
    }

    /// What an institution is told of a member id and birth date.
    pub(crate) fn look(&mut self, member: &MemberId, birth_date: BirthDate) -> Answer {
        let index = self.keys.registrar.member(member.comparison_form());
        let birth = self.keys.registrar.birth(index, &birth_date.to_string());
        match self.ask(Ask::Eligibility(Eligibility { member: index, birth, bulk: false, five_items_of: None })) {
            Verdict::Eligible(eligible) => eligible.answer,
            other => panic!("{other:?}"),
        }
    }

    /// Checks in on a card; who is read then.
    pub(crate) fn by_card(&mut self, index: PersonIndex) -> Result<PersonId, Reason> {
        let shown = Shown::Card(ShownCard {
            resident: self.keys.registrar.resident(code(index).as_bytes()),
            presence: PresenceTag::from_bytes(self.draw()),
            forget: UnixMillis(0),
        });
        self.check_in(shown, ConsentSet::NONE.with(ConsentCategory::CareAndDrugs).unwrap())
    }

    /// Checks in on member id and birth date, to write.
    pub(crate) fn by_member(&mut self, member: &MemberId, birth_date: BirthDate) -> Result<PersonId, Reason> {
        let index = self.keys.registrar.member(member.comparison_form());
        let birth = self.keys.registrar.birth(index, &birth_date.to_string());
        self.check_in(Shown::Member(ShownMember { member: index, birth }), ConsentSet::NONE)
    }

    fn check_in(&mut self, shown: Shown, categories: ConsentSet) -> Result<PersonId, Reason> {
        let asked = CheckIn {
            shown,
            purpose: Purpose::Care,
            categories,
            text: ConsentText(1),
            basis: Some(CollectionBasis::Consent),
            minutes: 60,
            admission: false,
            grant: GrantId::from_bytes(self.draw()),
        };
        match self.ask(Ask::CheckIn(asked)) {
            Verdict::Admitted(admitted) => Ok(admitted.person),
            Verdict::Refused(refused) => Err(refused.reason),
            other => panic!("{other:?}"),
        }
    }

    /// Who a resident is.
    pub(crate) fn person(&self, index: PersonIndex) -> Option<PersonId> {
        let resident = self.keys.registrar.resident(code(index).as_bytes());
        resident_row(&self.memory, &resident).unwrap().map(|row| row.person)
    }

    /// Every byte that is stored.
    pub(crate) fn stored(&self) -> Vec<u8> {
        self.memory.0.iter().flat_map(|((_, key), row)| [&key[..], row].concat()).collect()
    }
}

pub(crate) fn index(value: u32) -> PersonIndex {
    PersonIndex::try_from(value).expect("tests ask for persons of the population")
}

/// Persons spread over the whole range.
pub(crate) fn spread(count: u32) -> impl Iterator<Item = PersonIndex> {
    (0..count).map(move |n| index(n * (125_000_000 / count)))
}

fn code(index: PersonIndex) -> ResidentCode {
    let mut bytes = [0; 32];
    bytes[..4].copy_from_slice(&index.get().to_be_bytes());
    ResidentCode::from_bytes(bytes)
}

pub(crate) fn items(spelling: &Spelling) -> FiveItems {
    let Spelling { name, kana, birth_date, sex, address } = spelling;
    let sex = match sex {
        Drawn::Male => Sex::Male,
        Drawn::Female => Sex::Female,
    };
    let birth_date = BirthDate::parse(&birth_date.to_string()).unwrap().unwrap();
    FiveItems::new(name.clone(), kana.clone(), birth_date, sex, address.clone()).unwrap()
}

/// The entry of these items under this member id.
pub(crate) fn entry(member: &str, spelling: &Spelling) -> Entry {
    Entry { member: MemberId::parse(member).unwrap(), items: items(spelling) }
}
