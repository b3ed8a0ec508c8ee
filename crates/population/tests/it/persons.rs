//! Persons: the country's proportions, valid numbers, ids that nobody shares.

use std::collections::{HashMap, HashSet};

use renkei_population::{InsurerKind, PREFECTURES, Population, Sex};

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

#[test]
fn a_million_member_ids_are_a_million() {
    let population = Population::new(SEED);
    let mut seen = HashSet::new();
    for value in 0..1_000_000 {
        let id = population.person(index(value)).member.to_string();
        // Full-width digits are one way to write a number, and no other number.
        let folded: String = id.chars().map(|c| if ('０'..='９').contains(&c) { narrow(c) } else { c }).collect();
        assert!(seen.insert(folded), "seed {SEED}: person {value} has the member id of an earlier one");
    }
}

fn narrow(digit: char) -> char {
    char::from(b'0' + u8::try_from(u32::from(digit) - u32::from('０')).expect("a digit is below ten"))
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

/// The largest clinic of a prefecture has more patients than the fiftieth by far, and it is not everybody's.
#[test]
fn institutions_have_sizes_by_zipf() {
    let population = Population::new(SEED);
    let mut ranks = HashMap::new();
    let mut visits = 0_u32;
    for index in spread(20_000) {
        for institution in population.person(index).visited {
            *ranks.entry(institution.rank).or_insert(0_u32) += 1;
            visits += 1;
        }
    }
    let (first, fiftieth) = (ranks[&0], ranks[&49]);
    assert!(first > 10 * fiftieth && first < visits / 4, "seed {SEED}: {first} and {fiftieth} of {visits}");
}
