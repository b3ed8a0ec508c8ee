//! Resources that documents share: patient, practitioner, organizations, coverage.

use core::fmt::Display;

use time::{Date, Month};

use crate::address::Address;
use crate::draw::Domain;
use crate::fhir::{Day, INSTANCE, INSTITUTION_NUMBER, INSURER_NUMBER, MEMBER_ID, UCUM, Urn};
use crate::institution::Institution;
use crate::insurance::InsurerKind;
use crate::json::Json;
use crate::names::{FAMILIES, MEN_OLDER, Reading, WOMEN_YOUNGER};

use super::Expected;

/// The fiscal year before the first document.
const INSURED_FROM: Date = match Date::from_calendar_date(2024, Month::April, 1) {
    Ok(date) => date,
    Err(_) => panic!("1 April 2024 is in the calendar"),
};

const REPRESENTATION: &str = "http://hl7.org/fhir/StructureDefinition/iso21090-EN-representation";

/// Positions of the resources that every document has.
pub(super) const COMPOSITION: u32 = 0;
pub(super) const PATIENT: u32 = 1;
pub(super) const ENCOUNTER: u32 = 2;
pub(super) const PRACTITIONER: u32 = 3;
pub(super) const HOSPITAL: u32 = 4;
pub(super) const DEPARTMENT: u32 = 5;
pub(super) const COVERAGE: u32 = 6;
pub(super) const INSURER: u32 = 7;
/// The first position that a kind of document uses for itself.
pub(super) const OWN: u32 = 16;

