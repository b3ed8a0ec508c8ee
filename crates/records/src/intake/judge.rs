//! The decision about a document that has been read whole.

use renkei_ids::MonthBucket;

use super::{Accepted, Form, Kind};
use crate::date::FhirDate;
use crate::document::{Document, ResourceType};
use crate::institution::MedicalInstitution;
use crate::key::Key;
use crate::member_id::MemberId;
use crate::path::FieldPath;
use crate::prescription_number::PrescriptionNumber;
use crate::reading::{Reading, Root};
use crate::refusal::{Refusal, RefusalCode};
use crate::summary::{Concept, Content, Discharge, Prescription, Summary, Vaccination};
use crate::system::System;

const JPFHIR: &str = "http://jpfhir.jp/fhir/";
const PRESCRIPTION_BUNDLES: [&str; 2] = [
    "ePrescription/StructureDefinition/JP_Bundle_ePrescriptionData",
    "clins/StructureDefinition/JP_Bundle_ePrescriptionData",
];
const DISCHARGE_BUNDLES: [&str; 2] = [
    "eDischargeSummary/StructureDefinition/JP_Bundle_eDischargeSummary",
    "clins/StructureDefinition/JP_Bundle_eDischargeSummary",
];
const ORDERS: [&str; 4] = [
    "core/StructureDefinition/JP_MedicationRequest",
    "core/StructureDefinition/JP_MedicationRequest_Injection",
    "eCS/StructureDefinition/JP_MedicationRequest_eCS",
    "ePrescription/StructureDefinition/JP_MedicationRequest_ePrescriptionData",
];
const IMMUNIZATIONS: [&str; 2] =
    ["core/StructureDefinition/JP_Immunization", "eCS/StructureDefinition/JP_Immunization_eCS"];

/// LOINC codes of the two documents, in the systems that publish them as document types.
const DOCUMENT_TYPES: [(&str, Kind); 2] = [("57833-6", Kind::Prescription), ("18842-5", Kind::DischargeSummary)];
const DOCUMENT_TYPE_SYSTEMS: [&str; 2] = ["http://jpfhir.jp/fhir/Common/CodeSystem/doc-typecodes", "http://loinc.org"];

/// The parts of a record that depend on its kind.
struct Reckoned {
    content: Content,
    month: Option<MonthBucket>,
    issuer: Option<MedicalInstitution>,
}

pub(super) fn judge(reading: Reading) -> Result<Accepted, Refusal> {
    let Reading { findings, mut people, mut document, root, .. } = reading;
    let root = root.ok_or(RefusalCode::NotAResource)?;
    findings.safety.map_or(Ok(()), Err)?;
    for id in coverage_ids(&document) {
        people.state_member_id(id);
    }
    let (subject, stranger) = people.settle();
    stranger.map_or(Ok(()), Err)?;
    let (kind, form, profiles) = what(&root, &document)?;
    check_profiles(&root.draft.profiles, profiles)?;
    findings.field.map_or(Ok(()), Err)?;
    let marks = document.marks;
    let of_root = root.draft.room.left_out;
    let own_issuer = bundle_issuer(&root)?;
    let Reckoned { content, month, issuer } = match kind {
        Kind::Prescription => prescription(&root, &mut document, own_issuer)?,
        Kind::Vaccination => vaccination(root, &document)?,
        Kind::DischargeSummary => discharge(&mut document, own_issuer)?,
    };
    let month = month.ok_or_else(|| {
        let date: &[Key] = match (form, kind) {
            (Form::DocumentBundle, _) => &COMPOSITION_DATE,
            (Form::SingleResource, Kind::Vaccination) => &[Key::OccurrenceDateTime],
            (Form::SingleResource, _) => &[Key::AuthoredOn],
        };
        Refusal::at(RefusalCode::MissingDate, FieldPath::of(date))
    })?;
    let left_out = document.left_out.saturating_add(of_root);
    let summary = Summary { marks, left_out, content }.fitted();
    Ok(Accepted { kind, form, summary, subject, month, issuer })
}

