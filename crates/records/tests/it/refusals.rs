//! Each refusal, by the smallest change to a document that is taken.

use renkei_records::{RefusalCode, intake, refusal_table_markdown};

use crate::documents::{
    PATIENT, condition, discharge, immunization, observation, order, patient, prescription, prescription_of,
};

fn refused(document: &str) -> (RefusalCode, String) {
    let refusal = intake(document.as_bytes()).expect_err("the document is taken");
    (refusal.code, refusal.field.map(|field| field.to_string()).unwrap_or_default())
}

#[track_caller]
fn assert_refused(document: &str, code: RefusalCode, field: &str) {
    assert_eq!(refused(document), (code, field.to_owned()));
}

fn with_entry(resource: &str) -> String {
    prescription_of(&[order(1, PATIENT), resource.to_owned()])
}

#[test]
fn another_patients_resource_refuses_the_whole() {
    let other = observation(1).replace(PATIENT, "urn:uuid:00000000-0000-4000-8000-0000000000bb");
    assert_refused(&with_entry(&other), RefusalCode::OtherPatient, "entry[7].resource.subject.reference");
    let second = patient().replace(r#""id":"pat""#, r#""id":"second""#);
    assert_refused(&with_entry(&second), RefusalCode::OtherPatient, "entry[7].resource");
    let relative = observation(1).replace(PATIENT, "Patient/other");
    assert_refused(&with_entry(&relative), RefusalCode::OtherPatient, "entry[7].resource.subject.reference");
    let server = observation(1).replace(PATIENT, "https://example.org/fhir/Patient/other");
    assert_refused(&with_entry(&server), RefusalCode::OtherPatient, "entry[7].resource.subject.reference");
    let beneficiary = r#"{"resourceType":"Coverage","beneficiary":{"reference":"Patient/other"}}"#;
    assert_refused(&with_entry(beneficiary), RefusalCode::OtherPatient, "entry[7].resource.beneficiary.reference");
    let task = r#"{"resourceType":"Task","for":{"reference":"Patient/other"}}"#;
    assert_refused(&with_entry(task), RefusalCode::OtherPatient, "entry[7].resource.for.reference");
}

#[test]
fn resources_inside_resources_are_looked_at() {
    let other = observation(1).replace(PATIENT, "Patient/other");
    let bundle = format!(r#"{{"resourceType":"Bundle","type":"collection","entry":[{{"resource":{other}}}]}}"#);
    let place = "entry[7].resource.entry[0].resource.subject.reference";
    assert_refused(&with_entry(&bundle), RefusalCode::OtherPatient, place);
    let parameters = format!(r#"{{"resourceType":"Parameters","parameter":[{{"name":"x","resource":{other}}}]}}"#);
    let place = "entry[7].resource.*[0].resource.subject.reference";
    assert_refused(&with_entry(&parameters), RefusalCode::OtherPatient, place);
    let contained = format!(r#"{{"resourceType":"List","contained":[{other}]}}"#);
    let place = "entry[7].resource.contained[0].subject.reference";
    assert_refused(&with_entry(&contained), RefusalCode::OtherPatient, place);
}

#[test]
fn a_contained_patient_must_be_the_same_person() {
    let with_contained = |patient: &str| {
        let order = order(2, "#p").replacen('{', &format!(r#"{{"contained":[{patient}],"#), 1);
        prescription_of(&[order])
    };
    let same = r##"{"resourceType":"Patient","id":"p","gender":"male","birthDate":"1961-02-03"}"##;
    assert!(intake(with_contained(same).as_bytes()).is_ok());
    let contained = "entry[6].resource.contained[0]";
    let born = same.replace("1961", "1962");
    assert_refused(&with_contained(&born), RefusalCode::OtherPatient, &format!("{contained}.birthDate"));
    let sex = same.replace("male", "female");
    assert_refused(&with_contained(&sex), RefusalCode::OtherPatient, &format!("{contained}.gender"));
    let id = r##"{"resourceType":"Patient","id":"p","identifier":[{"system":"http://jpfhir.jp/fhir/clins/Idsystem/JP_Insurance_memberID","value":"06139877:PL:1111111:02"}]}"##;
    assert_refused(&with_contained(id), RefusalCode::OtherPatient, &format!("{contained}.identifier"));
    let notation = id.replace("PL:1111111", "ＰＬ:７６５４３２１");
    assert!(intake(with_contained(&notation).as_bytes()).is_ok());
}

#[test]
fn a_patient_named_by_an_identifier_must_be_the_same_person() {
    let named = |value: &str| {
        observation(1).replace(
            &format!(r#""reference":"{PATIENT}""#),
            &format!(
                r#""identifier":{{"system":"http://jpfhir.jp/fhir/clins/Idsystem/JP_Insurance_memberID","value":"{value}"}}"#
            ),
        )
    };
    assert!(intake(with_entry(&named("06139877:PL:7654321:2")).as_bytes()).is_ok());
    let place = "entry[7].resource.subject.identifier.value";
    assert_refused(&with_entry(&named("06139877:PL:7654321:")), RefusalCode::OtherPatient, place);
    assert_refused(&with_entry(&named("06139877:PL:7654322:02")), RefusalCode::OtherPatient, place);
}

#[test]
fn references_that_lead_nowhere_are_data() {
    let order = order(1, "urn:uuid:99999999-0000-4000-8000-000000000000");
    assert!(intake(order.as_bytes()).is_ok());
    let more = order.replace(r#""intent":"order""#, r#""intent":"order","encounter":{"reference":"Encounter/404"},"basedOn":[{"reference":"http://169.254.169.254/x"}]"#);
    assert!(intake(more.as_bytes()).is_ok());
}

#[test]
fn a_my_number_is_refused_where_its_system_is_not_known() {
    let place = "identifier[0].value";
    let with = |identifier: &str| immunization().replacen('{', &format!(r#"{{"identifier":[{identifier}],"#), 1);
    for identifier in [
        r#"{"value":"123456789018"}"#,
        r#"{"value":"1234-5678-9018"}"#,
        r#"{"system":"http://example.org/mynumber","value":"１２３４５６７８９０１８"}"#,
        r#"{"system":"urn:oid:1.2.3","value":"123456789018"}"#,
    ] {
        assert_refused(&with(identifier), RefusalCode::MyNumber, place);
    }
    for identifier in [
        r#"{"value":"123456789010"}"#,
        r#"{"system":"urn:oid:1.2.392.100495.20.3.51.11319999999","value":"123456789018"}"#,
        r#"{"system":"http://jpfhir.jp/fhir/core/IdSystem/resourceInstance-identifier","value":"123456789018"}"#,
    ] {
        assert!(intake(with(identifier).as_bytes()).is_ok(), "{identifier}");
    }
    let number = immunization().replacen('{', r#"{"identifier":{"value":123456789018},"#, 1);
    assert_refused(&number, RefusalCode::MyNumber, "identifier.value");
    let extension = immunization().replace(
        r#""status":"completed""#,
        r#""modifierExtension":[{"url":"x","valueIdentifier":{"value":"123456789018"}}],"status":"completed""#,
    );
    assert_eq!(refused(&extension).0, RefusalCode::MyNumber);
}

#[test]
fn photos_and_attachments_elsewhere_are_refused() {
    let photo = prescription(1)
        .replace(r#""birthDate":"#, r#""photo":[{"contentType":"image/png","data":"AAAA"}],"birthDate":"#);
    assert_refused(&photo, RefusalCode::Photo, "entry[1].resource.photo[0]");
    let attachment = |members: &str| {
        with_entry(&format!(
            r#"{{"resourceType":"DocumentReference","subject":{{"reference":"{PATIENT}"}},"content":[{{"attachment":{{{members}}}}}]}}"#
        ))
    };
    let place = "entry[7].resource.content[0].attachment.url";
    assert_refused(&attachment(r#""url":"http://169.254.169.254/""#), RefusalCode::ExternalAttachment, place);
    assert_refused(&attachment(r#""url":"//host/x","title":"x""#), RefusalCode::ExternalAttachment, place);
    for members in [
        r#""url":"http://example.org/x","data":"AAAA""#,
        r#""data":"AAAA","url":"http://example.org/x""#,
        r#""url":"Binary/1""#,
        r#""url":"urn:uuid:1""#,
    ] {
        assert!(intake(attachment(members).as_bytes()).is_ok(), "{members}");
    }
}

#[test]
fn a_fault_of_safety_is_told_before_the_kind() {
    let patient = patient().replace(r#""gender":"#, r#""photo":[{"data":"AAAA"}],"gender":"#);
    assert_refused(&patient, RefusalCode::Photo, "photo[0]");
    let clean = patient.replace(r#""photo":[{"data":"AAAA"}],"#, "");
    assert_refused(&clean, RefusalCode::ResourceNotTaken, "resourceType");
}

#[test]
fn kinds_that_are_not_taken_are_named() {
    let cases = [
        (
            prescription(1).replace(r#""type":"document""#, r#""type":"message""#),
            RefusalCode::BundleTypeNotTaken,
            "type",
        ),
        (prescription(1).replace("57833-6", "57133-1"), RefusalCode::DocumentTypeNotTaken, "entry.resource.type"),
        (
            prescription(1).replace("Common/CodeSystem/doc-typecodes", "Common/CodeSystem/other"),
            RefusalCode::DocumentTypeNotTaken,
            "entry.resource.type",
        ),
        (prescription(1).replace("\"Composition\"", "\"Basic\""), RefusalCode::NotOneComposition, "entry"),
        (with_entry(r#"{"resourceType":"Composition","status":"final"}"#), RefusalCode::NotOneComposition, "entry"),
        (
            discharge("clins", &[]).replace("JP_Bundle_eDischargeSummary", "JP_Bundle_ePCS"),
            RefusalCode::ProfileNotTaken,
            "meta.profile",
        ),
        (condition(1, ""), RefusalCode::ResourceNotTaken, "resourceType"),
        ("[]".to_owned(), RefusalCode::NotAResource, ""),
        (format!(" [{}]", order(1, PATIENT)), RefusalCode::NotAResource, ""),
        (format!("[{0},{0}]", order(1, PATIENT)), RefusalCode::NotAResource, ""),
        (r#"{"a":1}"#.to_owned(), RefusalCode::NotAResource, ""),
        (r#"{"resourceType":1}"#.to_owned(), RefusalCode::NotAResource, ""),
        ("3".to_owned(), RefusalCode::NotAResource, ""),
    ];
    for (document, code, field) in cases {
        assert_refused(&document, code, field);
    }
    let others = prescription(1)
        .replace("http://jpfhir.jp/fhir/ePrescription/StructureDefinition/JP_Bundle", "http://example.org/Bundle");
    assert!(intake(others.as_bytes()).is_ok());
}

#[test]
fn wrong_fields_are_named() {
    let rx = prescription(1);
    let cases = [
        (
            rx.replace("06139877:ＰＬ", "06139878:ＰＬ"),
            RefusalCode::InvalidMemberId,
            "entry[1].resource.identifier[1].value",
        ),
        (
            rx.replace(r#""value":"06139877""#, r#""value":"06139876""#),
            RefusalCode::InvalidInsurerNumber,
            "entry[5].resource.identifier[0].value",
        ),
        (rx.replace("1319999999^", "1319999998^"), RefusalCode::InvalidInstitutionNumber, "identifier.value"),
        (
            rx.replace("1319999999-2026", "1319999998-2026"),
            RefusalCode::InvalidPrescriptionNumber,
            "entry.resource.identifier.value",
        ),
        (rx.replace("1961-02-03", "1961-02-30"), RefusalCode::InvalidBirthDate, "entry[1].resource.birthDate"),
        (rx.replace(r#""male""#, r#""M""#), RefusalCode::InvalidSex, "entry[1].resource.gender"),
        (rx.replace(r#""date":"2026-04-01"#, r#""date":"2026-13-01"#), RefusalCode::InvalidDate, "entry.resource.date"),
        (
            rx.replace("medicationCodeableConcept", "medicationNothing"),
            RefusalCode::MissingField,
            "entry.resource.medicationCodeableConcept",
        ),
        (prescription(0), RefusalCode::MissingField, "entry.resource.medicationCodeableConcept"),
        (order(1, PATIENT).replace("authoredOn", "noDate"), RefusalCode::MissingDate, "authoredOn"),
        (
            prescription(1).replace(r#""date":"#, r#""noDate":"#).replace("authoredOn", "noDate"),
            RefusalCode::MissingDate,
            "entry.resource.date",
        ),
        (immunization().replace("vaccineCode", "noCode"), RefusalCode::MissingField, "vaccineCode"),
        (
            immunization().replace("occurrenceDateTime", "occurrenceString"),
            RefusalCode::MissingDate,
            "occurrenceDateTime",
        ),
        (immunization().replace(r#""2026-05-01""#, r#""2026""#), RefusalCode::MissingDate, "occurrenceDateTime"),
    ];
    for (document, code, field) in cases {
        assert_refused(&document, code, field);
    }
}

#[test]
fn a_refusal_holds_no_value_of_the_document() {
    let member = "SECRETNAME\":1,\"";
    let documents = [
        prescription(1).replace("06139877:ＰＬ", "06139878:ＰＬ"),
        format!(r#"{{"{member}a":{{"b":1,"b":2}}}}"#),
        r#"{"SECRETNAME":{"SECRETNAME":["#.to_owned(),
        r#"{"SECRETNAME":{"x":{"photo":"SECRETNAME"}},"resourceType":"Patient"}"#.to_owned(),
    ];
    for document in documents {
        let refusal = intake(document.as_bytes()).expect_err("faulty");
        let shown = format!("{refusal} {refusal:?}");
        assert!(!shown.contains("SECRETNAME") && !shown.contains("7654321"), "{shown}");
    }
}

#[test]
fn the_page_is_the_table() {
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/REFUSALS.md"));
    assert_eq!(page.expect("docs/REFUSALS.md"), refusal_table_markdown(), "run the example `refresh`");
}
