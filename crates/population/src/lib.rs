//! Synthetic Japan: 125 million addressable persons and their documents, none of them stored.
//!
//! Every field is a function of (seed, person, version): nothing is kept, two machines with one seed hold the same
//! population, and what a read must return is known without having written it ([`Population::expected`]). Pure: no
//! clock, disk or network, and no floating point, so that a document is the same bytes in every build.
//!
//! All persons are invented. There is no My Number and no value of twelve digits anywhere. Numbers of institutions and
//! insurers have valid check digits and may be those of real ones; names say 模擬. Drug codes are real up to the brand
//! and invented from there (see `document/formulary.rs`).
//!
//! ```
//! use renkei_population::{DocumentKind, PersonIndex, Population};
//!
//! let population = Population::new(42);
//! let index = PersonIndex::try_from(1_000_000)?;
//! let document = population.document(index, DocumentKind::Prescription, 1);
//! let expected = population.expected(index, DocumentKind::Prescription, 1);
//! assert!(String::from_utf8_lossy(&document).contains(&expected.identifier));
//! # Ok::<(), renkei_population::InvalidPersonIndex>(())
//! ```

mod address;
pub mod adversarial;
mod birth;
mod check_digit;
mod document;
mod draw;
mod fhir;
mod institution;
mod insurance;
mod json;
mod kanji;
mod names;
mod notation;
mod permutation;
mod person;
mod prefecture;

pub use address::Address;
pub use birth::{REFERENCE_DATE, Sex};
pub use document::{Content, Discharge, DocumentKind, Drug, Expected, Prescription, ProfileRoot, Vaccination};
pub use fhir::Coding;
pub use institution::{Institution, InstitutionKind};
pub use insurance::{Insurer, InsurerKind, MemberId};
pub use kanji::{VARIANTS, variants_of};
pub use names::Reading;
pub use notation::{FiveItems, Item, noisy};
pub use person::{InvalidPersonIndex, PERSONS, Person, PersonIndex};
pub use prefecture::{PREFECTURES, Prefecture};

use draw::Seed;

/// The population of one seed. Copying it is free.
#[derive(Clone, Copy, Debug)]
pub struct Population {
    seed: Seed,
}

impl Population {
    /// The population of this seed. Two seeds share nobody but by chance.
    pub fn new(seed: u64) -> Self {
        Self { seed: Seed::new(seed) }
    }

    /// The person at this place, the same on each call.
    pub fn person(&self, index: PersonIndex) -> Person {
        Person::of(self.seed, index)
    }

    /// What the document of (person, kind, version) says, without writing it. Each version is a document of its own:
    /// another date, another content, of the same person.
    pub fn expected(&self, index: PersonIndex, kind: DocumentKind, version: u32) -> Expected {
        Expected::of(self.seed, self.person(index), kind, version)
    }

    /// The document of (person, kind, version): compact FHIR R4 JSON in UTF-8. Discharge summaries alternate between
    /// the two published profile roots, vaccinations between the profiles of JP Core and CLINS, by version.
    pub fn document(&self, index: PersonIndex, kind: DocumentKind, version: u32) -> Vec<u8> {
        let mut out = Vec::new();
        self.document_into(index, kind, version, &mut out);
        out
    }

    /// Appends the same document to a buffer, which may be used again and again.
    pub fn document_into(&self, index: PersonIndex, kind: DocumentKind, version: u32, out: &mut Vec<u8>) {
        self.expected(index, kind, version).write(out);
    }

    /// A discharge summary of exactly `size` bytes, for limits and long tails. Below [`Discharge::ROOMY`] it may be the
    /// smallest document that the stay fits in instead.
    pub fn discharge_of_size(&self, index: PersonIndex, version: u32, size: usize) -> Vec<u8> {
        let mut expected = self.expected(index, DocumentKind::Discharge, version);
        if let Content::Discharge(discharge) = expected.content {
            expected.content = Content::Discharge(discharge.sized(size));
        }
        let mut out = Vec::with_capacity(size);
        expected.write(&mut out);
        out
    }
}
