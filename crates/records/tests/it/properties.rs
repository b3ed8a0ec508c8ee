//! Whatever comes in, a decision comes out.

use proptest::prelude::*;
use renkei_records::{Accepted, DOCUMENT_MAX_BYTES, MEMBERS_MAX, NESTING_MAX, RefusalCode, Summary, fold, intake};

use crate::documents::{
    PATIENT, condition, discharge, immunization, observation, order, prescription, prescription_of,
};

/// A decision keeps its own promises.
fn holds(accepted: &Accepted) {
    let encoded = accepted.summary.encode();
    assert!(encoded.len() <= renkei_records::SUMMARY_MAX_BYTES);
    let decoded = Summary::decode(&encoded).expect("an encoded summary decodes");
    assert!(decoded == accepted.summary && decoded.encode() == encoded);
}

fn decide(document: &[u8]) -> Option<RefusalCode> {
    match intake(document) {
        Ok(accepted) => {
            holds(&accepted);
            None
        }
        Err(refusal) => Some(refusal.code),
    }
}

/// Names and values that FHIR and intake know, so that random JSON goes deep.
fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        8 => prop::sample::select(vec![
            "resourceType", "entry", "resource", "contained", "identifier", "system", "value", "coding", "code", "text",
            "subject", "reference", "medicationCodeableConcept", "dosageInstruction", "doseAndRate", "section", "meta",
            "profile", "extension", "url", "valueIdentifier", "birthDate", "gender", "photo", "fullUrl", "type", "date",
        ])
        .prop_map(str::to_owned),
        1 => "\\PC{0,6}",
    ]
}

fn json() -> impl Strategy<Value = String> {
    let text = prop_oneof![
        prop::sample::select(vec![
            "Bundle",
            "document",
            "Composition",
            "Patient",
            "MedicationRequest",
            "Medication",
            "Immunization",
            "#a",
            "a",
            "Patient/a",
            "57833-6",
            "123456789018",
            "2026-01-01",
            "male",
        ])
        .prop_map(str::to_owned),
        "\\PC{0,12}",
    ];
    let leaf = prop_oneof![
        text.prop_map(|text| serde_json::to_string(&text).expect("a string is JSON")),
        "-?(0|[1-9][0-9]{0,30})(\\.[0-9]{1,20})?([eE][+-]?[0-9]{1,4})?",
        prop::sample::select(vec!["true", "false", "null", "{}", "[]"]).prop_map(str::to_owned),
    ];
    leaf.prop_recursive(8, 128, 8, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(|items| format!("[{}]", items.join(","))),
            prop::collection::btree_map(name(), inner, 0..8).prop_map(|members| {
                let members: Vec<_> = members
                    .iter()
                    .map(|(name, value)| format!("{}:{value}", serde_json::to_string(name).expect("a string is JSON")))
                    .collect();
                format!("{{{}}}", members.join(","))
            }),
        ]
    })
}

fn valid() -> impl Strategy<Value = String> {
    prop_oneof![
        (1usize..5).prop_map(prescription),
        Just(immunization()),
        (0usize..3).prop_map(|n| discharge("clins", &[condition(n, ""), observation(n)])),
        Just(order(1, "Patient/1")),
    ]
}

