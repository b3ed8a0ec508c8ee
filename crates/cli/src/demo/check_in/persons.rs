//! Who the documents are about: synthetic persons, with whatever birth date, sex and member id a document carries.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt::Write as _;

use renkei_access::ResidentCode;
use renkei_population::{FiveItems as Spelling, PersonIndex, Population, Sex as Drawn};
use renkei_records::{BirthDate, FiveItems, MemberId, Sex, Subject, intake};

/// Who insures those of whom a document names no insurer; its check digit holds.
const INSURER: &str = "06139877";
/// The symbol of their member ids.
const SYMBOL: &str = "模擬";
/// The population's person whose name and address the first person of the folder has.
const FIRST_NAME: u32 = 1_000_000;
/// Neighbours of the population share a family name and an address.
const APART: u32 = 3;

/// One of the demo's persons.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(in crate::demo) struct Who(usize);

/// A person before every gap is filled: what documents say, and whose name and address she has.
struct Draft {
    named: PersonIndex,
    birth_date: Option<BirthDate>,
    sex: Option<Sex>,
    member: Option<MemberId>,
}

/// Collects persons from documents.
pub(in crate::demo) struct Persons {
    population: Population,
    drafts: Vec<Draft>,
    residents: HashMap<PersonIndex, Who>,
    by_member: HashMap<String, Who>,
    /// Under whom a document goes that passes no intake.
    nobody: Who,
}

/// A person as insurer and register of residents know her.
pub(super) struct Person {
    pub(super) code: ResidentCode,
    pub(super) items: FiveItems,
    pub(super) member: MemberId,
}

/// Everybody.
pub(in crate::demo) struct Cast {
    pub(super) persons: Vec<Person>,
    residents: HashMap<PersonIndex, Who>,
}

impl Persons {
    /// Nobody yet, but one under whom a document goes that passes no intake.
    pub(in crate::demo) fn of(population: Population) -> Self {
        let mut persons = Self {
            population,
            drafts: Vec::new(),
            residents: HashMap::new(),
            by_member: HashMap::new(),
            nobody: Who(0),
        };
        persons.nobody = persons.enter(Subject::default());
        persons
    }

    /// A person of the population, as all documents of the population say.
    pub(in crate::demo) fn resident(&mut self, index: PersonIndex) -> Who {
        if let Some(known) = self.residents.get(&index) {
            return *known;
        }
        let person = self.population.person(index);
        let member = MemberId::parse(&person.member.to_string()).expect("the population's member ids are valid");
        let (birth_date, sex) = drawn(&Spelling::registered(&person));
        let draft = Draft { named: index, birth_date: Some(birth_date), sex: Some(sex), member: Some(member.clone()) };
        let who = self.add(draft);
        self.by_member.insert(member.comparison_form().to_owned(), who);
        self.residents.insert(index, who);
        who
    }

    /// The person whom a document of a folder is about. One that passes no intake is nobody's, and goes under a person of
    /// whom nothing is known.
    pub(in crate::demo) fn subject_of(&mut self, document: &[u8]) -> Who {
        intake(document).map_or(self.nobody, |accepted| self.enter(accepted.subject))
    }

    /// The one of this member id, unless a document says otherwise of her than this one; then somebody new, without that
    /// member id, for it is one person's only.
    fn enter(&mut self, subject: Subject) -> Who {
        let Subject { birth_date, sex, member_ids } = subject;
        let named = FIRST_NAME + APART * u32::try_from(self.drafts.len()).unwrap_or(0);
        let named = PersonIndex::try_from(named).expect("a folder holds fewer documents than the population persons");
        let Some(member) = member_ids.into_iter().next() else {
            return self.add(Draft { named, birth_date, sex, member: None });
        };
        let next = Who(self.drafts.len());
        let member = match self.by_member.entry(member.comparison_form().to_owned()) {
            Entry::Vacant(free) => {
                free.insert(next);
                Some(member)
            }
            Entry::Occupied(known) => {
                let draft = &mut self.drafts[known.get().0];
                if agree(draft.birth_date, birth_date) && agree(draft.sex, sex) {
                    draft.birth_date = draft.birth_date.or(birth_date);
                    draft.sex = draft.sex.or(sex);
                    return *known.get();
                }
                None
            }
        };
        self.add(Draft { named, birth_date, sex, member })
    }

    fn add(&mut self, draft: Draft) -> Who {
        self.drafts.push(draft);
        Who(self.drafts.len() - 1)
    }

