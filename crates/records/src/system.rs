//! What an identifier numbers, told from its system.

/// The systems that intake acts on, and the rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum System {
    /// Member id of an insured person.
    MemberId,
    /// Number of an insurer.
    Insurer,
    /// Number of an institution, ten digits.
    Institution,
    /// Prefecture of an institution, two digits.
    InstitutionPrefecture,
    /// Fee table of an institution, one digit.
    InstitutionTable,
    /// Number of an institution inside its prefecture and table, seven digits.
    InstitutionLocal,
    /// Id of a document Bundle, `institution^year^local`.
    Bundle,
    /// Number of a prescription.
    Prescription,
    /// Group of drugs of one prescription that are taken alike (Rp).
    DrugGroup,
    /// A system that numbers something else than persons nationwide.
    Local,
    /// Any other.
    Unknown,
}

/// The object identifiers below `1.2.392.100495.20.3`, the arc of the ministry for health identifiers.
const MINISTRY: &str = "1.2.392.100495.20.3.";
const JPFHIR: &str = "http://jpfhir.jp/fhir/";

impl System {
    /// The system written as an OID URN, `OID:…`, a bare OID, or the URL of the Japanese FHIR namespace.
    pub(crate) fn of(system: &str) -> Self {
        let system = system.trim();
        let oid = strip_prefix_any_case(system, "urn:oid:")
            .or_else(|| strip_prefix_any_case(system, "oid:"))
            .unwrap_or(system);
        if let Some(arc) = oid.strip_prefix(MINISTRY) {
            return Self::of_ministry_arc(arc);
        }
        if let Some(path) = system.strip_prefix(JPFHIR).or_else(|| system.strip_prefix("https://jpfhir.jp/fhir/")) {
            return Self::of_jpfhir_path(path);
        }
        match system {
            // Values that are themselves globally unique URIs or DICOM ids.
            "urn:ietf:rfc:3986" | "urn:dicom:uid" => Self::Local,
            _ => Self::Unknown,
        }
    }

    /// Whether a Coverage's identifier of this system is one of the insured person.
    pub(crate) const fn is_of_patient(self) -> bool {
        matches!(self, Self::MemberId)
    }

    fn of_ministry_arc(arc: &str) -> Self {
        match arc {
            "11" => Self::Prescription,
            "21" => Self::InstitutionPrefecture,
            "22" => Self::InstitutionTable,
            "23" => Self::InstitutionLocal,
            "61" => Self::Insurer,
            "81" => Self::DrugGroup,
            // 12 dispensing; 31 to 33 registers of professions; 71 public payers; 82 order within a group.
            "12" | "31" | "33" | "71" | "82" => Self::Local,
            // 32.1pp narcotics licences by prefecture; 41.1… staff and 51.1… patients of one institution.
            _ if ["32.1", "41.1", "51.1"].iter().any(|local| arc.starts_with(local)) => Self::Local,
            _ => Self::Unknown,
        }
    }

    fn of_jpfhir_path(path: &str) -> Self {
        match path {
            "clins/Idsystem/JP_Insurance_memberID" => Self::MemberId,
            "core/mhlw/IdSystem/InsurerNumber" | "core/NamingSystem/jp-insurer-number-namingsystem" => Self::Insurer,
            "core/IdSystem/insurance-medical-institution-no" => Self::Institution,
            "clins/bundle-identifier" => Self::Bundle,
            "core/mhlw/IdSystem/Medication-RPGroupNumber" => Self::DrugGroup,
            "core/IdSystem/resourceInstance-identifier"
            | "core/IdSystem/documentInstance-identifier"
            | "clins/Idsystem/JP_PublicPayer_memberID"
            | "core/mhlw/IdSystem/MedicalOrganizationID"
            | "core/mhlw/IdSystem/MedicationAdministrationIndex"
            | "core/mhlw/IdSystem/medicalRegistrationNumber"
            | "eCS/Idsystem/JP_Hospital_PatientID" => Self::Local,
            _ => Self::Unknown,
        }
    }
}

fn strip_prefix_any_case<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let (head, tail) = text.split_at_checked(prefix.len())?;
    head.eq_ignore_ascii_case(prefix).then_some(tail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_system_in_four_notations_is_one() {
        for notation in ["urn:oid:1.2.392.100495.20.3.61", "OID:1.2.392.100495.20.3.61", "1.2.392.100495.20.3.61"] {
            assert_eq!(System::of(notation), System::Insurer, "{notation}");
        }
        assert_eq!(System::of("http://jpfhir.jp/fhir/core/mhlw/IdSystem/InsurerNumber"), System::Insurer);
    }

    #[test]
    fn a_system_nobody_published_is_unknown() {
        for system in
            ["", "urn:oid:", "urn:oid:1.2.392.100495.20.3.", "http://example.org/1.2.392.100495.20.3.61", "個人番号"]
        {
            assert_eq!(System::of(system), System::Unknown, "{system}");
        }
    }

    #[test]
    fn hospital_patient_ids_are_local() {
        assert_eq!(System::of("urn:oid:1.2.392.100495.20.3.51.11319999999"), System::Local);
    }
}
