//! Why a document is not taken: a stable code, and where in the document, never what stands there.

mod table;

use core::fmt;

use crate::path::FieldPath;

pub use table::refusal_table_markdown;

/// A document that is not taken. It holds nothing of the document but names of fields that this project knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Why.
    pub code: RefusalCode,
    /// The field at fault, where one is.
    pub field: Option<FieldPath>,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code.name(), self.code.meaning())?;
        if let Some(field) = &self.field {
            write!(f, " (at {field})")?;
        }
        write!(f, "; taken: {}", self.code.taken())
    }
}

impl std::error::Error for Refusal {}

impl Refusal {
    pub(crate) fn at(code: RefusalCode, field: FieldPath) -> Self {
        Self { code, field: Some(field) }
    }
}

impl From<RefusalCode> for Refusal {
    fn from(code: RefusalCode) -> Self {
        Self { code, field: None }
    }
}

/// Every reason to refuse a document. [`RefusalCode::name`] is stable: programs may act on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RefusalCode {
    /// No bytes.
    Empty,
    /// More than [`crate::DOCUMENT_MAX_BYTES`].
    TooLarge,
    /// Another encoding than UTF-8.
    NotUtf8,
    /// A byte order mark in front.
    ByteOrderMark,
    /// The character U+0000 in a string.
    NulCharacter,
    /// Not JSON by RFC 8259.
    MalformedJson,
    /// Half of a surrogate pair in a string.
    LoneSurrogate,
    /// Nested deeper than [`crate::NESTING_MAX`].
    TooDeep,
    /// One name twice in one object.
    DuplicateName,
    /// More than [`crate::MEMBERS_MAX`] names in one object.
    TooManyMembers,
    /// Something after the document.
    TrailingData,
    /// JSON, but no object with a resource type.
    NotAResource,
    /// A face or other picture of a person.
    Photo,
    /// A My Number in an identifier.
    MyNumber,
    /// An attachment that lies elsewhere.
    ExternalAttachment,
    /// A resource about somebody else.
    OtherPatient,
    /// A kind of resource that is not taken alone.
    ResourceNotTaken,
    /// A Bundle that is no document.
    BundleTypeNotTaken,
    /// No Composition in a document Bundle, or several.
    NotOneComposition,
    /// A document of a type that is not taken.
    DocumentTypeNotTaken,
    /// A Japanese profile that is not taken.
    ProfileNotTaken,
    /// A member id of wrong form or check digit.
    InvalidMemberId,
    /// An insurer number of wrong form or check digit.
    InvalidInsurerNumber,
    /// An institution number of wrong form or check digit, in the document's own id.
    InvalidInstitutionNumber,
    /// A prescription number of wrong form or check digit.
    InvalidPrescriptionNumber,
    /// A birth date of no calendar.
    InvalidBirthDate,
    /// A sex that FHIR does not know.
    InvalidSex,
    /// A date that the record is filed or read by, of no calendar.
    InvalidDate,
    /// Nothing says to which month the record belongs.
    MissingDate,
    /// A field without which the record says nothing.
    MissingField,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_prints_code_place_and_what_is_taken() {
        let refusal = Refusal::from(RefusalCode::TooDeep);
        assert_eq!(refusal.to_string(), "too_deep: objects and arrays are nested too deep; taken: at most 64 levels");
        let refusal = Refusal::at(RefusalCode::InvalidSex, FieldPath::of(&[crate::key::Key::Gender]));
        assert!(refusal.to_string().contains(" (at gender); taken: male"), "{refusal}");
    }
}