    /// Fills every gap.
    pub(in crate::demo) fn cast(self) -> Cast {
        let Self { population, drafts, residents, by_member: _, nobody: _ } = self;
        let person = |(number, draft)| complete(&population, number, draft);
        Cast { persons: (0..).zip(drafts).map(person).collect(), residents }
    }
}

fn agree<T: PartialEq>(one: Option<T>, other: Option<T>) -> bool {
    one.is_none() || other.is_none() || one == other
}

fn drawn(spelling: &Spelling) -> (BirthDate, Sex) {
    let birth_date = BirthDate::parse(&spelling.birth_date.to_string()).ok().flatten();
    let sex = match spelling.sex {
        Drawn::Male => Sex::Male,
        Drawn::Female => Sex::Female,
    };
    (birth_date.expect("a date of the calendar prints as one"), sex)
}

fn complete(population: &Population, number: u32, draft: Draft) -> Person {
    let Draft { named, birth_date, sex, member } = draft;
    let spelling = Spelling::registered(&population.person(named));
    let (own_birth_date, own_sex) = drawn(&spelling);
    let Spelling { name, kana, address, .. } = spelling;
    let items = FiveItems::new(name, kana, birth_date.unwrap_or(own_birth_date), sex.unwrap_or(own_sex), address);
    let invented =
        || MemberId::from_parts(INSURER, SYMBOL, &number.to_string(), "").expect("four parts are a member id");
    let mut code = rand::random::<[u8; 32]>();
    code[..4].copy_from_slice(&number.to_be_bytes());
    Person {
        code: ResidentCode::from_bytes(code),
        items: items.expect("everybody of the population has a name and an address"),
        member: member.unwrap_or_else(invented),
    }
}

impl Cast {
    /// A person of the population who was collected.
    pub(in crate::demo) fn resident(&self, index: PersonIndex) -> Who {
        self.residents[&index]
    }

    /// How many there are.
    pub(in crate::demo) fn len(&self) -> usize {
        self.persons.len()
    }

    pub(super) fn person(&self, Who(number): Who) -> &Person {
        &self.persons[number]
    }

    pub(super) fn everybody(&self) -> impl Iterator<Item = Who> + use<> {
        (0..self.persons.len()).map(Who)
    }

    /// By which a person would be recognised: name, kana, address, and her member id in both forms.
    pub(in crate::demo) fn texts(&self) -> impl Iterator<Item = &str> {
        self.persons.iter().flat_map(|Person { code: _, items, member }| {
            [items.name(), items.kana(), items.address(), member.original(), member.comparison_form()]
        })
    }

    /// The development register of residents: one a line.
    pub(super) fn register(&self) -> String {
        let mut lines = String::new();
        for Person { code, items, member: _ } in &self.persons {
            let code = crate::hex::hex(code.as_bytes());
            let line = serde_json::json!({
                "resident": code, "name": items.name(), "kana": items.kana(), "birthDate": items.birth_date().to_string(),
                "sex": items.sex().code(), "address": items.address(),
            });
            let _infallible = writeln!(lines, "{line}");
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vaccination(patient: &str) -> String {
        format!(
            r##"{{"resourceType":"Immunization","status":"completed","vaccineCode":{{"text":"vaccine"}},"contained":[{{"resourceType":"Patient","id":"1"{patient}}}],"patient":{{"reference":"#1"}},"occurrenceDateTime":"2026-03-05"}}"##
        )
    }

    #[test]
    fn a_person_is_what_her_document_says_and_the_rest_is_invented() {
        let mut persons = Persons::of(Population::new(1));
        let said = persons.subject_of(vaccination(r#","birthDate":"1970-01-01","gender":"other""#).as_bytes());
        let silent = persons.subject_of(vaccination("").as_bytes());
        let refused = [&b"no document"[..], b"{}"].map(|document| persons.subject_of(document));
        assert!(said != silent && refused[0] == refused[1] && refused[0] != silent);
        let index = PersonIndex::try_from(7).unwrap();
        assert_eq!(persons.resident(index), persons.resident(index));
        let cast = persons.cast();
        let items = &cast.person(said).items;
        assert_eq!((items.birth_date().to_string().as_str(), items.sex()), ("1970-01-01", Sex::Other));
        assert_eq!(cast.len(), 4);
        assert_eq!(cast.register().lines().count(), 4);
    }
}
