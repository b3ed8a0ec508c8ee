//! What intake and linkage must refuse: documents with one fault each, and five items with one wrong.

use time::Duration;

use crate::Population;
use crate::birth::Sex;
use crate::document::{Content, DocumentKind, Expected};
use crate::draw::{Domain, Seed};
use crate::fhir::{Coding, HOT9};
use crate::insurance::MemberId;
use crate::names::{FAMILIES, MEN_YOUNGER, WOMEN_YOUNGER};
use crate::notation::{FiveItems, Item};
use crate::person::{Person, PersonIndex};

/// A prescription whose institution number has a wrong check digit, wherever it stands.
pub fn wrong_check_digit(population: &Population, index: PersonIndex, version: u32) -> Vec<u8> {
    let expected = population.expected(index, DocumentKind::Prescription, version);
    let number = expected.institution.number();
    let (body, check) = number.split_at(9);
    let wrong = char::from(b'0' + (check.as_bytes()[0] - b'0' + 1) % 10);
    replaced(&written(&expected), number, &format!("{body}{wrong}"))
}

/// A prescription for one person whose drugs belong to another, who is in the Bundle too. The two are different people
/// as long as the indices differ.
pub fn other_patient(population: &Population, index: PersonIndex, other: PersonIndex, version: u32) -> Vec<u8> {
    let mine = population.expected(index, DocumentKind::Prescription, version);
    let theirs = population.expected(other, DocumentKind::Prescription, version);
    let (mut document, foreign) = (written(&mine), written(&theirs));
    // A Bundle ends in "]}": the entries of the other document go in front of that.
    let entries = find(&foreign, br#""entry":["#).expect("a Bundle has entries") + br#""entry":["#.len();
    document.truncate(document.len() - 2);
    document.push(b',');
    document.extend_from_slice(&foreign[entries..]);
    document
}

/// A prescription whose first drug bears the dummy code of a local system beside the name of a real drug: the collision
/// of 2024-12.
pub fn dummy_drug_code(population: &Population, index: PersonIndex, version: u32) -> Vec<u8> {
    let mut expected = population.expected(index, DocumentKind::Prescription, version);
    if let Content::Prescription(prescription) = &mut expected.content {
        let drug = &mut prescription.drugs[0];
        drug.codings = vec![Coding { system: HOT9, code: "999999999".to_owned(), display: drug.text.clone() }];
    }
    written(&expected)
}

/// A discharge summary one byte longer than `limit`.
pub fn over_long(population: &Population, index: PersonIndex, version: u32, limit: usize) -> Vec<u8> {
    population.discharge_of_size(index, version, limit + 1)
}

/// A vaccination whose brackets are open `depth` deep at the deepest: nested extensions, which FHIR allows. A depth
/// below five is raised to five.
pub fn deep(population: &Population, index: PersonIndex, version: u32, depth: u32) -> Vec<u8> {
    let mut document = written(&population.expected(index, DocumentKind::Vaccination, version));
    document.pop();
    // The document, this array and its object are three levels; an extension is two more, and ends in a value, which
    // may be one more.
    document.extend_from_slice(br#","programEligibility":[{"text":"deep""#);
    let levels = depth.max(5) - 3;
    for _ in 0..levels / 2 {
        document.extend_from_slice(br#","extension":[{"url":"urn:renkei:deep""#);
    }
    document.extend_from_slice(if levels.is_multiple_of(2) {
        br#","valueString":"end""#.as_slice()
    } else {
        br#","valueCoding":{"code":"end"}"#.as_slice()
    });
    for _ in 0..levels / 2 {
        document.extend_from_slice(b"}]");
    }
    document.extend_from_slice(b"}]}");
    document
}

/// The person's five items with exactly one of them somebody else's: it stays wrong in every comparison form.
pub fn with_wrong(person: &Person, item: Item, variant: u32) -> FiveItems {
    let mut items = FiveItems::registered(person);
    let draws = &mut Seed::new(0).draws(Domain::Mistake, u64::from(person.index.get()), variant);
    match item {
        Item::Name => {
            let table = if person.sex == Sex::Male { WOMEN_YOUNGER } else { MEN_YOUNGER };
            items.name = format!("{} {}", person.family.written, draws.pick(table).written);
        }
        Item::Kana => {
            let family = loop {
                let drawn = draws.pick(FAMILIES);
                if drawn.kana != person.family.kana {
                    break drawn;
                }
            };
            items.kana = format!("{} {}", family.kana, person.given.kana);
        }
        Item::BirthDate => items.birth_date -= Duration::days(draws.within(1, 400).into()),
        Item::Sex => items.sex = person.sex.other(),
        Item::Address => {
            let mut address = person.address.clone();
            // The next lot, or the same lot one block on.
            let part = if draws.percent(50) { 1 } else { 2 };
            address.lot[part] += 1;
            items.address = address.to_string();
        }
    }
    items
}

/// The member id with one digit of its insurer, symbol or number typed wrong; `None` for a form with no digits there,
/// which this population does not draw. A wrong insurer digit fails the check digit, any other looks like another id.
pub fn with_typo(member: &MemberId, variant: u32) -> Option<String> {
    let card = member.to_string();
    let typed = card.rfind(':').unwrap_or_default();
    let digits: Vec<(usize, char)> = card[..typed].char_indices().filter(|(_, c)| is_digit(*c)).collect();
    let count = u32::try_from(digits.len()).ok().filter(|count| *count > 0)?;
    let (at, right) = digits[(variant % count) as usize];
    let step = 1 + variant / count % 9;
    let zero = if right.is_ascii_digit() { u32::from('0') } else { u32::from('０') };
    let wrong = char::from_u32(zero + (u32::from(right) - zero + step) % 10).expect("digits follow each other");
    Some(format!("{}{wrong}{}", &card[..at], &card[at + right.len_utf8()..]))
}

fn is_digit(character: char) -> bool {
    character.is_ascii_digit() || ('０'..='９').contains(&character)
}

/// The second of two persons, registered under the member id of the first: the wrong link that 8,441 people had. Both
/// are real to the register, and differ in name, birth date or sex.
pub fn misregistered(population: &Population, first: PersonIndex, second: PersonIndex) -> Person {
    let member = population.person(first).member;
    Person { member, ..population.person(second) }
}

fn written(expected: &Expected) -> Vec<u8> {
    let mut out = Vec::new();
    expected.write(&mut out);
    out
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}

fn replaced(document: &[u8], from: &str, to: &str) -> Vec<u8> {
    let text = str::from_utf8(document).expect("documents are UTF-8");
    text.replace(from, to).into_bytes()
}
