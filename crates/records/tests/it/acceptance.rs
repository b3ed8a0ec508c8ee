//! What is known of a document that is taken.

use renkei_ids::MonthBucket;
use renkei_records::{Accepted, Content, Form, Kind, Summary, intake};

use crate::documents::{
    self, PATIENT, PLANTED, condition, discharge, immunization, observation, order, prescription, prescription_of,
};

fn taken(document: &str) -> Accepted {
    intake(document.as_bytes()).unwrap_or_else(|refusal| panic!("{refusal}"))
}

#[test]
fn a_prescription_shows_its_drugs() {
    let accepted = taken(&prescription(2));
    assert_eq!((accepted.kind, accepted.form), (Kind::Prescription, Form::DocumentBundle));
    assert_eq!(Ok(accepted.month), MonthBucket::new(2026, 4));
    assert_eq!(accepted.issuer.map(|issuer| issuer.to_string()).as_deref(), Some("1319999999"));
    let Content::Prescription(content) = accepted.summary.content else { panic!("another kind") };
    assert_eq!(content.number.map(|number| number.to_string()).as_deref(), Some("1319999999-2026-00000042"));
    assert_eq!(content.facility.as_deref(), Some("架空中央病院"));
    assert_eq!(content.written.map(|date| date.to_string()).as_deref(), Some("2026-04-01T10:00:00+09:00"));
    assert_eq!(content.drugs.len(), 2);
    let drug = &content.drugs[1];
    let product = drug.product.as_ref().expect("a product");
    let codes: Vec<_> = product.codes.iter().map(|code| code.code.as_deref().unwrap_or_default()).collect();
    assert_eq!(codes, ["2149001F1001", "100000001"]);
    assert_eq!(product.text.as_deref(), Some("合成薬1錠１０ｍｇ「架空」"));
    let usage = &drug.usages[0];
    let value = |quantity: &Option<renkei_records::Quantity>| quantity.clone().and_then(|quantity| quantity.value);
    assert_eq!(value(&usage.dose).as_deref(), Some("1.0"));
    assert_eq!(value(&usage.rate).as_deref(), Some("1.50"));
    assert_eq!(usage.rate_per.as_ref().and_then(|per| per.code.as_deref()), Some("d"));
    assert_eq!(value(&usage.duration).as_deref(), Some("30"));
    assert_eq!(value(&drug.days).as_deref(), Some("30"));
    assert_eq!(usage.text.as_deref(), Some("１日１回朝食後　３０日分"));
    assert_eq!(usage.timing.as_ref().map(|timing| timing.codes.len()), Some(1));
    assert_eq!((drug.group.as_deref(), drug.status.as_deref()), (Some("1"), Some("active")));
}

#[test]
fn the_patient_is_told_with_ids_of_the_coverage_in_parts() {
    let accepted = taken(&prescription(1));
    assert_eq!(accepted.subject.birth_date.map(|date| date.to_string()).as_deref(), Some("1961-02-03"));
    assert_eq!(accepted.subject.sex.map(renkei_records::Sex::code), Some("male"));
    // The Patient writes the symbol in full width, the Coverage in half width: one id.
    let ids: Vec<_> = accepted.subject.member_ids.iter().map(|id| id.comparison_form()).collect();
    assert_eq!(ids, ["06139877:PL:7654321:02"]);
    let parts_only = prescription(1).replace(
        "http://jpfhir.jp/fhir/clins/Idsystem/JP_Insurance_memberID",
        "http://jpfhir.jp/fhir/clins/Idsystem/JP_PublicPayer_memberID",
    );
    let ids = taken(&parts_only).subject.member_ids;
    assert_eq!(ids.iter().map(|id| id.original()).collect::<Vec<_>>(), ["06139877:PL:7654321:02"]);
}

#[test]
fn a_single_order_is_a_prescription() {
    let accepted = taken(&order(7, "Patient/1"));
    assert_eq!((accepted.kind, accepted.form), (Kind::Prescription, Form::SingleResource));
    assert!(accepted.subject.is_empty());
    assert_eq!(accepted.issuer, None);
}