/// Member ids of coverages that show their parts only. Parts that make no id are left: they claim nothing.
fn coverage_ids(document: &Document) -> Vec<MemberId> {
    let id = |coverage| {
        let insurer = document.payor_of(coverage)?;
        let [symbol, number, branch] = coverage.insured.each_ref().map(|part| part.as_deref().unwrap_or_default());
        MemberId::from_parts(insurer, symbol, number, branch).ok()
    };
    document.coverages.iter().filter_map(id).collect()
}

/// Kind and form of what the root is, and the profiles taken for it.
fn what(root: &Root, document: &Document) -> Result<(Kind, Form, &'static [&'static str]), Refusal> {
    match root.kind {
        ResourceType::MedicationRequest => Ok((Kind::Prescription, Form::SingleResource, &ORDERS)),
        ResourceType::Immunization => Ok((Kind::Vaccination, Form::SingleResource, &IMMUNIZATIONS)),
        ResourceType::Bundle => {
            if root.bundle_type.as_deref() != Some("document") {
                return Err(Refusal::at(RefusalCode::BundleTypeNotTaken, FieldPath::of(&[Key::Type])));
            }
            if document.compositions != 1 {
                return Err(Refusal::at(RefusalCode::NotOneComposition, FieldPath::of(&[Key::Entry])));
            }
            match document.composition.kind.as_ref().and_then(document_kind) {
                Some(kind @ Kind::Prescription) => Ok((kind, Form::DocumentBundle, &PRESCRIPTION_BUNDLES)),
                Some(kind) => Ok((kind, Form::DocumentBundle, &DISCHARGE_BUNDLES)),
                None => Err(Refusal::at(
                    RefusalCode::DocumentTypeNotTaken,
                    FieldPath::of(&[Key::Entry, Key::Resource, Key::Type]),
                )),
            }
        }
        _ => Err(Refusal::at(RefusalCode::ResourceNotTaken, FieldPath::of(&[Key::ResourceType]))),
    }
}

fn document_kind(concept: &Concept) -> Option<Kind> {
    concept.codes.iter().find_map(|code| {
        let system = code.system.as_deref()?;
        let known = DOCUMENT_TYPE_SYSTEMS.contains(&system);
        let kind = DOCUMENT_TYPES.iter().find(|(loinc, _)| code.code.as_deref() == Some(loinc));
        kind.filter(|_| known).map(|(_, kind)| *kind)
    })
}

/// Profiles of others are data; of jpfhir.jp's, one that is taken must be among those named, in any version.
fn check_profiles(named: &[String], taken: &[&str]) -> Result<(), Refusal> {
    let mut japanese = named
        .iter()
        .filter_map(|profile| profile.strip_prefix(JPFHIR))
        .map(|profile| profile.split_once('|').map_or(profile, |(profile, _)| profile))
        .peekable();
    if japanese.peek().is_some() && !japanese.any(|profile| taken.contains(&profile)) {
        return Err(Refusal::at(RefusalCode::ProfileNotTaken, FieldPath::of(&[Key::Meta, Key::Profile])));
    }
    Ok(())
}

/// The institution in the Bundle's own identifier, `institution^year^local`.
fn bundle_issuer(root: &Root) -> Result<Option<MedicalInstitution>, Refusal> {
    let Some(identifier) = root.draft.identifiers.iter().find(|identifier| identifier.system == System::Bundle) else {
        return Ok(None);
    };
    let institution = identifier.value.split('^').next().unwrap_or_default();
    institution
        .parse()
        .map(Some)
        .map_err(|_| Refusal::at(RefusalCode::InvalidInstitutionNumber, FieldPath::of(&[Key::Identifier, Key::Value])))
}

/// The date of a field that is there; a date of no calendar is refused.
fn date(text: Option<&str>, field: &[Key]) -> Result<Option<FhirDate>, Refusal> {
    text.map(|text| text.parse().map_err(|_| Refusal::at(RefusalCode::InvalidDate, FieldPath::of(field)))).transpose()
}

const COMPOSITION_DATE: [Key; 3] = [Key::Entry, Key::Resource, Key::Date];

