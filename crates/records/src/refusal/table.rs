//! The one table of refusals, and its page in `docs/`.

use core::fmt::Write as _;

use super::RefusalCode;

struct Row {
    name: &'static str,
    meaning: &'static str,
    taken: &'static str,
}

const fn row(name: &'static str, meaning: &'static str, taken: &'static str) -> Row {
    Row { name, meaning, taken }
}

const KINDS: &str = "document Bundle of type 57833-6 (prescription) or 18842-5 (discharge summary), MedicationRequest, \
                     Immunization";

impl RefusalCode {
    /// All codes, in the order of the table, which is also the order of precedence of the groups: bytes, then rules of
    /// safety, then what is taken, then fields.
    pub const ALL: [Self; 30] = [
        Self::Empty,
        Self::TooLarge,
        Self::NotUtf8,
        Self::ByteOrderMark,
        Self::NulCharacter,
        Self::MalformedJson,
        Self::LoneSurrogate,
        Self::TooDeep,
        Self::DuplicateName,
        Self::TooManyMembers,
        Self::TrailingData,
        Self::NotAResource,
        Self::Photo,
        Self::MyNumber,
        Self::ExternalAttachment,
        Self::OtherPatient,
        Self::ResourceNotTaken,
        Self::BundleTypeNotTaken,
        Self::NotOneComposition,
        Self::DocumentTypeNotTaken,
        Self::ProfileNotTaken,
        Self::InvalidMemberId,
        Self::InvalidInsurerNumber,
        Self::InvalidInstitutionNumber,
        Self::InvalidPrescriptionNumber,
        Self::InvalidBirthDate,
        Self::InvalidSex,
        Self::InvalidDate,
        Self::MissingDate,
        Self::MissingField,
    ];