/// Opens a document Bundle; `entries` writes the entries.
pub(super) fn bundle(
    expected: &Expected,
    profile: &str,
    local_id: &str,
    out: &mut Vec<u8>,
    entries: impl FnOnce(&mut Json<'_>),
) {
    let number = expected.institution.number();
    let year = expected.date.year();
    Json::new(out).root(|json| {
        json.str_at("resourceType", "Bundle");
        json.text_at("id", format_args!("{number}-{year}-{local_id}"));
        json.object_at("meta", |json| {
            json.text_at("lastUpdated", expected.moment);
            json.array_at("profile", |json| json.text(profile));
        });
        json.str_at("language", "ja");
        json.object_at("identifier", |json| {
            json.str_at("system", crate::fhir::BUNDLE);
            json.text_at("value", format_args!("{number}^{year}^{local_id}"));
        });
        json.str_at("type", "document");
        json.text_at("timestamp", expected.moment);
        json.array_at("entry", entries);
    });
}

fn written_name(json: &mut Json<'_>, code: &str, family: &str, given: &str) {
    json.object(|json| {
        json.array_at("extension", |json| {
            json.object(|json| {
                json.str_at("url", REPRESENTATION);
                json.str_at("valueCode", code);
            });
        });
        json.str_at("use", "official");
        json.text_at("text", format_args!("{family}　{given}"));
        json.str_at("family", family);
        json.array_at("given", |json| json.text(given));
    });
}

fn names(json: &mut Json<'_>, family: Reading, given: Reading) {
    json.array_at("name", |json| {
        written_name(json, "IDE", family.written, given.written);
        written_name(json, "SYL", family.kana, given.kana);
    });
}

fn home(json: &mut Json<'_>, address: &Address) {
    json.object(|json| {
        json.str_at("use", "home");
        json.str_at("type", "both");
        json.text_at("text", address);
        let [chome, ban, go] = address.lot;
        json.array_at("line", |json| json.text(format_args!("{}{chome}-{ban}-{go}", address.town)));
        json.str_at("city", address.municipality);
        json.str_at("state", address.prefecture.name);
        json.text_at(
            "postalCode",
            format_args!("{:03}-{:04}", address.postal_code / 10_000, address.postal_code % 10_000),
        );
        json.str_at("country", "JP");
    });
}

/// A telephone number of an exchange that is not assigned.
fn telephone(json: &mut Json<'_>, area: &str, line: u32, contact_use: &str) {
    json.object(|json| {
        json.str_at("system", "phone");
        json.text_at("value", format_args!("{area}-0000-{line:04}"));
        json.str_at("use", contact_use);
    });
}

pub(super) fn patient(json: &mut Json<'_>, expected: &Expected) {
    let person = &expected.person;
    let draws = &mut expected.seed.draws(Domain::Contact, u64::from(person.index.get()), 0);
    json.entry(expected.urn(PATIENT), "Patient", |json| {
        json.profiles(&[
            "http://jpfhir.jp/fhir/core/StructureDefinition/JP_Patient",
            "http://jpfhir.jp/fhir/eCS/StructureDefinition/JP_Patient_eCS",
        ]);
        institution_extension(json, &expected.institution);
        json.array_at("identifier", |json| {
            json.object(|json| {
                json.str_at("use", "usual");
                json.object_at("type", |json| {
                    json.array_at("coding", |json| {
                        json.coding("http://terminology.hl7.org/CodeSystem/v2-0203", "MR", "Medical record number");
                    });
                    json.str_at("text", "診療録番号");
                });
                json.text_at(
                    "system",
                    format_args!("urn:oid:1.2.392.100495.20.3.51.1{}", expected.institution.number()),
                );
                // Eight digits, as chart numbers have; never twelve, so that none can be taken for a My Number.
                json.text_at("value", format_args!("{:08}", draws.below(100_000_000)));
                json.reference_at("assigner", expected.urn(HOSPITAL));
            });
            json.identifier(MEMBER_ID, &person.member);
        });
        json.literal_at("active", true);
        names(json, person.family, person.given);
        json.array_at("telecom", |json| {
            telephone(json, "090", draws.below(10_000), "mobile");
            telephone(json, "03", draws.below(10_000), "home");
        });
        json.str_at("gender", person.sex.code());
        json.text_at("birthDate", Day(person.birth_date));
        json.literal_at("deceasedBoolean", false);
        json.array_at("address", |json| home(json, &person.address));
        json.array_at("communication", |json| {
            json.object(|json| {
                json.codeable_at("language", "urn:ietf:bcp:47", "ja-JP", "Japanese (Japan)");
                json.literal_at("preferred", true);
            });
        });
    });
}

pub(super) fn practitioner(json: &mut Json<'_>, expected: &Expected) {
    let staff = u64::from(expected.person.index.get());
    let draws = &mut expected.seed.draws(Domain::Staff, staff, expected.version);
    let family = *draws.pick(FAMILIES);
    let (given, gender) =
        if draws.percent(70) { (*draws.pick(MEN_OLDER), "male") } else { (*draws.pick(WOMEN_YOUNGER), "female") };
    json.entry(expected.urn(PRACTITIONER), "Practitioner", |json| {
        json.profiles(&["http://jpfhir.jp/fhir/core/StructureDefinition/JP_Practitioner"]);
        json.array_at("identifier", |json| {
            json.identifier("urn:oid:1.2.392.100495.20.3.31", format_args!("{:06}", draws.below(1_000_000)));
            json.identifier(
                &format!("urn:oid:1.2.392.100495.20.3.41.1{}", expected.institution.number()),
                format_args!("D{:04}", draws.below(10_000)),
            );
        });
        json.literal_at("active", true);
        names(json, family, given);
        json.array_at("telecom", |json| telephone(json, "03", draws.below(10_000), "work"));
        json.str_at("gender", gender);
        json.array_at("qualification", |json| {
            json.object(|json| {
                json.codeable_at(
                    "code",
                    "http://jpfhir.jp/fhir/core/CodeSystem/JP_MedicalLicenseCertificate_CS",
                    "medical-registration",
                    "医籍登録番号",
                );
            });
        });
    });
}

pub(super) fn hospital(json: &mut Json<'_>, expected: &Expected) {
    let institution = &expected.institution;
    let number = institution.number();
    json.entry(expected.urn(HOSPITAL), "Organization", |json| {
        json.profiles(&[
            "http://jpfhir.jp/fhir/core/StructureDefinition/JP_Organization",
            "http://jpfhir.jp/fhir/eCS/StructureDefinition/JP_Organization_eCS",
        ]);
        json.array_at("extension", |json| {
            organization_part(json, "JP_Organization_PrefectureNo", |json| {
                json.object_at("valueCoding", |json| {
                    json.str_at("system", "urn:oid:1.2.392.100495.20.3.21");
                    json.str_at("code", &number[..2]);
                });
            });
            organization_part(json, "JP_Organization_InsuranceOrganizationCategory", |json| {
                json.object_at("valueCoding", |json| {
                    json.str_at("system", "urn:oid:1.2.392.100495.20.3.22");
                    json.str_at("code", &number[2..3]);
                });
            });
            organization_part(json, "JP_Organization_InsuranceOrganizationNo", |json| {
                json.object_at("valueIdentifier", |json| {
                    json.str_at("system", "urn:oid:1.2.392.100495.20.3.23");
                    json.str_at("value", &number[3..]);
                });
            });
        });
        json.array_at("identifier", |json| json.identifier(INSTITUTION_NUMBER, number));
        json.literal_at("active", true);
        organization_type(json, "prov", "Healthcare Provider");
        json.text_at("name", institution.name());
        json.array_at("telecom", |json| telephone(json, "03", institution.rank % 10_000, "work"));
        json.array_at("address", |json| json.object(|json| json.str_at("text", institution.prefecture.name)));
    });
}

fn organization_part(json: &mut Json<'_>, name: &str, value: impl FnOnce(&mut Json<'_>)) {
    json.object(|json| {
        json.text_at("url", format_args!("http://jpfhir.jp/fhir/core/Extension/StructureDefinition/{name}"));
        value(json);
    });
}