fn prescription(
    root: &Root,
    document: &mut Document,
    own_issuer: Option<MedicalInstitution>,
) -> Result<Reckoned, Refusal> {
    let single = root.kind == ResourceType::MedicationRequest;
    let number: Option<PrescriptionNumber> = document
        .composition
        .prescription_number
        .as_deref()
        .map(|number| {
            number.parse().map_err(|_| {
                let field = [Key::Entry, Key::Resource, Key::Identifier, Key::Value];
                Refusal::at(RefusalCode::InvalidPrescriptionNumber, FieldPath::of(&field))
            })
        })
        .transpose()?;
    let drugs = document.take_drugs();
    let place: &[Key] = if single { &[] } else { &[Key::Entry, Key::Resource] };
    let field = |key: Key| [place, &[key]].concat();
    if drugs.is_empty()
        || drugs.iter().any(|drug| drug.product.is_none() && drug.ingredients.is_empty() && drug.elsewhere.is_none())
    {
        let medication = field(Key::MedicationCodeableConcept);
        return Err(Refusal::at(RefusalCode::MissingField, FieldPath::of(&medication)));
    }
    let mut ordered = None;
    for drug in &drugs {
        let on = date(drug.ordered.as_deref(), &field(Key::AuthoredOn))?;
        ordered = ordered.or(on);
    }
    let written = date(document.composition.date.as_deref(), &COMPOSITION_DATE)?.or(ordered);
    let facility = document.facility();
    let issuer = own_issuer
        .or(number.map(PrescriptionNumber::issuer))
        .or(document.institution)
        .or(facility.as_ref().and_then(|(_, institution)| *institution));
    let month = written.as_ref().and_then(FhirDate::month);
    let facility = facility.and_then(|(name, _)| name);
    let content = Prescription { number, written, issuer, facility, drugs };
    Ok(Reckoned { content: Content::Prescription(content), month, issuer })
}

fn vaccination(root: Root, document: &Document) -> Result<Reckoned, Refusal> {
    let Root { status, occurrence, occurrence_text, recorded, lot, expires, draft, .. } = root;
    let vaccine =
        draft.vaccine.ok_or_else(|| Refusal::at(RefusalCode::MissingField, FieldPath::of(&[Key::VaccineCode])))?;
    let given = date(occurrence.as_deref(), &[Key::OccurrenceDateTime])?;
    let recorded = date(recorded.as_deref(), &[Key::Recorded])?;
    let month = given.as_ref().and_then(FhirDate::month).or(recorded.as_ref().and_then(FhirDate::month));
    let issuer = draft.institution.as_deref().and_then(|number| number.parse().ok()).or(document.institution);
    let content = Vaccination {
        status,
        vaccine,
        given,
        given_text: occurrence_text,
        lot,
        expires: date(expires.as_deref(), &[Key::ExpirationDate])?,
        dose: draft.dose,
        site: draft.site,
        route: draft.route,
        protocols: draft.protocols,
        next_due: date(draft.next_due.as_deref(), &[Key::Extension, Key::ValueDateTime])?,
        issuer,
    };
    Ok(Reckoned { content: Content::Vaccination(content), month, issuer })
}

fn discharge(document: &mut Document, own_issuer: Option<MedicalInstitution>) -> Result<Reckoned, Refusal> {
    let (admitted, discharged) = document.stay();
    let period = |key: Key| [Key::Entry, Key::Resource, Key::Period, key];
    let admitted = date(admitted.as_deref(), &period(Key::Start))?;
    let discharged = date(discharged.as_deref(), &period(Key::End))?;
    let written = date(document.composition.date.as_deref(), &COMPOSITION_DATE)?;
    let month = [&discharged, &written].into_iter().flatten().find_map(FhirDate::month);
    let facility = document.facility();
    let issuer = own_issuer.or(document.institution).or(facility.as_ref().and_then(|(_, institution)| *institution));
    let content = Discharge {
        admitted,
        discharged,
        written,
        issuer,
        facility: facility.and_then(|(name, _)| name),
        diagnoses: core::mem::take(&mut document.diagnoses),
        sections: core::mem::take(&mut document.composition.sections),
    };
    Ok(Reckoned { content: Content::DischargeSummary(content), month, issuer })
}
