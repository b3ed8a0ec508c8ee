//! Adversarial variants have the one fault that they are named for.

use renkei_population::{DocumentKind, FiveItems, Population, adversarial};
use renkei_records::MemberId;
use serde_json::Value;

use crate::{SEED, index, spread};

fn depth(document: &[u8]) -> u32 {
    let (mut open, mut deepest) = (0_u32, 0);
    for byte in document {
        match byte {
            b'{' | b'[' => open += 1,
            b'}' | b']' => open -= 1,
            _ => continue,
        }
        deepest = deepest.max(open);
    }
    deepest
}

#[test]
fn a_wrong_check_digit_changes_nothing_but_the_number() {
    let population = Population::new(SEED);
    let right = population.document(index(3), DocumentKind::Prescription, 1);
    let wrong = adversarial::wrong_check_digit(&population, index(3), 1);
    assert_eq!(right.len(), wrong.len());
    assert_ne!(right, wrong);
    let document: Value = serde_json::from_slice(&wrong).unwrap();
    let number = population.expected(index(3), DocumentKind::Prescription, 1).institution;
    assert!(!document.to_string().contains(number.number()));
}

#[test]
fn another_patient_is_in_the_bundle() {
    let population = Population::new(SEED);
    let document: Value =
        serde_json::from_slice(&adversarial::other_patient(&population, index(3), index(400), 1)).unwrap();
    let patients: Vec<&Value> = document["entry"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| &entry["resource"])
        .filter(|resource| resource["resourceType"] == "Patient")
        .collect();
    assert_eq!(patients.len(), 2);
    assert_ne!(patients[0]["identifier"], patients[1]["identifier"]);
}

#[test]
fn a_dummy_code_stands_beside_the_name_of_a_drug() {
    let population = Population::new(SEED);
    let document = String::from_utf8(adversarial::dummy_drug_code(&population, index(3), 1)).unwrap();
    let expected = population.expected(index(3), DocumentKind::Prescription, 1);
    assert!(document.contains("\"999999999\""));
    assert!(document.contains(&expected.content.codings()[0].display));
    assert!(!document.contains(&format!("\"code\":\"{}\"", expected.content.codings()[0].code)));
}

#[test]
fn a_typo_is_refused_or_another_id() {
    let population = Population::new(SEED);
    for (variant, index) in (0..).zip(spread(10_000)) {
        let member = population.person(index).member;
        let right = MemberId::parse(&member.to_string()).unwrap();
        let typo = adversarial::with_typo(&member, variant).unwrap();
        let insurer_is_right = typo.starts_with(member.insurer.number());
        match MemberId::parse(&typo) {
            Ok(wrong) => {
                assert_ne!(wrong.comparison_form(), right.comparison_form(), "seed {SEED}: {index:?}: {typo}");
                assert!(insurer_is_right, "seed {SEED}: {index:?}: {typo} has a wrong insurer");
            }
            Err(_) => assert!(!insurer_is_right, "seed {SEED}: {index:?}: {typo} is refused for its number"),
        }
    }
}

#[test]
fn a_misregistered_person_has_the_member_id_of_another_and_the_rest_of_their_own() {
    let population = Population::new(SEED);
    let (first, second) = (population.person(index(3)), population.person(index(400)));
    let wrong = adversarial::misregistered(&population, index(3), index(400));
    assert_eq!(wrong.member, first.member);
    assert_ne!(first.member, second.member);
    assert_eq!(FiveItems::registered(&wrong), FiveItems::registered(&second));
}

#[test]
fn depth_and_length_are_those_asked_for() {
    let population = Population::new(SEED);
    for wanted in [8, 9, 63, 64, 65, 100] {
        let document = adversarial::deep(&population, index(3), 1, wanted);
        assert_eq!(depth(&document), wanted);
        assert!(serde_json::from_slice::<Value>(&document).is_ok(), "depth {wanted}");
    }
    assert_eq!(adversarial::over_long(&population, index(3), 1, 100_000).len(), 100_001);
}
