//! Who may do what: one table of roles, categories and deeds.
//!
//! It bounds what evidence, consent and the patient's rules leave, and never adds to it.

use crate::{ConsentCategory, Evidence, Purpose};

/// A licence, or what stands in its place. The numbers are signed and never change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum LicensedRole {
    /// A physician.
    Physician = 1,
    /// A dentist.
    Dentist = 2,
    /// A pharmacist.
    Pharmacist = 3,
    /// A nurse, a midwife, a public-health nurse.
    Nurse = 4,
    /// Nobody with a licence: the desk.
    Clerk = 5,
    /// The patient herself, through a portal.
    Patient = 6,
}

/// What somebody does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Deed {
    /// Asks whether somebody is insured.
    Eligibility,
    /// The same for many at once.
    BulkEligibility,
    /// Checks a patient in, or has tickets renewed.
    CheckIn,
    /// Sees who did what to a patient.
    ListAudit,
    /// Reads documents or summaries.
    Read,
    /// Stores a document, or the next version of one.
    Put,
    /// Stores many.
    BulkPut,
    /// Deletes a document.
    Delete,
}

/// A deed and what surrounds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Act {
    /// What.
    pub deed: Deed,
    /// To records of which category; none where the deed is to no record.
    pub category: Option<ConsentCategory>,
    /// Why.
    pub purpose: Purpose,
    /// On what, where there was a check-in.
    pub evidence: Option<Evidence>,
}

/// Deeds as a set.
#[derive(Clone, Copy)]
struct Deeds(u8);

impl Deeds {
    const NONE: Self = Self::of(&[]);
    const SEES: Self = Self::of(&[Deed::Read]);
    const WRITES: Self = Self::of(&[Deed::Read, Deed::Put, Deed::BulkPut]);
    const ALL: Self = Self::of(&[Deed::Read, Deed::Put, Deed::BulkPut, Deed::Delete]);

    const fn of(deeds: &[Deed]) -> Self {
        let (mut bits, mut at) = (0, 0);
        while at < deeds.len() {
            bits |= 1 << deeds[at] as u8;
            at += 1;
        }
        Self(bits)
    }

    const fn holds(self, deed: Deed) -> bool {
        self.0 & (1 << deed as u8) != 0
    }
}

/// Of a role: what it may do to no record, then to records of care and drugs, surgery, checkups, vaccinations, documents.
const fn row(role: LicensedRole) -> (Deeds, [Deeds; 5]) {
    use Deeds as D;
    const STAFF: Deeds = Deeds::of(&[Deed::Eligibility, Deed::BulkEligibility, Deed::CheckIn, Deed::ListAudit]);
    const DESK: Deeds = Deeds::of(&[Deed::Eligibility, Deed::CheckIn]);
    const SELF: Deeds = Deeds::of(&[Deed::CheckIn, Deed::ListAudit]);
    match role {
        LicensedRole::Physician => (STAFF, [D::ALL, D::ALL, D::ALL, D::ALL, D::ALL]),
        LicensedRole::Dentist => (STAFF, [D::ALL, D::SEES, D::SEES, D::SEES, D::ALL]),
        LicensedRole::Pharmacist => (STAFF, [D::ALL, D::NONE, D::SEES, D::SEES, D::NONE]),
        LicensedRole::Nurse => (STAFF, [D::SEES, D::SEES, D::WRITES, D::WRITES, D::SEES]),
        LicensedRole::Clerk => (DESK, [D::NONE, D::NONE, D::NONE, D::NONE, D::NONE]),
        LicensedRole::Patient => (SELF, [D::SEES, D::SEES, D::SEES, D::SEES, D::SEES]),
    }
}

impl LicensedRole {
    /// Every role, in the order of their numbers.
    pub const EVERY: [Self; 6] =
        [Self::Physician, Self::Dentist, Self::Pharmacist, Self::Nurse, Self::Clerk, Self::Patient];

    /// From its encoded number; `None` where it is unknown.
    pub fn from_raw(raw: u32) -> Option<Self> {
        Self::EVERY.into_iter().find(|role| u32::from(*role as u8) == raw)
    }

    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Physician => "physician",
            Self::Dentist => "dentist",
            Self::Pharmacist => "pharmacist",
            Self::Nurse => "nurse",
            Self::Clerk => "clerk",
            Self::Patient => "patient",
        }
    }

    /// Whether the role may do it to records of the category, or to none.
    pub const fn may(self, deed: Deed, category: Option<ConsentCategory>) -> bool {
        let (to_none, to_records) = row(self);
        match category {
            None => to_none.holds(deed),
            Some(category) => to_records[category as usize - 1].holds(deed),
        }
    }
}

/// Whether the actor must have logged in once more for it: emergencies, whatever is done in bulk, and deleting.
pub const fn needs_step_up(act: &Act) -> bool {
    let emergency =
        matches!(act.purpose, Purpose::Emergency) || matches!(act.evidence, Some(evidence) if evidence.is_emergency());
    emergency || matches!(act.deed, Deed::BulkEligibility | Deed::BulkPut | Deed::Delete)
}
