//! One person of the population.

use time::Date;

use crate::address::Address;
use crate::birth::{Sex, age, born};
use crate::draw::{Domain, Draws, Seed};
use crate::institution::{Institution, InstitutionKind, neighbour};
use crate::insurance::{MemberId, Serials, household_member, later_elderly};
use crate::names::{FAMILIES, MEN_OLDER, MEN_YOUNGER, Reading, WOMEN_OLDER, WOMEN_YOUNGER};
use crate::permutation::Permutation;

/// Persons that a population addresses.
pub const PERSONS: u32 = 125_000_000;

const HOUSEHOLD_SIZE: u32 = 3;

/// Households that the persons live in.
const HOUSEHOLDS: u32 = PERSONS.div_ceil(HOUSEHOLD_SIZE);

/// Place of a person in the population, 0 to 124,999,999.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PersonIndex(u32);

/// An index past the last person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("person {0} is past the last one, 124999999")]
pub struct InvalidPersonIndex(pub u32);

impl PersonIndex {
    /// The number.
    pub const fn get(self) -> u32 {
        self.0
    }

    /// Every person, in order.
    pub fn all() -> impl ExactSizeIterator<Item = Self> + Clone {
        (0..PERSONS).map(Self)
    }

    /// Three neighbours live together.
    const fn household(self) -> u32 {
        self.0 / HOUSEHOLD_SIZE
    }

    fn role(self) -> u8 {
        u8::try_from(self.0 % HOUSEHOLD_SIZE).expect("a household is small")
    }
}

impl TryFrom<u32> for PersonIndex {
    type Error = InvalidPersonIndex;

    fn try_from(value: u32) -> Result<Self, InvalidPersonIndex> {
        if value < PERSONS { Ok(Self(value)) } else { Err(InvalidPersonIndex(value)) }
    }
}

/// An invented person, as the resident register has them. Neighbours by index share family name, address and insurer,
/// three by three; their ages are drawn one by one, so a household is not a family.
///
/// There is no My Number here and no field for one. `Debug` shows everything, because nobody is behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// Place in the population.
    pub index: PersonIndex,
    /// Family name.
    pub family: Reading,
    /// Given name.
    pub given: Reading,
    /// Sex.
    pub sex: Sex,
    /// Birth date; ages are those of the pyramid on [`crate::REFERENCE_DATE`].
    pub birth_date: Date,
    /// Address.
    pub address: Address,
    /// Member id as on the card.
    pub member: MemberId,
    /// The clinic or hospital that the person goes to first.
    pub home: Institution,
    /// Every institution that holds records of the person, the home first, without repetition.
    pub visited: Vec<Institution>,
}

impl Person {
    pub(crate) fn of(seed: Seed, index: PersonIndex) -> Self {
        let subject = u64::from(index.get());
        let household = u64::from(index.household());
        let mut shared = seed.draws(Domain::Household, household, 0);
        let position = shared.below(family_count()).min(shared.below(family_count()));
        let family = FAMILIES[position as usize];
        let address = Address::of_household(&mut shared);

        let (birth_date, sex) = born(&mut seed.draws(Domain::Birth, subject, 0));
        let given = *seed.draws(Domain::Name, subject, 0).pick(given_names(sex, birth_date));
        let serials = Serials {
            person: Permutation::new(seed, PERSONS).apply(index.get()),
            household: Permutation::new(seed, HOUSEHOLDS).apply(index.household()),
            role: index.role(),
        };
        let member = if age(birth_date) >= 75 {
            later_elderly(address.prefecture, serials)
        } else {
            household_member(address.prefecture, serials, &mut seed.draws(Domain::Insurance, household, 0))
        };
        let visited = visits(&mut seed.draws(Domain::Visits, subject, 0), &address, age(birth_date));
        Self { index, family, given, sex, birth_date, address, member, home: visited[0], visited }
    }

    /// Completed years on [`crate::REFERENCE_DATE`].
    pub fn age(&self) -> u32 {
        age(self.birth_date)
    }
}

fn family_count() -> u32 {
    u32::try_from(FAMILIES.len()).expect("the table of families is short")
}

fn given_names(sex: Sex, birth_date: Date) -> &'static [Reading] {
    match (sex, birth_date.year() < 1975) {
        (Sex::Male, true) => MEN_OLDER,
        (Sex::Male, false) => MEN_YOUNGER,
        (Sex::Female, true) => WOMEN_OLDER,
        (Sex::Female, false) => WOMEN_YOUNGER,
    }
}

/// A home and up to six others, more with age; one in twelve lies in a neighbouring prefecture.
fn visits(draws: &mut Draws, address: &Address, age: u32) -> Vec<Institution> {
    let home_kind = if draws.percent(80) { InstitutionKind::Clinic } else { InstitutionKind::Hospital };
    let mut visited = vec![Institution::drawn(draws, address.prefecture, home_kind)];
    for _ in 0..draws.within(1, 3 + age.min(90) / 30) {
        let away = draws.below(12) == 0;
        let prefecture = if away { neighbour(draws, address.prefecture) } else { address.prefecture };
        let kind = match draws.below(10) {
            0..=3 => InstitutionKind::Clinic,
            4..=6 => InstitutionKind::Hospital,
            _ => InstitutionKind::Pharmacy,
        };
        let institution = Institution::drawn(draws, prefecture, kind);
        if !visited.contains(&institution) {
            visited.push(institution);
        }
    }
    visited
}
