//! FHIR documents in, a validated model out.
//!
//! [`intake`] reads one document (a prescription, a vaccination, a discharge summary) and answers with what a federation
//! needs to know of it, or with a coded [`Refusal`]. The document itself is never rewritten: its bytes are what is stored,
//! and what comes back. The crate is pure: no clock, no randomness, no network, no disk.
//!
//! # How a document is read
//!
//! One pass, without a tree of values. [`struson`] lexes: it is a streaming reader without recursion, keeps the digits of
//! numbers, tells lone surrogates, refuses nesting by itself, and skips a value without holding it, so that a payload of
//! megabytes costs nothing. (serde_json reads numbers into floats unless a feature changes them for the whole build, and
//! tells its faults in words.) On top of it a walk finds duplicate names in every object and hands over each object at
//! its end with its own scalars; those of the fields we know are gathered by path into the draft of the resource they
//! stand in. When the document has ended, its kind, its patient and its dates are judged.
//!
//! Memory is bounded by: the open objects (64 levels, 256 names each), one string, one draft (bounded lists) and the
//! bounded lists of the document. It stays within ten times the input and 1 MiB.
//!
//! # What is decided
//!
//! - A string with U+0000 is refused (`nul_character`), as FHIR forbids it and databases cut at it. Other characters,
//!   also bidirectional overrides and private-use kanji, are data.
//! - A code is kept as given: system, code and text side by side. Nothing is looked up, so that an unknown or dummy code
//!   can never become another drug.
//! - A My Number is looked for in identifiers only (rule G4), a photo in fields of that name, an external url in
//!   attachments. Free text and the content of attachments are **not** inspected.
//! - The patient is told by the fields `subject`, `patient`, `beneficiary` and `for` of each resource, by contained and
//!   enclosed Patients and by identifiers. Two of them that cannot be one person refuse the document. Other ways to name
//!   a person (a participant, a family member) are data.
//! - Check digits are required of member ids, insurer numbers, the institution in the Bundle's own identifier and in the
//!   prescription number. The number of an institution that a document merely mentions is data: published samples carry
//!   numbers there that no institution has. It is taken as issuer only if its check digit holds.
//! - Bundles inside a document (split dispensing) are searched for other patients and for what the rules forbid, not for
//!   drugs: a prescription whose orders all lie in them is refused (`missing_field`), and one whose inner Bundles give the
//!   patient another id is too (`other_patient`).
//! - References are never followed outside of the document; what they lead to outside is data.

mod check_digit;
mod date;
mod document;
mod draft;
mod element;
mod five_items;
mod fold;
mod guard;
mod institution;
mod insurer;
mod intake;
mod key;
mod member_id;
mod my_number;
mod names;
mod path;
mod people;
mod prescription_number;
mod reading;
mod refusal;
mod screen;
mod subject;
mod summary;
mod system;
mod walk;

pub use date::{BirthDate, FhirDate, InvalidDate};
pub use five_items::{ComparisonForm, FiveItems, ITEM_MAX_BYTES, InvalidItem, Item};
pub use fold::fold;
pub use institution::{InvalidMedicalInstitution, MedicalInstitution};
pub use insurer::{Insurer, InvalidInsurer};
pub use intake::{Accepted, Form, Kind, intake};
pub use member_id::{InvalidMemberId, MEMBER_ID_MAX_BYTES, MemberId};
pub use my_number::is_my_number;
pub use names::MEMBERS_MAX;
pub use path::FieldPath;
pub use prescription_number::{InvalidPrescriptionNumber, PrescriptionNumber};
pub use refusal::{Refusal, RefusalCode, refusal_table_markdown};
pub use screen::DOCUMENT_MAX_BYTES;
pub use subject::{InvalidSex, MEMBER_IDS_MAX, Sex, Subject};
pub use summary::{
    Code, Concept, Content, Diagnosis, Discharge, Drug, ENTRIES_MAX, Ingredient, Marks, Prescription, Protocol,
    Quantity, SUMMARY_MAX_BYTES, Section, Summary, TEXT_MAX_BYTES, UnreadableSummary, Usage, Vaccination,
};
pub use walk::NESTING_MAX;
