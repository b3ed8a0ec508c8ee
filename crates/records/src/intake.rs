//! From bytes to a record that is taken, or the reason why it is not.

mod judge;

use renkei_ids::MonthBucket;

use crate::institution::MedicalInstitution;
use crate::reading::Reading;
use crate::refusal::{Refusal, RefusalCode};
use crate::screen::text_of;
use crate::subject::Subject;
use crate::summary::Summary;
use crate::walk::walk;

/// Kinds of records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Drugs ordered.
    Prescription,
    /// A dose of a vaccine.
    Vaccination,
    /// A stay in hospital.
    DischargeSummary,
}

impl Kind {
    /// A stable name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Prescription => "prescription",
            Self::Vaccination => "vaccination",
            Self::DischargeSummary => "discharge_summary",
        }
    }
}

/// The outer form of a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Form {
    /// A document Bundle. One that says nothing of its patient proves nothing, and the gateway refuses it.
    DocumentBundle,
    /// One resource. It may be taken under the ticket alone.
    SingleResource,
}

/// A document that is taken. Its bytes are stored as they came; this is what is known of them.
#[derive(Clone, Debug)]
pub struct Accepted {
    /// What it records.
    pub kind: Kind,
    /// Document or single resource.
    pub form: Form,
    /// For timelines.
    pub summary: Summary,
    /// What it says of its patient.
    pub subject: Subject,
    /// The month it is filed under: of issue, of the dose, of discharge.
    pub month: MonthBucket,
    /// The institution it says it is from, if a number with its check digit says so.
    pub issuer: Option<MedicalInstitution>,
}

/// Reads a document once and decides. Nothing is fetched, nothing rewritten; `document` is not kept. Memory stays within
/// ten times the input and 1 MiB.
///
/// # Errors
/// A [`Refusal`]: its code is of the first group that applies in the order bytes and JSON, safety, what is taken, fields.
pub fn intake(document: &[u8]) -> Result<Accepted, Refusal> {
    let text = text_of(document)?;
    let mut reading = Reading::default();
    walk(text, &mut reading)?;
    // An array of resources is walked like one, and is none.
    if !text.trim_start().starts_with('{') {
        return Err(RefusalCode::NotAResource.into());
    }
    judge::judge(reading)
}