#[test]
fn a_product_is_found_wherever_the_document_has_it() {
    let by_reference = |target: &str| {
        let mut order = order(1, PATIENT);
        let begin = order.find(r#""medicationCodeableConcept""#).expect("a concept");
        let end = order.find(r#","subject""#).expect("a subject");
        order.replace_range(
            begin..end,
            &format!(r#""medicationReference":{{"reference":"{target}","display":"表示"}}"#),
        );
        order
    };
    let medication = r#"{"resourceType":"Medication","id":"m1","code":{"text":"輸液"},"ingredient":[{"itemCodeableConcept":{"coding":[{"code":"A"}]},"strength":{"numerator":{"value":0.10,"unit":"g"},"denominator":{"value":1,"unit":"袋"}}},{"itemCodeableConcept":{"text":"B"}}]}"#;
    let contained = by_reference("#m1").replacen('{', &format!(r#"{{"contained":[{medication}],"#), 1);
    for (order, others) in [
        (contained, vec![]),
        (by_reference("Medication/m1"), vec![medication.to_owned()]),
        (by_reference("urn:uuid:00000000-0000-4000-8000-000000000101"), vec![medication.to_owned()]),
    ] {
        let entries: Vec<String> = [order].into_iter().chain(others).collect();
        let Content::Prescription(content) = taken(&prescription_of(&entries)).summary.content else { panic!() };
        let drug = &content.drugs[0];
        assert_eq!(drug.product.as_ref().and_then(|product| product.text.as_deref()), Some("輸液"));
        assert_eq!(drug.ingredients.len(), 2);
        let strength = drug.ingredients[0].strength.as_ref().and_then(|strength| strength.value.as_deref());
        assert_eq!(strength, Some("0.10"));
        assert_eq!(drug.ingredients[0].per.as_ref().and_then(|per| per.unit.as_deref()), Some("袋"));
        assert_eq!(drug.elsewhere, None);
    }
    let Content::Prescription(content) = taken(&prescription_of(&[by_reference("Medication/9")])).summary.content
    else {
        panic!()
    };
    let drug = &content.drugs[0];
    assert_eq!(drug.elsewhere.as_deref(), Some("Medication/9"));
    assert_eq!(drug.product.as_ref().and_then(|product| product.text.as_deref()), Some("表示"));
}

#[test]
fn a_range_of_doses_keeps_both_ends() {
    let order = order(1, PATIENT).replace(
        r#""doseQuantity":{"value":1.0,"#,
        r#""doseRange":{"low":{"value":1},"high":{"value":2.0,"unit":"錠"}},"note":{"value":1.0,"#,
    );
    let Content::Prescription(content) = taken(&order).summary.content else { panic!() };
    let usage = &content.drugs[0].usages[0];
    let value = |quantity: &Option<renkei_records::Quantity>| quantity.clone().and_then(|quantity| quantity.value);
    assert_eq!((value(&usage.dose).as_deref(), value(&usage.dose_to).as_deref()), (Some("1"), Some("2.0")));
}

/// The incident of December 2024: two institutions used one dummy code for different drugs.
#[test]
fn a_dummy_code_stays_what_was_written() {
    let with = |name: &str| {
        let order = order(1, PATIENT)
            .replace("2149001F1001", "ZZZZ9999")
            .replace("http://capstandard.jp/iyaku.info/CodeSystem/YJ-code", "urn:local:dummy")
            .replace("合成薬1錠１０ｍｇ「架空」", name);
        let Content::Prescription(content) = taken(&prescription_of(&[order])).summary.content else { panic!() };
        content.drugs.into_iter().next().and_then(|drug| drug.product).expect("a product")
    };
    let (one, other) = (with("架空薬甲"), with("架空薬乙"));
    assert_eq!(one.codes, other.codes);
    assert_eq!(one.codes[0].code.as_deref(), Some("ZZZZ9999"));
    // The display of the code and the text disagree; both stand as they were.
    assert_eq!(one.codes[0].display.as_deref(), Some("合成薬1錠１０ｍｇ"));
    assert_eq!((one.text.as_deref(), other.text.as_deref()), (Some("架空薬甲"), Some("架空薬乙")));
}

#[test]
fn a_vaccination_shows_its_dose() {
    let accepted = taken(&immunization());
    assert_eq!((accepted.kind, accepted.form), (Kind::Vaccination, Form::SingleResource));
    assert_eq!(Ok(accepted.month), MonthBucket::new(2026, 5));
    assert_eq!(accepted.subject.member_ids.len(), 1);
    assert!(accepted.summary.marks.keep_long);
    let Content::Vaccination(content) = accepted.summary.content else { panic!("another kind") };
    assert_eq!(content.vaccine.codes.len(), 2);
    assert_eq!(content.lot.as_deref(), Some("L-77"));
    assert_eq!(content.next_due.map(|date| date.to_string()).as_deref(), Some("2026-11-01"));
    assert_eq!(content.dose.and_then(|dose| dose.value).as_deref(), Some("0.50"));
    assert_eq!(content.protocols[0].dose_number.as_deref(), Some("2"));
    assert_eq!(content.protocols[0].diseases[0].text.as_deref(), Some("合成病"));
    assert_eq!(content.site.and_then(|site| site.text).as_deref(), Some("左腕"));
}

#[test]
fn a_discharge_summary_shows_stay_and_diagnoses() {
    let mark = r#"{"system":"http://jpfhir.jp/fhir/clins/CodeSystem/JP_ehrshrs_indication","code":"UNINFORMED"}"#;
    for root in ["clins", "eDischargeSummary"] {
        let accepted = taken(&discharge(root, &[condition(0, ""), condition(1, mark), observation(1)]));
        assert_eq!(accepted.kind, Kind::DischargeSummary);
        assert_eq!(Ok(accepted.month), MonthBucket::new(2026, 3));
        let Content::DischargeSummary(content) = accepted.summary.content else { panic!("another kind") };
        assert_eq!(content.admitted.map(|date| date.to_string()).as_deref(), Some("2026-03-20"));
        assert_eq!(content.discharged.map(|date| date.to_string()).as_deref(), Some("2026-03-31T11:00:00+09:00"));
        assert_eq!(content.facility.as_deref(), Some("架空中央病院"));
        let told: Vec<_> = content.diagnoses.iter().map(|diagnosis| diagnosis.uninformed).collect();
        assert_eq!(told, [false, true]);
        let titles: Vec<_> = content.sections.iter().map(|section| section.title.as_deref()).collect();
        assert_eq!(titles, [Some("入院理由"), Some("構造情報")]);
        let codes: Vec<_> =
            content.sections.iter().flat_map(|section| section.code.iter().flat_map(|code| &code.codes)).collect();
        assert_eq!(codes.iter().map(|code| code.code.as_deref()).collect::<Vec<_>>(), [Some("312"), Some("300")]);
    }
}

#[test]
fn no_value_of_a_person_is_in_a_summary_or_in_debug_output() {
    let documents = [
        prescription(3),
        immunization(),
        discharge("clins", &[condition(0, ""), observation(1)]),
        order(1, "Patient/1"),
    ];
    for document in documents {
        let accepted = taken(&document);
        let encoded = accepted.summary.encode();
        let debug = format!("{accepted:?}{:?}", accepted.summary);
        for token in PLANTED.iter().filter(|token| document.contains(**token)) {
            let bytes = token.as_bytes();
            assert!(!encoded.windows(bytes.len()).any(|window| window == bytes), "{token}");
            assert!(!debug.contains(token), "{token}");
        }
        assert!(!debug.contains("合成"), "clinical text in {debug}");
    }
    // The control: the tokens are in the documents.
    let all = documents::prescription(1);
    assert!(PLANTED.iter().all(|token| all.contains(token)));
}

#[test]
fn the_order_of_names_does_not_matter() {
    let document = prescription(2);
    let value: serde_json::Value = serde_json::from_str(&document).expect("JSON");
    // serde_json sorts names here, so that resourceType comes after most others.
    let sorted = serde_json::to_string(&value).expect("JSON");
    assert_ne!(sorted, document);
    let (one, other) = (taken(&document), taken(&sorted));
    let Content::Prescription(one) = one.summary.content else { panic!() };
    let Content::Prescription(other) = other.summary.content else { panic!() };
    assert_eq!(one.drugs.len(), other.drugs.len());
    assert!(one.drugs[0].product == other.drugs[0].product && one.number == other.number);
}

#[test]
fn what_a_summary_cannot_hold_is_left_out_whole_and_counted() {
    let long = "長".repeat(400);
    let orders = [order(1, PATIENT).replace("合成薬1錠１０ｍｇ「架空」", &long), order(2, PATIENT)];
    let accepted = taken(&prescription_of(&orders));
    assert_eq!(accepted.summary.left_out, 1);
    let Content::Prescription(content) = accepted.summary.content else { panic!() };
    assert_eq!(content.drugs[0].product.as_ref().map(|product| product.text.is_none()), Some(true));
    assert_eq!(content.drugs[0].product.as_ref().map(|product| product.codes.len()), Some(2));

    let many = taken(&prescription(400));
    let encoded = many.summary.encode();
    assert!(encoded.len() <= renkei_records::SUMMARY_MAX_BYTES);
    let left_out = many.summary.left_out;
    let Content::Prescription(content) = many.summary.content else { panic!() };
    assert_eq!(content.drugs.len() + usize::try_from(left_out).expect("small"), 400);
    assert!(Summary::decode(&encoded).is_ok());
}
