//! The documents through the intake that nodes put in front of them.

use renkei_population::{Content, DocumentKind, Expected, Population, adversarial};
use renkei_records::{Accepted, Concept, DOCUMENT_MAX_BYTES, FhirDate, Form, Kind, NESTING_MAX, RefusalCode, intake};

use crate::{SEED, index, spread};

fn accepted(at: &str, document: &[u8]) -> Accepted {
    intake(document).unwrap_or_else(|refusal| panic!("{at}: {refusal}"))
}

fn day(date: Option<&FhirDate>) -> Option<&str> {
    date.map(|date| date.as_str().split('T').next().unwrap_or_default())
}

/// Date in the form of FHIR.
fn spelled(date: time::Date) -> String {
    format!("{:04}-{:02}-{:02}", date.year(), date.month() as u8, date.day())
}

fn assert_codes(at: &str, read: &[&Concept], expected: &Expected, whole: bool) {
    let codes = || read.iter().flat_map(|concept| &concept.codes);
    for coding in expected.content.codings() {
        let found = codes().any(|code| {
            code.system.as_deref() == Some(coding.system)
                && code.code.as_deref() == Some(&coding.code)
                && code.display.as_deref() == Some(&coding.display)
        });
        assert!(found, "{at}: {coding:?} is not in the summary");
    }
    if whole {
        assert_eq!(codes().count(), expected.content.codings().len(), "{at}: codes that nobody wrote");
    }
}

fn assert_content(at: &str, read: &renkei_records::Content, expected: &Expected) {
    let date = spelled(expected.date);
    match (read, &expected.content) {
        (renkei_records::Content::Prescription(read), Content::Prescription(wrote)) => {
            assert_eq!(read.number.map(|number| number.to_string()).as_ref(), Some(&expected.identifier), "{at}");
            assert_eq!(day(read.written.as_ref()), Some(&*date), "{at}");
            assert_eq!(read.drugs.len(), wrote.drugs.len(), "{at}");
            for (read, wrote) in read.drugs.iter().zip(&wrote.drugs) {
                let product = read.product.as_ref().expect("a drug has a product");
                assert_eq!(product.text.as_ref(), Some(&wrote.text), "{at}");
                let days = read.days.as_ref().and_then(|days| days.value.clone());
                assert_eq!(days, Some(wrote.days.to_string()), "{at}");
                let dose = read.usages[0].dose.as_ref().and_then(|dose| dose.value.clone());
                assert_eq!(dose, Some(wrote.dose.to_string()), "{at}");
            }
            let products: Vec<&Concept> = read.drugs.iter().filter_map(|drug| drug.product.as_ref()).collect();
            assert_codes(at, &products, expected, true);
        }
        (renkei_records::Content::Vaccination(read), Content::Vaccination(wrote)) => {
            assert_codes(at, &[&read.vaccine], expected, true);
            assert_eq!(read.vaccine.text.as_ref(), Some(&wrote.text), "{at}");
            assert_eq!(day(read.given.as_ref()), Some(&*date), "{at}");
            assert_eq!(read.lot.as_ref(), Some(&wrote.lot), "{at}");
            assert_eq!(read.protocols[0].dose_number, Some(wrote.dose.to_string()), "{at}");
            let due = wrote.next_due.map(spelled);
            assert_eq!(day(read.next_due.as_ref()), due.as_deref(), "{at}");
        }
        (renkei_records::Content::DischargeSummary(read), Content::Discharge(wrote)) => {
            assert_eq!(day(read.admitted.as_ref()), Some(&*spelled(wrote.admitted)), "{at}");
            assert_eq!(day(read.discharged.as_ref()), Some(&*date), "{at}");
            assert_eq!(read.facility, Some(expected.institution.name()), "{at}");
            let diseases: Vec<&Concept> = read.diagnoses.iter().filter_map(|one| one.disease.as_ref()).collect();
            assert_codes(at, &diseases, expected, false);
            assert_eq!(read.diagnoses.len(), wrote.diagnoses.len(), "{at}");
            assert!(read.sections.len() >= 10, "{at}: {} sections", read.sections.len());
        }
        _ => panic!("{at}: the summary is of another kind"),
    }
}