    /// The stable name of the code.
    pub const fn name(self) -> &'static str {
        self.row().name
    }

    /// What is wrong.
    pub const fn meaning(self) -> &'static str {
        self.row().meaning
    }

    /// What is taken instead.
    pub const fn taken(self) -> &'static str {
        self.row().taken
    }

    const fn row(self) -> Row {
        match self {
            Self::Empty | Self::TooLarge | Self::NotUtf8 | Self::ByteOrderMark | Self::NulCharacter => self.bytes_row(),
            Self::MalformedJson
            | Self::LoneSurrogate
            | Self::TooDeep
            | Self::DuplicateName
            | Self::TooManyMembers
            | Self::TrailingData
            | Self::NotAResource => self.json_row(),
            Self::Photo | Self::MyNumber | Self::ExternalAttachment | Self::OtherPatient => self.safety_row(),
            Self::ResourceNotTaken
            | Self::BundleTypeNotTaken
            | Self::NotOneComposition
            | Self::DocumentTypeNotTaken
            | Self::ProfileNotTaken => self.kind_row(),
            _ => self.field_row(),
        }
    }

    const fn bytes_row(self) -> Row {
        match self {
            Self::Empty => row("empty", "the document has no bytes", "a FHIR R4 resource in JSON"),
            Self::TooLarge => row("too_large", "the document is too large", "at most 10,485,760 bytes"),
            Self::NotUtf8 => row("not_utf8", "the bytes are not UTF-8", "UTF-8 (FHIR allows no other encoding)"),
            Self::ByteOrderMark => row("byte_order_mark", "a byte order mark stands in front", "UTF-8 without one"),
            _ => row("nul_character", "a string holds the character U+0000", "strings without it (as FHIR asks)"),
        }
    }

    const fn json_row(self) -> Row {
        match self {
            Self::LoneSurrogate => {
                row("lone_surrogate", "an escape is half of a surrogate pair", "paired surrogate escapes")
            }
            Self::TooDeep => row("too_deep", "objects and arrays are nested too deep", "at most 64 levels"),
            Self::DuplicateName => row("duplicate_name", "an object has one name twice", "each name once"),
            Self::TooManyMembers => {
                row("too_many_members", "an object has too many names", "at most 256 names in one object")
            }
            Self::TrailingData => row("trailing_data", "something follows the document", "one JSON value, then blanks"),
            Self::NotAResource => {
                row("not_a_resource", "the JSON is no object with a resourceType", "a FHIR R4 resource")
            }
            _ => row("malformed_json", "the text is not JSON", "JSON by RFC 8259"),
        }
    }

    const fn safety_row(self) -> Row {
        match self {
            Self::Photo => row("photo", "a resource holds a photo", "resources without `photo`"),
            Self::MyNumber => row(
                "my_number",
                "an identifier without a known system holds twelve digits with the check digit of a My Number",
                "identifiers with a published system; never a My Number",
            ),
            Self::ExternalAttachment => row(
                "external_attachment",
                "an attachment names an external url and holds no data (nothing is ever fetched)",
                "attachments with `data`, or a relative or urn reference",
            ),
            _ => row(
                "other_patient",
                "a resource is about another patient than the document",
                "documents whose every resource is about one patient",
            ),
        }
    }

    const fn kind_row(self) -> Row {
        match self {
            Self::ResourceNotTaken => row("resource_not_taken", "this kind of resource is not taken alone", KINDS),
            Self::BundleTypeNotTaken => {
                row("bundle_type_not_taken", "the Bundle is not of type `document`", "Bundles of type `document`")
            }
            Self::NotOneComposition => {
                row("not_one_composition", "the document has no Composition, or several", "exactly one Composition")
            }
            Self::DocumentTypeNotTaken => row(
                "document_type_not_taken",
                "the type of the Composition is not taken",
                "57833-6 (prescription), 18842-5 (discharge summary)",
            ),
            _ => row(
                "profile_not_taken",
                "profiles of jpfhir.jp are named, and none of them is taken",
                "JP_Bundle_ePrescriptionData, JP_Bundle_eDischargeSummary (root clins or eDischargeSummary), \
                 JP_MedicationRequest, JP_MedicationRequest_Injection, JP_MedicationRequest_eCS, \
                 JP_MedicationRequest_ePrescriptionData, JP_Immunization, JP_Immunization_eCS; profiles of others are not looked at",
            ),
        }
    }

    const fn field_row(self) -> Row {
        match self {
            Self::InvalidMemberId => row(
                "invalid_member_id",
                "a member id has a wrong form or check digit",
                "`insurer:symbol:number:branch`, insurer with its check digit, branch of two digits or empty",
            ),
            Self::InvalidInsurerNumber => row(
                "invalid_insurer_number",
                "an insurer number has a wrong form or check digit",
                "eight digits, or six, with their check digit",
            ),
            Self::InvalidInstitutionNumber => row(
                "invalid_institution_number",
                "the Bundle's own identifier begins with a wrong institution number",
                "`institution^year^local`, institution of ten digits with its check digit",
            ),
            Self::InvalidPrescriptionNumber => row(
                "invalid_prescription_number",
                "the prescription number of a prescription document has a wrong form or check digit",
                "`institution-year-serial` of 10, 4 and 8 digits",
            ),
            Self::InvalidBirthDate => row("invalid_birth_date", "a birth date is no date", "YYYY-MM-DD"),
            Self::InvalidSex => row("invalid_sex", "a gender is not of FHIR", "male, female, other, unknown"),
            Self::InvalidDate => row("invalid_date", "a date is no date", "FHIR date or dateTime"),
            Self::MissingDate => row(
                "missing_date",
                "no date tells the month of the record",
                "authoredOn, occurrenceDateTime or recorded, Composition.date, to the month or finer",
            ),
            _ => row("missing_field", "a field is missing without which the record says nothing", "that field"),
        }
    }
}

/// The table as a Markdown page: `docs/REFUSALS.md` is this text, and a test holds it to it.
pub fn refusal_table_markdown() -> String {
    let mut page = String::from(
        "# Refusals of documents\n\n\
         Written by `cargo run --release -p renkei-records --example refresh`. A document is taken whole or refused \
         whole, with one of these codes and, where one is at fault, the path of the field; never with a value. Codes \
         are stable. When several apply, the first group below wins: bytes and JSON, safety, what is taken, fields.\n\n\
         | code | meaning | what is taken |\n|---|---|---|\n",
    );
    for code in RefusalCode::ALL {
        let Row { name, meaning, taken } = code.row();
        writeln!(page, "| `{name}` | {meaning} | {taken} |").expect("a String takes all that is written to it");
    }
    page
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_code_has_a_name_of_its_own_and_stands_once() {
        let names: BTreeSet<_> = RefusalCode::ALL.iter().map(|code| code.name()).collect();
        let codes: BTreeSet<_> = RefusalCode::ALL.into_iter().collect();
        assert_eq!((names.len(), codes.len()), (30, 30));
        assert!(names.iter().all(|name| name.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'_' | b'0'..=b'9'))));
    }
}