proptest! {
    #[test]
    fn random_bytes_are_decided(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        decide(&bytes);
    }

    #[test]
    fn random_json_is_never_called_malformed(text in json()) {
        let code = decide(text.as_bytes());
        prop_assert!(
            !matches!(code, Some(RefusalCode::MalformedJson | RefusalCode::NotUtf8 | RefusalCode::TrailingData)),
            "{code:?}: {text}"
        );
    }

    /// What serde_json does not read as a value is not taken; what is taken, it reads.
    #[test]
    fn what_is_taken_is_json_to_others(document in valid(), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut bytes = document.into_bytes();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        if decide(&bytes).is_none() {
            prop_assert!(serde_json::from_slice::<serde::de::IgnoredAny>(&bytes).is_ok());
        }
    }

    #[test]
    fn mutations_of_valid_documents_are_decided(
        document in valid(),
        from in any::<prop::sample::Index>(),
        len in 0usize..40,
        insert in "\\PC{0,8}",
    ) {
        let from = from.index(document.len());
        let mut bytes = document.into_bytes();
        let end = (from + len).min(bytes.len());
        bytes.splice(from..end, insert.into_bytes());
        decide(&bytes);
    }

    #[test]
    fn cut_documents_are_refused(document in valid(), at in any::<prop::sample::Index>()) {
        let at = at.index(document.len());
        prop_assert!(decide(&document.as_bytes()[..at]).is_some());
    }

    #[test]
    fn the_digits_of_a_dose_are_kept(digits in "(0|[1-9][0-9]{0,20})(\\.[0-9]{1,20})?") {
        let order = order(1, PATIENT).replace(r#""value":1.50"#, &format!(r#""value":{digits}"#));
        let accepted = intake(order.as_bytes()).expect("a valid order");
        let encoded = accepted.summary.encode();
        prop_assert!(encoded.windows(digits.len()).any(|window| window == digits.as_bytes()), "{digits}");
    }

    #[test]
    fn a_member_id_has_one_comparison_form(symbol in "[あ-んァ-ン0-9A-Z０-９]{0,6}", number in "[0-9]{1,8}") {
        let id = |symbol: &str, number: &str| {
            renkei_records::MemberId::parse(&format!("06139877:{symbol}:{number}:01")).expect("a valid id")
        };
        let wide: String = number.chars().map(|c| char::from_u32(u32::from(c) + 0xFEE0).expect("full-width digit")).collect();
        let (plain, other) = (id(&symbol, &number), id(&fold(&symbol), &wide));
        prop_assert_eq!(plain.comparison_form(), other.comparison_form());
    }
}

#[test]
fn sizes_are_taken_to_their_edge() {
    let mut document = prescription(1).into_bytes();
    document.resize(DOCUMENT_MAX_BYTES, b' ');
    assert_eq!(decide(&document), None);
    document.push(b' ');
    assert_eq!(decide(&document), Some(RefusalCode::TooLarge));
}

#[test]
fn depth_is_taken_to_its_edge() {
    // The order's own object is the first level.
    let nested = |levels: u32| {
        let levels = usize::try_from(levels).expect("small");
        let value = format!("{}1{}", r#"{"x":"#.repeat(levels - 1), "}".repeat(levels - 1));
        order(1, PATIENT).replace(r#""intent":"order""#, &format!(r#""intent":"order","x":{value}"#))
    };
    assert_eq!(decide(nested(NESTING_MAX).as_bytes()), None);
    assert_eq!(decide(nested(NESTING_MAX + 1).as_bytes()), Some(RefusalCode::TooDeep));
}

#[test]
fn names_are_taken_to_their_edge() {
    let wide = |names: usize| {
        let members: Vec<String> = (0..names).map(|number| format!(r#""n{number}":1"#)).collect();
        order(1, PATIENT).replace(r#""intent":"order""#, &format!(r#""intent":"order","x":{{{}}}"#, members.join(",")))
    };
    assert_eq!(decide(wide(MEMBERS_MAX).as_bytes()), None);
    assert_eq!(decide(wide(MEMBERS_MAX + 1).as_bytes()), Some(RefusalCode::TooManyMembers));
}

#[test]
fn a_vaccination_of_many_long_codes_is_bounded() {
    let code = format!(r#"{{"system":"{0}","code":"{0}","display":"{0}"}}"#, "c".repeat(1_000));
    let codes = vec![code; 32].join(",");
    let document = immunization()
        .replace(r#""site":{"text":"左腕"}"#, &format!(r#""site":{{"coding":[{codes}]}}"#))
        .replace(r#"{"system":"http://hl7.org/fhir/sid/cvx","code":"150"}"#, &codes);
    let accepted = intake(document.as_bytes()).expect("a valid document");
    holds(&accepted);
    assert!(accepted.summary.left_out > 40, "{}", accepted.summary.left_out);
}

/// Many resources, and many parts in each: the summary stays within its bound and says what it lacks.
#[test]
fn crowds_are_bounded() {
    let orders: Vec<String> = (0..600).map(|number| order(number % 1000, PATIENT)).collect();
    let accepted = intake(prescription_of(&orders).as_bytes()).expect("a valid document");
    holds(&accepted);
    assert!(accepted.summary.left_out > 300);
    let conditions: Vec<String> = (0..2_000).map(|number| condition(number, "")).collect();
    let accepted = intake(discharge("clins", &conditions).as_bytes()).expect("a valid document");
    holds(&accepted);
    assert!(accepted.summary.left_out > 1_700);
}