#[test]
fn every_document_is_taken_and_its_summary_says_what_was_written() {
    let population = Population::new(SEED);
    for (kind, taken_as, form) in [
        (DocumentKind::Prescription, Kind::Prescription, Form::DocumentBundle),
        (DocumentKind::Vaccination, Kind::Vaccination, Form::SingleResource),
        (DocumentKind::Discharge, Kind::DischargeSummary, Form::DocumentBundle),
    ] {
        for (version, index) in (0..).zip(spread(1_500)) {
            let at = format!("seed {SEED}: {kind:?} of {index:?}, version {version}");
            let expected = population.expected(index, kind, version);
            let accepted = accepted(&at, &population.document(index, kind, version));
            assert_eq!((accepted.kind, accepted.form), (taken_as, form), "{at}");
            assert_eq!(accepted.month, expected.month, "{at}");
            let issuer = accepted.issuer.map(|issuer| issuer.to_string());
            assert_eq!(issuer.as_deref(), Some(expected.institution.number()), "{at}");
            assert_eq!(accepted.summary.left_out, 0, "{at}");
            assert_content(&at, &accepted.summary.content, &expected);
            let subject = accepted.subject;
            assert_eq!(subject.member_ids.len(), 1, "{at}");
            assert_eq!(subject.member_ids[0].original(), expected.person.member.to_string(), "{at}");
            if form == Form::DocumentBundle {
                assert_eq!(subject.sex.map(|sex| sex.code()), Some(expected.person.sex.code()), "{at}");
                let birth_date = subject.birth_date.map(|date| date.to_string());
                assert_eq!(birth_date, Some(spelled(expected.person.birth_date)), "{at}");
            }
        }
    }
}

/// What intake says to a document, `None` when it takes it.
fn refused(document: &[u8]) -> Option<RefusalCode> {
    intake(document).err().map(|refusal| refusal.code)
}

#[test]
fn each_fault_is_refused_by_its_code() {
    let population = Population::new(SEED);
    for (version, person) in (0..).zip(spread(50)) {
        let at = format!("seed {SEED}: {person:?}, version {version}");
        let wrong = adversarial::wrong_check_digit(&population, person, version);
        assert_eq!(refused(&wrong), Some(RefusalCode::InvalidInstitutionNumber), "{at}");
        let other = adversarial::other_patient(&population, person, index(person.get() + 3), version);
        assert_eq!(refused(&other), Some(RefusalCode::OtherPatient), "{at}");
        assert_eq!(refused(&adversarial::deep(&population, person, version, NESTING_MAX)), None, "{at}");
        let deeper = adversarial::deep(&population, person, version, NESTING_MAX + 1);
        assert_eq!(refused(&deeper), Some(RefusalCode::TooDeep), "{at}");
    }
    let longest = population.discharge_of_size(index(1), 1, DOCUMENT_MAX_BYTES);
    assert_eq!(refused(&longest), None, "seed {SEED}");
    let longer = adversarial::over_long(&population, index(1), 1, DOCUMENT_MAX_BYTES);
    assert_eq!(refused(&longer), Some(RefusalCode::TooLarge), "seed {SEED}");
}

/// It is taken, and stays what it is: a dummy code beside the name of a drug.
#[test]
fn a_dummy_code_becomes_no_other_drug() {
    let population = Population::new(SEED);
    for (version, index) in (0..).zip(spread(50)) {
        let at = format!("seed {SEED}: {index:?}, version {version}");
        let expected = population.expected(index, DocumentKind::Prescription, version);
        let Content::Prescription(wrote) = &expected.content else { panic!("{at}: a prescription was asked for") };
        let document = adversarial::dummy_drug_code(&population, index, version);
        let renkei_records::Content::Prescription(read) = accepted(&at, &document).summary.content else {
            panic!("{at}: a prescription was written")
        };
        let product = read.drugs[0].product.as_ref().expect("a drug has a product");
        assert_eq!(product.codes.len(), 1, "{at}");
        assert_eq!(product.codes[0].code.as_deref(), Some("999999999"), "{at}");
        assert_eq!(product.text.as_ref(), Some(&wrote.drugs[0].text), "{at}");
    }
}
