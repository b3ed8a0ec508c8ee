//! Persons: the country's proportions, valid numbers, ids that nobody shares.

use std::collections::{HashMap, HashSet};

use renkei_population::{Institution, InsurerKind, PREFECTURES, Population, Sex};
use renkei_records::MemberId;

use crate::{SEED, index, spread};

const SAMPLE: u32 = 60_000;

/// `part` of the sample is `promille` of it, give or take four standard deviations.
fn assert_share(what: &str, part: usize, promille: f64) {
    let sample = f64::from(SAMPLE);
    let expected = sample * promille / 1000.0;
    let deviation = (expected * (1.0 - promille / 1000.0)).sqrt();
    #[expect(clippy::cast_precision_loss, reason = "counts of a sample")]
    let off = (part as f64 - expected).abs();
    assert!(off < 4.0 * deviation + 1.0, "seed {SEED}: {what}: {part} of {SAMPLE}, expected {expected:.0}");
}

#[test]
fn ages_and_sexes_are_those_of_the_country() {
    let population = Population::new(SEED);
    let persons: Vec<_> = spread(SAMPLE).map(|index| population.person(index)).collect();
    let share = |test: &dyn Fn(u32) -> bool| persons.iter().filter(|person| test(person.age())).count();
    assert_share("under 15", share(&|age| age < 15), 1000.0 * 13_830.0 / 123_802.0);
    assert_share("65 and more", share(&|age| age >= 65), 1000.0 * 36_243.0 / 123_802.0);
    assert_share("75 and more", share(&|age| age >= 75), 1000.0 * 20_777.0 / 123_802.0);
    let women = persons.iter().filter(|person| person.sex == Sex::Female).count();
    assert_share("women", women, 514.0);
}

/// Households, not persons, are drawn by prefecture; neighbours far apart in the index are of different households.
#[test]
fn prefectures_are_as_populous_as_they_are() {
    let population = Population::new(SEED);
    let mut counts = HashMap::new();
    for index in spread(SAMPLE) {
        *counts.entry(population.person(index).address.prefecture.code).or_insert(0_usize) += 1;
    }
    let all: u32 = PREFECTURES.iter().map(|one| one.inhabitants).sum();
    for prefecture in &PREFECTURES {
        let promille = 1000.0 * f64::from(prefecture.inhabitants) / f64::from(all);
        assert_share(prefecture.name, counts.get(&prefecture.code).copied().unwrap_or(0), promille);
    }
}

/// The widths of digits are what the comparison form of `records` folds in these ids; doing only that is ten times
/// faster, and the test after this one holds the two to each other.
fn narrow(id: &str) -> String {
    let digit = |c| u32::from(c).checked_sub(u32::from('０')).filter(|value| *value < 10);
    id.chars().map(|c| digit(c).and_then(|value| char::from_digit(value, 10)).unwrap_or(c)).collect()
}

#[test]
fn a_million_member_ids_are_a_million() {
    let population = Population::new(SEED);
    let mut seen = HashSet::new();
    for value in 0..1_000_000 {
        let id = population.person(index(value)).member.to_string();
        assert!(seen.insert(narrow(&id)), "seed {SEED}: person {value} has the member id of an earlier one");
    }
}

#[test]
fn member_ids_are_of_the_published_form() {
    let population = Population::new(SEED);
    let (mut narrowed, mut folded) = (HashSet::new(), HashSet::new());
    for index in spread(20_000) {
        let person = population.person(index);
        let written = person.member.to_string();
        let id = MemberId::parse(&written).unwrap_or_else(|error| panic!("seed {SEED}: {index:?}: {error}"));
        for spelling in 0..8 {
            let respelled = person.member.respelled(spelling);
            let read = MemberId::parse(&respelled).unwrap_or_else(|error| panic!("seed {SEED}: {index:?}: {error}"));
            assert_eq!(read.comparison_form(), id.comparison_form(), "seed {SEED}: {index:?}: {respelled}");
        }
        narrowed.insert(narrow(&written));
        folded.insert(id.comparison_form().to_owned());
    }
    assert_eq!((narrowed.len(), folded.len()), (20_000, 20_000), "seed {SEED}");
}

fn mod10(digits: &str) -> u32 {
    let sum: u32 = digits
        .bytes()
        .rev()
        .enumerate()
        .map(|(place, digit)| u32::from(digit - b'0') * if place % 2 == 0 { 2 } else { 1 })
        .map(|product| product / 10 + product % 10)
        .sum();
    (10 - sum % 10) % 10
}

#[test]
fn numbers_check_and_lie_where_they_say() {
    let population = Population::new(SEED);
    for index in spread(5_000) {
        let person = population.person(index);
        let insurer = person.member.insurer.number();
        assert_eq!(mod10(&insurer[..7]).to_string(), insurer[7..], "seed {SEED}: {index:?}: {insurer}");
        assert_eq!(
            person.age() >= 75,
            person.member.insurer.kind == InsurerKind::LaterElderly,
            "seed {SEED}: {index:?}"
        );
        assert_eq!(person.home, person.visited[0]);
        let local = person.visited.iter().filter(|one| one.prefecture == person.address.prefecture).count();
        assert!(local >= 1, "seed {SEED}: {index:?} goes nowhere near home");
        for institution in &person.visited {
            let number = institution.number();
            assert_eq!(mod10(&number[..9]).to_string(), number[9..], "seed {SEED}: {index:?}: {number}");
            assert_eq!(number[..2], format!("{:02}", institution.prefecture.code));
        }
    }
}

#[test]
fn member_ids_come_in_every_form() {
    let population = Population::new(SEED);
    let (mut wide, mut branchless, mut symbolless, mut national) = (0, 0, 0, 0);
    for index in spread(10_000) {
        let member = population.person(index).member;
        wide += u32::from(member.number.contains(|c| ('０'..='９').contains(&c)));
        branchless += u32::from(member.branch.is_none());
        symbolless += u32::from(member.symbol.is_empty());
        national += u32::from(member.insurer.number().starts_with("00"));
    }
    for (form, count) in
        [("full-width", wide), ("branchless", branchless), ("without symbol", symbolless), ("national", national)]
    {
        assert!((500..6_000).contains(&count), "seed {SEED}: {form}: {count} of 10000");
    }
}

/// The first sixteenth of the institutions of a prefecture and kind has a quarter of the visits (the logarithm of 2 over
/// that of 17), and nobody is everybody's.
#[test]
fn institutions_have_sizes_by_the_law_of_zipf() {
    let population = Population::new(SEED);
    let (mut visits, mut at_large) = (0_u32, 0_u32);
    let mut largest = HashMap::new();
    for index in spread(30_000) {
        for institution in population.person(index).visited {
            visits += 1;
            let count = Institution::count(institution.prefecture, institution.kind);
            at_large += u32::from(institution.rank < count / 16);
            *largest.entry(institution.number().to_owned()).or_insert(0_u32) += 1;
        }
    }
    let percent = 100 * at_large / visits;
    assert!((20..30).contains(&percent), "seed {SEED}: {percent} of a hundred visits are to large institutions");
    let most = largest.values().copied().max().unwrap_or_default();
    assert!(most < visits / 100, "seed {SEED}: {most} of {visits} visits are to one institution");
}
