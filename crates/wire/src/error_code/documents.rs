//! The rows of documents that are not taken, one for each code of crate `records` but `too_large`, which is a row of the
//! services. The names are that crate's.

use tonic::Code;

use super::{ErrorCode, ErrorRow, Retry};

const fn row(code: ErrorCode, name: &'static str, meaning: &'static str, next: &'static str) -> ErrorRow {
    ErrorRow { code, name, grpc: Code::InvalidArgument, meaning, next, retry: Retry::No }
}

pub(super) const DOCUMENTS: [ErrorRow; 29] = [
    row(ErrorCode::DocumentEmpty, "empty", "The document has no bytes.", "Send a FHIR R4 resource in JSON."),
    row(ErrorCode::DocumentNotUtf8, "not_utf8", "The document is not UTF-8.", "Encode it as UTF-8, as FHIR demands."),
    row(
        ErrorCode::DocumentByteOrderMark,
        "byte_order_mark",
        "A byte order mark stands in front of the document.",
        "Leave the mark out.",
    ),
    row(
        ErrorCode::DocumentNulCharacter,
        "nul_character",
        "A string of the document holds the character U+0000.",
        "Leave the character out, as FHIR demands.",
    ),
    row(ErrorCode::DocumentMalformedJson, "malformed_json", "The document is not JSON by RFC 8259.", "Send JSON."),
    row(
        ErrorCode::DocumentLoneSurrogate,
        "lone_surrogate",
        "An escape in the document is half of a surrogate pair.",
        "Escape both halves, or neither.",
    ),
    row(
        ErrorCode::DocumentTooDeep,
        "too_deep",
        "Objects and arrays of the document are nested more than 64 levels deep.",
        "Nest 64 levels at most.",
    ),
    row(
        ErrorCode::DocumentDuplicateName,
        "duplicate_name",
        "An object of the document has one name twice.",
        "Name each member once.",
    ),
    row(
        ErrorCode::DocumentTooManyMembers,
        "too_many_members",
        "An object of the document has more than 256 names.",
        "Give an object 256 names at most.",
    ),
    row(ErrorCode::DocumentTrailingData, "trailing_data", "Something follows the document.", "Send one JSON value."),
    row(
        ErrorCode::DocumentNotAResource,
        "not_a_resource",
        "The document is no object with a resourceType.",
        "Send a FHIR R4 resource.",
    ),
    row(ErrorCode::DocumentPhoto, "photo", "A resource of the document holds a photo.", "Leave photos out."),
    row(
        ErrorCode::DocumentMyNumber,
        "my_number",
        "An identifier of the document has the form of a My Number.",
        "Leave it out, for a My Number is never taken.",
    ),
    row(
        ErrorCode::DocumentExternalAttachment,
        "external_attachment",
        "An attachment of the document names an external url and holds no data.",
        "Put the data into the attachment, for nothing is ever fetched.",
    ),
    row(
        ErrorCode::DocumentOtherPatient,
        "other_patient",
        "A resource of the document is about another patient than the document.",
        "Send documents about one patient.",
    ),
    row(
        ErrorCode::DocumentResourceNotTaken,
        "resource_not_taken",
        "This kind of resource is not taken alone.",
        "Send a document Bundle of type 57833-6 or 18842-5, a MedicationRequest or an Immunization.",
    ),
    row(
        ErrorCode::DocumentBundleTypeNotTaken,
        "bundle_type_not_taken",
        "The Bundle is not of type document.",
        "Send a Bundle of type document.",
    ),
    row(
        ErrorCode::DocumentNotOneComposition,
        "not_one_composition",
        "The document Bundle has no Composition, or several.",
        "Send exactly one Composition.",
    ),
    row(
        ErrorCode::DocumentDocumentTypeNotTaken,
        "document_type_not_taken",
        "The type of the Composition is not taken.",
        "Send 57833-6 (prescription) or 18842-5 (discharge summary).",
    ),
    row(
        ErrorCode::DocumentProfileNotTaken,
        "profile_not_taken",
        "The document names Japanese profiles, none of which is taken.",
        "Send a document of a profile that docs/REFUSALS.md lists.",
    ),
    row(
        ErrorCode::DocumentInvalidMemberId,
        "invalid_member_id",
        "A member id in the document has a wrong form or check digit.",
        "Correct the field that the refusal names.",
    ),
    row(
        ErrorCode::DocumentInvalidInsurerNumber,
        "invalid_insurer_number",
        "An insurer number in the document has a wrong form or check digit.",
        "Correct the field that the refusal names.",
    ),
    row(
        ErrorCode::DocumentInvalidInstitutionNumber,
        "invalid_institution_number",
        "The document's own identifier begins with a wrong institution number.",
        "Correct the field that the refusal names.",
    ),
    row(
        ErrorCode::DocumentInvalidPrescriptionNumber,
        "invalid_prescription_number",
        "The prescription number has a wrong form or check digit.",
        "Correct the field that the refusal names.",
    ),
    row(
        ErrorCode::DocumentInvalidBirthDate,
        "invalid_birth_date",
        "A birth date in the document is no date.",
        "Correct the field that the refusal names.",
    ),
    row(
        ErrorCode::DocumentInvalidSex,
        "invalid_sex",
        "A gender in the document is not of FHIR.",
        "Send male, female, other or unknown.",
    ),
    row(
        ErrorCode::DocumentInvalidDate,
        "invalid_date",
        "A date in the document is no date.",
        "Correct the field that the refusal names.",
    ),
    row(
        ErrorCode::DocumentMissingDate,
        "missing_date",
        "No date tells the month of the record.",
        "Give authoredOn, occurrenceDateTime or recorded, or Composition.date, to the month or finer.",
    ),
    row(
        ErrorCode::DocumentMissingField,
        "missing_field",
        "A field of the document is missing without which the record says nothing.",
        "Give the field that the refusal names.",
    ),
];
