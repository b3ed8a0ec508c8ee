//! Documents: what one holds is decided first ([`Expected`]), then written. Both are functions of
//! (seed, person, kind, version).

use renkei_ids::MonthBucket;
use time::{Date, Duration, Month, Weekday};

use crate::draw::{Domain, Draws, Seed};
use crate::fhir::{Coding, Moment, Urn};
use crate::institution::{Institution, InstitutionKind};
use crate::person::Person;

pub(crate) mod discharge;
mod formulary;
mod laboratory;
pub(crate) mod prescription;
mod resources;
pub(crate) mod vaccination;

pub use discharge::{Discharge, ProfileRoot};
pub use prescription::{Drug, Prescription};
pub use vaccination::Vaccination;

/// The kinds of documents that a population holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DocumentKind {
    /// A prescription: a document Bundle of type 57833-6, 13 to 34 kB.
    Prescription,
    /// A vaccination: an Immunization, 0.9 to 2 kB.
    Vaccination,
    /// A discharge summary: a document Bundle of type 18842-5, 20 kB to 1.2 MB.
    Discharge,
}

impl DocumentKind {
    /// All three.
    pub const ALL: [Self; 3] = [Self::Prescription, Self::Vaccination, Self::Discharge];

    const fn domain(self) -> Domain {
        match self {
            Self::Prescription => Domain::Prescription,
            Self::Vaccination => Domain::Vaccination,
            Self::Discharge => Domain::Discharge,
        }
    }
}

/// What a document says, known without writing it: a read is checked against this.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expected {
    /// Whom it is about.
    pub person: Person,
    /// The version that it is drawn for. Each version has a date, an institution and contents of its own.
    pub version: u32,
    /// Date of issue, of the shot, or of the discharge.
    pub date: Date,
    /// Month of that date.
    pub month: MonthBucket,
    /// Who issued it: one of the person's visited institutions where one of the right kind is among them.
    pub institution: Institution,
    /// The document's own identifier: prescription number, resource instance or bundle identifier.
    pub identifier: String,
    /// What it holds.
    pub content: Content,
    pub(crate) moment: Moment,
    pub(crate) seed: Seed,
}

/// What a document of each kind holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// Drugs.
    Prescription(Prescription),
    /// A vaccine.
    Vaccination(Vaccination),
    /// A stay.
    Discharge(Discharge),
}

impl Content {
    /// Its kind.
    pub const fn kind(&self) -> DocumentKind {
        match self {
            Self::Prescription(_) => DocumentKind::Prescription,
            Self::Vaccination(_) => DocumentKind::Vaccination,
            Self::Discharge(_) => DocumentKind::Discharge,
        }
    }

    /// The codes that a summary must name, in the order of the document: drugs, vaccine or diagnoses.
    pub fn codings(&self) -> Vec<&Coding> {
        match self {
            Self::Prescription(prescription) => prescription.drugs.iter().flat_map(|drug| &drug.codings).collect(),
            Self::Vaccination(vaccination) => vaccination.codings.iter().collect(),
            Self::Discharge(discharge) => discharge.diagnoses.iter().collect(),
        }
    }
}

impl Expected {
    pub(crate) fn of(seed: Seed, person: Person, kind: DocumentKind, version: u32) -> Self {
        let draws = &mut seed.draws(kind.domain(), u64::from(person.index.get()), version);
        let moment = Moment { date: issued(draws, &person), minute: draws.below(8 * 60) };
        let institution = issuer(draws, &person, kind);
        let (identifier, content) = match kind {
            DocumentKind::Prescription => prescription::drawn(draws, &institution, moment),
            DocumentKind::Vaccination => vaccination::drawn(draws, &person, &institution, moment, version),
            DocumentKind::Discharge => discharge::drawn(draws, &person, &institution, moment, version),
        };
        let date = moment.date;
        let year = u16::try_from(date.year()).expect("documents are of this century");
        let month = MonthBucket::new(year, date.month() as u8).expect("a date has a month of the calendar");
        Self { person, version, date, month, institution, identifier, content, moment, seed }
    }

    /// Appends the document's bytes: compact UTF-8 JSON.
    pub fn write(&self, out: &mut Vec<u8>) {
        match &self.content {
            Content::Prescription(prescription) => prescription::write(self, prescription, out),
            Content::Vaccination(vaccination) => vaccination::write(self, vaccination, out),
            Content::Discharge(discharge) => discharge::write(self, discharge, out),
        }
    }

    /// The name of the document's `position`-th resource.
    pub(crate) fn urn(&self, position: u32) -> Urn {
        const PLACES: u32 = 1 << 20;
        assert!(position < PLACES, "a document has fewer than a million resources");
        let kind = match self.content.kind() {
            DocumentKind::Prescription => 0,
            DocumentKind::Vaccination => 1,
            DocumentKind::Discharge => 2,
        };
        Urn::of(self.seed, u64::from(self.person.index.get()), self.version, kind * PLACES + position)
    }
}

const FIRST_ISSUE: i32 = julian(2024, Month::October, 1);
const LAST_ISSUE: i32 = julian(2026, Month::September, 30);

const fn julian(year: i32, month: Month, day: u8) -> i32 {
    match Date::from_calendar_date(year, month, day) {
        Ok(date) => date.to_julian_day(),
        Err(_) => panic!("the date is in the calendar"),
    }
}

/// A day in the two years from 2024-10-01, not before the age of two months, not a Sunday.
fn issued(draws: &mut Draws, person: &Person) -> Date {
    let first = FIRST_ISSUE.max(person.birth_date.to_julian_day() + 60);
    let days = u32::try_from(LAST_ISSUE - first).expect("everybody is born a year before the last issue");
    let day = first + i32::try_from(draws.below(days)).expect("two years have fewer than 2^31 days");
    let date = Date::from_julian_day(day).expect("a day of 2024 to 2026 is in the calendar");
    if date.weekday() == Weekday::Sunday { date + Duration::days(1) } else { date }
}

fn issuer(draws: &mut Draws, person: &Person, kind: DocumentKind) -> Institution {
    let issues = |institution: &&Institution| match kind {
        DocumentKind::Discharge => institution.kind == InstitutionKind::Hospital,
        DocumentKind::Prescription | DocumentKind::Vaccination => institution.kind != InstitutionKind::Pharmacy,
    };
    let candidates: Vec<&Institution> = person.visited.iter().filter(issues).collect();
    if candidates.is_empty() {
        return Institution::drawn(draws, person.address.prefecture, InstitutionKind::Hospital);
    }
    **draws.pick(&candidates)
}
