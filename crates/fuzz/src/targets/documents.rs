//! Raw bytes as a document: a decision is taken, the same each time, and it keeps its own promises.

use renkei_ids::MonthBucket;
use renkei_population::{DocumentKind, PersonIndex, Population, adversarial};
use renkei_records::{Accepted, Refusal, SUMMARY_MAX_BYTES, Summary, intake};
use serde::de::IgnoredAny;

pub(super) fn run(document: &[u8]) {
    if judge(document).is_err() {
        return;
    }
    // What is taken, every other reader of JSON reads.
    assert!(serde_json::from_slice::<IgnoredAny>(document).is_ok(), "taken, and no JSON to others");
    let end = document.trim_ascii_end().len();
    assert!(intake(&document[..end - 1]).is_err(), "a document without its last bracket is taken");
    // One byte is spared, for a document of the largest size.
    assert!(intake(&document[..end]).is_ok(), "white space behind a document decides");
}

/// Decides twice. Gives what was decided.
pub(super) fn judge(document: &[u8]) -> Result<Accepted, Refusal> {
    let (first, second) = (intake(document), intake(document));
    match (&first, &second) {
        (Ok(first), Ok(second)) => {
            assert!(same(first, second), "the same document twice, and two readings");
            holds(first);
        }
        (Err(first), Err(second)) => {
            assert_eq!(first, second, "the same document twice, and two refusals");
            // It names fields that this project knows, and nothing else of the document.
            assert!(first.to_string().is_ascii(), "a refusal repeats the document");
        }
        _ => panic!("the same document is taken and refused"),
    }
    first
}

/// Whether two readings are one.
pub(super) fn same(one: &Accepted, other: &Accepted) -> bool {
    let Accepted { kind, form, summary, subject, month, issuer } = one;
    let forms = |accepted: &Accepted| -> Vec<String> {
        accepted.subject.member_ids.iter().map(|id| id.comparison_form().to_owned()).collect()
    };
    (*kind, *form, *month, *issuer) == (other.kind, other.form, other.month, other.issuer)
        && *summary == other.summary
        && (subject.birth_date, subject.sex) == (other.subject.birth_date, other.subject.sex)
        && forms(one) == forms(other)
}

fn holds(accepted: &Accepted) {
    let encoded = accepted.summary.encode();
    assert!(encoded.len() <= SUMMARY_MAX_BYTES, "a summary of {} bytes", encoded.len());
    let decoded = Summary::decode(&encoded).expect("a summary that intake made decodes");
    assert!(decoded == accepted.summary && decoded.encode() == encoded, "a summary changes on its way");
    assert!((MonthBucket::MIN..=MonthBucket::MAX).contains(&accepted.month));
    assert!(accepted.subject.member_ids.len() <= renkei_records::MEMBER_IDS_MAX);
}

pub(super) const KINDS: [DocumentKind; 3] =
    [DocumentKind::Prescription, DocumentKind::Vaccination, DocumentKind::Discharge];

pub(super) fn person(number: u32) -> PersonIndex {
    PersonIndex::try_from(number).expect("there are more persons")
}

pub(super) fn seeds() -> Vec<Vec<u8>> {
    let population = Population::new(7);
    let mut seeds: Vec<_> = KINDS
        .into_iter()
        .flat_map(|kind| [1, 2].map(|version| population.document(person(version), kind, version)))
        .collect();
    seeds.push(adversarial::wrong_check_digit(&population, person(3), 1));
    seeds.push(adversarial::other_patient(&population, person(4), person(5), 1));
    seeds.push(adversarial::dummy_drug_code(&population, person(6), 1));
    seeds.push(adversarial::deep(&population, person(7), 1, 65));
    seeds.push(
        br#"{"resourceType":"MedicationRequest","medicationCodeableConcept":{"text":"x"},"authoredOn":"2026-01-01"}"#
            .to_vec(),
    );
    seeds
        .push(br#"{"resourceType":"Immunization","vaccineCode":{"text":"x"},"occurrenceDateTime":"2026-01"}"#.to_vec());
    seeds.push(br#"[{"resourceType":"Patient","identifier":[{"value":"123456789018"}]}]"#.to_vec());
    seeds.push(r#"{"a":"\ud83d\ude00","b":[1.50e-3,null,true,{"c":"あ"}]}"#.as_bytes().to_vec());
    seeds
}
