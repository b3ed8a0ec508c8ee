//! Documents: valid JSON of the sizes of real ones, that say what was expected of them.

use std::collections::HashSet;

use renkei_population::{Content, Discharge, DocumentKind, Population, ProfileRoot};
use serde_json::Value;

use crate::{SEED, digit_runs, index, spread};

fn each(
    kind: DocumentKind,
    count: u32,
    mut check: impl FnMut(u32, &Population, renkei_population::PersonIndex, &[u8]),
) {
    let population = Population::new(SEED);
    let mut out = Vec::new();
    for (version, index) in (0..).zip(spread(count)) {
        out.clear();
        population.document_into(index, kind, version, &mut out);
        check(version, &population, index, &out);
    }
}

/// Every string of a value with the key that it stands under.
fn strings<'a>(value: &'a Value, key: &'a str, found: &mut Vec<(&'a str, &'a str)>) {
    match value {
        Value::String(text) => found.push((key, text)),
        Value::Array(items) => items.iter().for_each(|item| strings(item, key, found)),
        Value::Object(members) => members.iter().for_each(|(name, item)| strings(item, name, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[test]
fn every_document_is_json_and_says_what_is_expected() {
    for kind in DocumentKind::ALL {
        each(kind, 2_000, |version, population, index, bytes| {
            let at = format!("seed {SEED}: {kind:?} of {index:?}, version {version}");
            let document: Value = serde_json::from_slice(bytes).unwrap_or_else(|error| panic!("{at}: {error}"));
            let expected = population.expected(index, kind, version);
            let mut found = Vec::new();
            strings(&document, "", &mut found);
            assert!(found.iter().all(|(_, text)| !text.is_empty()), "{at}: FHIR has no empty strings");
            let has = |key: &str, text: &str| found.contains(&(key, text));
            assert!(has("value", &expected.identifier), "{at}: {}", expected.identifier);
            assert!(has("value", &expected.person.member.to_string()), "{at}: member id");
            assert!(has("value", expected.institution.number()), "{at}: {:?}", expected.institution);
            for coding in expected.content.codings() {
                assert!(has("system", coding.system) && has("code", &coding.code), "{at}: {coding:?}");
            }
            assert_eq!(expected.content.kind(), kind);
            assert_eq!(expected.month.year(), u16::try_from(expected.date.year()).unwrap());
        });
    }
}

#[test]
fn bundles_hold_one_patient_and_refer_to_what_they_hold() {
    for kind in [DocumentKind::Prescription, DocumentKind::Discharge] {
        each(kind, 300, |version, _, index, bytes| {
            let at = format!("seed {SEED}: {kind:?} of {index:?}, version {version}");
            let document: Value = serde_json::from_slice(bytes).unwrap();
            let entries = document["entry"].as_array().unwrap();
            assert_eq!(entries[0]["resource"]["resourceType"], "Composition", "{at}");
            let patients = entries.iter().filter(|entry| entry["resource"]["resourceType"] == "Patient").count();
            assert_eq!(patients, 1, "{at}");
            let places: Vec<&str> = entries.iter().map(|entry| entry["fullUrl"].as_str().unwrap()).collect();
            assert_eq!(places.iter().collect::<HashSet<_>>().len(), places.len(), "{at}: a place twice");
            let mut found = Vec::new();
            strings(&document, "", &mut found);
            for (_, reference) in found.iter().filter(|(key, _)| *key == "reference") {
                assert!(places.contains(reference), "{at}: {reference} is not in the Bundle");
            }
        });
    }
}

fn sizes(kind: DocumentKind) -> Vec<usize> {
    let mut sizes = Vec::new();
    each(kind, 2_000, |_, _, _, bytes| sizes.push(bytes.len()));
    sizes.sort_unstable();
    sizes
}

#[test]
fn prescriptions_are_13_to_34_kilobytes_and_25_at_the_median() {
    let sizes = sizes(DocumentKind::Prescription);
    assert!(sizes[0] >= 13_000 && sizes[1_999] <= 34_500, "seed {SEED}: {} to {}", sizes[0], sizes[1_999]);
    assert!((22_000..28_000).contains(&sizes[1_000]), "seed {SEED}: median {}", sizes[1_000]);
}

#[test]
fn vaccinations_are_900_to_2000_bytes() {
    let sizes = sizes(DocumentKind::Vaccination);
    assert!(sizes[0] >= 900 && sizes[1_999] <= 2_000, "seed {SEED}: {} to {}", sizes[0], sizes[1_999]);
}

#[test]
fn discharge_summaries_are_20_to_130_kilobytes_with_a_long_tail() {
    let sizes = sizes(DocumentKind::Discharge);
    assert!(sizes[0] >= 20_000 && sizes[1_999] <= 1_200_000, "seed {SEED}: {} to {}", sizes[0], sizes[1_999]);
    assert!((40_000..130_000).contains(&sizes[1_000]), "seed {SEED}: median {}", sizes[1_000]);
    assert!(sizes[1_780] < 131_000 && sizes[1_860] > 130_000, "seed {SEED}: nine tenths are below {}", sizes[1_800]);
}

#[test]
fn a_discharge_summary_has_the_size_asked_for_to_the_byte() {
    let population = Population::new(SEED);
    for size in [60_000, 60_001, 60_002, 60_003, 1_000_000, 10_485_760, 10_485_761] {
        for version in 0..4 {
            let document = population.discharge_of_size(index(77), version, size);
            assert_eq!(document.len(), size, "seed {SEED}: version {version}");
            assert!(serde_json::from_slice::<Value>(&document).is_ok(), "seed {SEED}: {size}");
        }
    }
}

#[test]
fn every_stay_is_of_its_drawn_size_and_fits_the_roomy_one() {
    let population = Population::new(SEED);
    for index in spread(500) {
        for version in 0..4 {
            let expected = population.expected(index, DocumentKind::Discharge, version);
            let Content::Discharge(discharge) = expected.content else { panic!("a discharge was asked for") };
            let at = format!("seed {SEED}: {index:?}, version {version}");
            assert_eq!(population.document(index, DocumentKind::Discharge, version).len(), discharge.size, "{at}");
            let roomy = population.discharge_of_size(index, version, Discharge::ROOMY);
            assert_eq!(roomy.len(), Discharge::ROOMY, "{at}");
        }
    }
}

#[test]
fn both_published_roots_come_in_turn() {
    let population = Population::new(SEED);
    for (version, root) in [(2, ProfileRoot::EDischargeSummary), (3, ProfileRoot::Clins)] {
        let document: Value =
            serde_json::from_slice(&population.document(index(5), DocumentKind::Discharge, version)).unwrap();
        assert_eq!(document["meta"]["profile"][0], root.profile());
    }
}

/// Nothing can be taken for a My Number: no twelve digits in a row anywhere, of either width.
#[test]
fn no_document_holds_twelve_digits_in_a_row() {
    for kind in DocumentKind::ALL {
        each(kind, 1_000, |version, _, index, bytes| {
            let text = str::from_utf8(bytes).unwrap();
            let narrow: String = text.chars().map(|c| if ('０'..='９').contains(&c) { '9' } else { c }).collect();
            assert!(
                digit_runs(narrow.as_bytes()).all(|run| run != 12),
                "seed {SEED}: {kind:?} of {index:?}, version {version}"
            );
        });
    }
}

#[test]
fn versions_differ_and_the_person_stays() {
    let population = Population::new(SEED);
    for kind in DocumentKind::ALL {
        let one = population.expected(index(9), kind, 1);
        let two = population.expected(index(9), kind, 2);
        assert_eq!(one.person, two.person);
        assert_ne!(one.identifier, two.identifier);
        assert_ne!(population.document(index(9), kind, 1), population.document(index(9), kind, 2));
        assert_eq!(one, population.expected(index(9), kind, 1));
    }
}
