//! What a timeline shows of a record without opening its document. No name of a person, member id, address or birth date
//! has a field here.

mod format;
mod parts;

use core::fmt;

use crate::date::FhirDate;
use crate::institution::MedicalInstitution;
use crate::prescription_number::PrescriptionNumber;

pub use format::UnreadableSummary;
pub use parts::{Code, Concept, Diagnosis, Drug, Ingredient, Protocol, Quantity, Section, Usage};

/// Most bytes of an encoded summary. A node takes 65,536 of ciphertext; the rest is for its seal.
pub const SUMMARY_MAX_BYTES: usize = 61_440;

/// Most entries of one list of a summary: drugs, diagnoses, sections.
pub const ENTRIES_MAX: usize = 256;

/// Longest text of a summary in bytes. A longer one is left out whole, never cut: half a dose instruction misleads.
pub const TEXT_MAX_BYTES: usize = 1_024;

/// The summary of one record.
#[derive(Clone, PartialEq)]
pub struct Summary {
    /// Flags that the source set on the record.
    pub marks: Marks,
    /// Texts and entries that the document has and the summary does not, for their size or number. Above zero, the
    /// document must be opened to know all.
    pub left_out: u32,
    /// What the record says.
    pub content: Content,
}

/// What a record says, by kind.
#[derive(Clone, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "a record has one, and it is not moved in bulk")]
pub enum Content {
    /// Drugs ordered.
    Prescription(Prescription),
    /// A dose given, or not given.
    Vaccination(Vaccination),
    /// A stay in hospital.
    DischargeSummary(Discharge),
}

/// Flags of the national platform (`JP_ehrshrs_indication`), as far as a resource of the record carries them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Marks {
    /// LTS: keep longer than the ordinary period.
    pub keep_long: bool,
    /// UNINFORMED: the patient has not been told; neither the entry nor its existence may be shown to the patient.
    pub uninformed: bool,
    /// UNDELIVERED: not to be given to other institutions.
    pub undelivered: bool,
}

impl Marks {
    /// The flags of both.
    pub fn and(self, other: Self) -> Self {
        Self {
            keep_long: self.keep_long || other.keep_long,
            uninformed: self.uninformed || other.uninformed,
            undelivered: self.undelivered || other.undelivered,
        }
    }
}

/// A prescription: a document, or one order.
#[derive(Clone, Default, PartialEq)]
pub struct Prescription {
    /// Its number, in a prescription document.
    pub number: Option<PrescriptionNumber>,
    /// When it was written.
    pub written: Option<FhirDate>,
    /// The institution that issued it, if its number has its check digit.
    pub issuer: Option<MedicalInstitution>,
    /// The name of that institution.
    pub facility: Option<String>,
    /// The drugs in document order.
    pub drugs: Vec<Drug>,
}

/// One vaccination.
#[derive(Clone, Default, PartialEq)]
pub struct Vaccination {
    /// `completed`, `not-done`, `entered-in-error`, as given.
    pub status: Option<String>,
    /// The vaccine: HOT, YJ, CVX or other codes as given.
    pub vaccine: Concept,
    /// When it was given.
    pub given: Option<FhirDate>,
    /// The time of giving in words, when there is no date.
    pub given_text: Option<String>,
    /// Lot of the vaccine.
    pub lot: Option<String>,
    /// When the lot expires.
    pub expires: Option<FhirDate>,
    /// Amount of the dose.
    pub dose: Option<Quantity>,
    /// Site of the body.
    pub site: Option<Concept>,
    /// Route.
    pub route: Option<Concept>,
    /// Series and dose numbers.
    pub protocols: Vec<Protocol>,
    /// When the next dose is due.
    pub next_due: Option<FhirDate>,
    /// The institution, if its number has its check digit.
    pub issuer: Option<MedicalInstitution>,
}

/// A discharge summary.
#[derive(Clone, Default, PartialEq)]
pub struct Discharge {
    /// Admission.
    pub admitted: Option<FhirDate>,
    /// Discharge.
    pub discharged: Option<FhirDate>,
    /// When the summary was written.
    pub written: Option<FhirDate>,
    /// The hospital, if its number has its check digit.
    pub issuer: Option<MedicalInstitution>,
    /// The name of the hospital.
    pub facility: Option<String>,
    /// Diagnoses in document order.
    pub diagnoses: Vec<Diagnosis>,
    /// Sections in document order, those inside a section before it.
    pub sections: Vec<Section>,
}

/// Debug output that says the type and nothing of the patient.
macro_rules! redacted {
    ($($name:ident),* $(,)?) => {
        $(impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(..)"))
            }
        })*
    };
}

redacted!(Summary, Content, Prescription, Vaccination, Discharge);
redacted!(Code, Concept, Quantity, Usage, Ingredient, Drug, Protocol, Diagnosis, Section);

impl Summary {
    /// Drops what is too long or too many, and counts it, until the encoding fits.
    pub(crate) fn fitted(mut self) -> Self {
        let left_out = match &mut self.content {
            Content::Prescription(content) => {
                parts::drop_long_text(&mut content.facility) + parts::drop_long(&mut content.drugs)
            }
            Content::Vaccination(content) => content.drop_long(),
            Content::DischargeSummary(content) => {
                parts::drop_long_text(&mut content.facility)
                    + parts::drop_long(&mut content.diagnoses)
                    + parts::drop_long(&mut content.sections)
            }
        };
        self.left_out += left_out;
        let mut len = self.encoded_len();
        while len > SUMMARY_MAX_BYTES
            && let Some(dropped) = self.drop_last()
        {
            // Less than what it took by its tag and length: the estimate errs to the safe side.
            len -= dropped;
            self.left_out += 1;
        }
        self
    }

    /// Drops the last entry of the longest list; its encoded length, or nothing when no list has an entry left.
    fn drop_last(&mut self) -> Option<usize> {
        match &mut self.content {
            Content::Prescription(content) => pop(&mut content.drugs),
            Content::Vaccination(Vaccination { vaccine, site, route, protocols, .. }) => pop(protocols)
                .or_else(|| [site, route].into_iter().flatten().find_map(|concept| pop(&mut concept.codes)))
                .or_else(|| pop(&mut vaccine.codes)),
            Content::DischargeSummary(content) if content.sections.len() > content.diagnoses.len() => {
                pop(&mut content.sections)
            }
            Content::DischargeSummary(content) => pop(&mut content.diagnoses),
        }
    }
}

fn pop(list: &mut Vec<impl prost::Message>) -> Option<usize> {
    list.pop().map(|entry| entry.encoded_len())
}

impl Vaccination {
    fn drop_long(&mut self) -> u32 {
        let texts = [&mut self.status, &mut self.given_text, &mut self.lot];
        let mut left_out: u32 = texts.into_iter().map(parts::drop_long_text).sum();
        left_out += parts::Bounded::drop_long(&mut self.vaccine);
        left_out += [&mut self.site, &mut self.route].into_iter().flatten().map(parts::Bounded::drop_long).sum::<u32>();
        left_out += self.dose.iter_mut().map(parts::Bounded::drop_long).sum::<u32>();
        left_out + parts::drop_long(&mut self.protocols)
    }
}