fn organization_type(json: &mut Json<'_>, code: &str, display: &str) {
    json.array_at("type", |json| {
        json.codeable("http://terminology.hl7.org/CodeSystem/organization-type", code, display);
    });
}

pub(super) fn department(json: &mut Json<'_>, expected: &Expected, code: &str, name: &str) {
    json.entry(expected.urn(DEPARTMENT), "Organization", |json| {
        json.profiles(&["http://jpfhir.jp/fhir/core/StructureDefinition/JP_Organization"]);
        json.array_at("identifier", |json| {
            json.identifier("http://jami.jp/SS-MIX2/CodeSystem/ClinicalDepartment", code);
        });
        json.literal_at("active", true);
        organization_type(json, "dept", "Hospital Department");
        json.str_at("name", name);
        json.reference_at("partOf", expected.urn(HOSPITAL));
    });
}

pub(super) fn coverage(json: &mut Json<'_>, expected: &Expected) {
    let member = &expected.person.member;
    let (code, label) = match member.insurer.kind {
        InsurerKind::National => ("2", "国保"),
        InsurerKind::LaterElderly => ("7", "後期高齢"),
        InsurerKind::HealthAssociation | InsurerKind::Society | InsurerKind::MutualAid => ("1", "社保"),
    };
    json.entry(expected.urn(COVERAGE), "Coverage", |json| {
        json.profiles(&["http://jpfhir.jp/fhir/core/StructureDefinition/JP_Coverage"]);
        json.array_at("extension", |json| {
            insured_part(json, "Symbol", &member.symbol);
            insured_part(json, "Number", &member.number);
            if let Some(branch) = member.branch {
                insured_part(json, "SubNumber", &format!("{branch:02}"));
            }
        });
        json.array_at("identifier", |json| json.identifier(MEMBER_ID, member));
        json.str_at("status", "active");
        json.codeable_at("type", "urn:oid:1.2.392.100495.20.2.61", code, label);
        json.reference_at("subscriber", expected.urn(PATIENT));
        json.reference_at("beneficiary", expected.urn(PATIENT));
        if let Some(branch) = member.branch {
            json.text_at("dependent", format_args!("{branch:02}"));
        }
        json.object_at("period", |json| json.text_at("start", Day(INSURED_FROM.max(expected.person.birth_date))));
        json.array_at("payor", |json| json.reference(expected.urn(INSURER)));
        json.array_at("costToBeneficiary", |json| {
            json.object(|json| {
                json.codeable_at(
                    "type",
                    "http://terminology.hl7.org/CodeSystem/coverage-copay-type",
                    "copaypct",
                    "Copay Percentage",
                );
                json.quantity_at("valueQuantity", copay(expected), "%", UCUM, "%");
            });
        });
    });
    json.entry(expected.urn(INSURER), "Organization", |json| {
        json.profiles(&["http://jpfhir.jp/fhir/core/StructureDefinition/JP_Organization"]);
        json.array_at("identifier", |json| json.identifier(INSURER_NUMBER, member.insurer.number()));
        organization_type(json, "pay", "Payer");
        json.text_at("name", format_args!("{label}模擬保険者{}", member.insurer.number()));
    });
}

/// An empty part is left out: FHIR has no empty strings.
fn insured_part(json: &mut Json<'_>, part: &str, value: &str) {
    if value.is_empty() {
        return;
    }
    json.object(|json| {
        json.text_at(
            "url",
            format_args!("http://jpfhir.jp/fhir/core/Extension/StructureDefinition/JP_Coverage_InsuredPerson{part}"),
        );
        json.str_at("valueString", value);
    });
}

fn copay(expected: &Expected) -> u32 {
    match expected.person.age() {
        75.. => 10,
        0..=5 | 70..=74 => 20,
        _ => 30,
    }
}

/// The extensions of a resource of which the one is who wrote it.
pub(super) fn institution_extension(json: &mut Json<'_>, institution: &Institution) {
    json.array_at("extension", |json| json.object(|json| institution_number(json, institution)));
}

/// The extension that names who wrote a resource.
pub(super) fn institution_number(json: &mut Json<'_>, institution: &Institution) {
    json.str_at("url", "http://jpfhir.jp/fhir/clins/Extension/StructureDefinition/JP_eCS_InstitutionNumber");
    json.object_at("valueIdentifier", |json| {
        json.str_at("system", INSTITUTION_NUMBER);
        json.str_at("value", institution.number());
    });
}

/// What a Composition says of its document, before its sections.
pub(super) struct Heading<'a> {
    pub(super) profile: &'a str,
    pub(super) code: &'a str,
    pub(super) title: &'a str,
    pub(super) identifier_system: &'a str,
}

pub(super) fn composition_heading(json: &mut Json<'_>, expected: &Expected, heading: &Heading<'_>) {
    json.profiles(&[heading.profile]);
    json.array_at("extension", |json| {
        json.object(|json| {
            json.str_at("url", "http://hl7.org/fhir/StructureDefinition/composition-clinicaldocument-versionNumber");
            json.str_at("valueString", "1.0");
        });
    });
    json.object_at("identifier", |json| {
        json.str_at("system", heading.identifier_system);
        json.str_at("value", &expected.identifier);
    });
    json.str_at("status", "final");
    json.codeable_at("type", crate::fhir::DOCUMENT_TYPE, heading.code, heading.title);
    json.reference_at("subject", expected.urn(PATIENT));
    json.reference_at("encounter", expected.urn(ENCOUNTER));
    json.text_at("date", expected.moment);
    json.array_at("author", |json| {
        json.reference(expected.urn(PRACTITIONER));
        json.reference(expected.urn(DEPARTMENT));
    });
    json.str_at("title", heading.title);
    json.str_at("confidentiality", "N");
    json.array_at("attester", |json| {
        json.object(|json| {
            json.str_at("mode", "legal");
            json.text_at("time", expected.moment);
            json.reference_at("party", expected.urn(PRACTITIONER));
        });
    });
    json.reference_at("custodian", expected.urn(HOSPITAL));
}

/// Subject and encounter of a resource inside a document.
pub(super) fn belongs(json: &mut Json<'_>, expected: &Expected) {
    json.reference_at("subject", expected.urn(PATIENT));
    json.reference_at("encounter", expected.urn(ENCOUNTER));
}

/// The resource instance identifier of the `position`-th resource.
pub(super) fn instance(json: &mut Json<'_>, expected: &Expected, urn: Urn) {
    json.identifier(INSTANCE, format_args!("{}.{}", expected.identifier.replace('^', "-"), urn.id()));
}

/// A narrative in XHTML.
pub(super) fn narrative(json: &mut Json<'_>, text: impl Display) {
    json.object_at("text", |json| {
        json.str_at("status", "additional");
        json.text_at("div", format_args!("<div xmlns=\"http://www.w3.org/1999/xhtml\">{text}</div>"));
    });
}
