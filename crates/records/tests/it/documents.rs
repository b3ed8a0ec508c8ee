//! Synthetic documents, made here. Every person in them is invented, and every value of a person is a token that can be
//! searched for.

/// What must never leave a document: values of a person's name, ids, address and birth date.
pub(crate) const PLANTED: [&str; 8] = [
    "プランテッド",
    "植込太郎",
    "PLANTED-ADDRESS",
    "1961-02-03",
    "06139877:ＰＬ:7654321:02",
    "7654321",
    "PLANTED-CHART-ID",
    "090-0000-4321",
];

/// The url of the patient's entry.
pub(crate) const PATIENT: &str = "urn:uuid:00000000-0000-4000-8000-0000000000aa";

pub(crate) fn patient() -> String {
    r#"{"resourceType":"Patient","id":"pat","identifier":[{"system":"urn:oid:1.2.392.100495.20.3.51.11319999999",
"value":"PLANTED-CHART-ID"},{"system":"http://jpfhir.jp/fhir/clins/Idsystem/JP_Insurance_memberID",
"value":"06139877:ＰＬ:7654321:02"}],"name":[{"text":"植込太郎","family":"植込"},{"text":"プランテッド"}],
"telecom":[{"system":"phone","value":"090-0000-4321"}],"gender":"male","birthDate":"1961-02-03",
"address":[{"text":"PLANTED-ADDRESS 1-2-3","postalCode":"100-0001"}]}"#
        .replace('\n', "")
}

fn entry(url: &str, resource: &str) -> String {
    format!(r#"{{"fullUrl":"{url}","resource":{resource}}}"#)
}

fn url(number: usize) -> String {
    format!("urn:uuid:00000000-0000-4000-8000-{number:012}")
}

/// One drug ordered, the `number`th, of the patient at `subject`.
pub(crate) fn order(number: usize, subject: &str) -> String {
    format!(
        r#"{{"resourceType":"MedicationRequest","id":"rx{number}","meta":{{"profile":["http://jpfhir.jp/fhir/ePrescription/StructureDefinition/JP_MedicationRequest_ePrescriptionData|1.2"]}},"identifier":[{{"system":"urn:oid:1.2.392.100495.20.3.81","value":"{number}"}}],"status":"active","intent":"order","medicationCodeableConcept":{{"coding":[{{"system":"http://capstandard.jp/iyaku.info/CodeSystem/YJ-code","code":"2149001F1{number:03}","display":"合成薬{number}錠１０ｍｇ"}},{{"system":"urn:oid:1.2.392.200119.4.403.1","code":"10000{number:04}","display":"合成薬{number}錠"}}],"text":"合成薬{number}錠１０ｍｇ「架空」"}},"subject":{{"reference":"{subject}","display":"植込太郎"}},"authoredOn":"2026-04-01T10:00:00+09:00","dosageInstruction":[{{"text":"１日１回朝食後　３０日分","timing":{{"repeat":{{"boundsDuration":{{"value":30,"unit":"日","system":"http://unitsofmeasure.org","code":"d"}}}},"code":{{"coding":[{{"system":"urn:oid:1.2.392.200250.2.2.20.20","code":"1011000400000000","display":"内服・経口・１日１回朝食後"}}]}}}},"route":{{"coding":[{{"system":"http://jpfhir.jp/fhir/core/CodeSystem/route-codes","code":"PO","display":"口"}}]}},"doseAndRate":[{{"doseQuantity":{{"value":1.0,"unit":"錠","system":"urn:oid:1.2.392.100495.20.2.101","code":"TAB"}},"rateRatio":{{"numerator":{{"value":1.50,"unit":"錠","system":"urn:oid:1.2.392.100495.20.2.101","code":"TAB"}},"denominator":{{"value":1,"unit":"日","system":"http://unitsofmeasure.org","code":"d"}}}}}}]}}],"dispenseRequest":{{"quantity":{{"value":30,"unit":"錠"}},"expectedSupplyDuration":{{"value":30,"unit":"日","system":"http://unitsofmeasure.org","code":"d"}}}}}}"#
    )
}

/// A document Bundle: `head` is its members before the entries, `composition` those of its Composition.
fn bundle(head: &str, composition: &str, entries: &[String]) -> String {
    let composition = format!(
        r#"{{"resourceType":"Composition","status":"final","subject":{{"reference":"{PATIENT}"}},"author":[{{"reference":"{}"}}],"custodian":{{"reference":"{}"}},{composition}}}"#,
        url(1),
        url(2)
    );
    let author = r#"{"resourceType":"Practitioner","id":"doc","name":[{"text":"プランテッド"}]}"#;
    let hospital = r#"{"resourceType":"Organization","id":"hosp","identifier":[{"system":"http://jpfhir.jp/fhir/core/IdSystem/insurance-medical-institution-no","value":"1319999999"}],"name":"架空中央病院","address":[{"text":"PLANTED-ADDRESS"}]}"#;
    let coverage = format!(
        r#"{{"resourceType":"Coverage","status":"active","beneficiary":{{"reference":"{PATIENT}"}},"extension":[{{"url":"http://jpfhir.jp/fhir/core/Extension/StructureDefinition/JP_Coverage_InsuredPersonSymbol","valueString":"PL"}},{{"url":"http://jpfhir.jp/fhir/core/Extension/StructureDefinition/JP_Coverage_InsuredPersonNumber","valueString":"7654321"}},{{"url":"http://jpfhir.jp/fhir/core/Extension/StructureDefinition/JP_Coverage_InsuredPersonSubNumber","valueString":"02"}}],"payor":[{{"reference":"Organization/payer"}}]}}"#
    );
    let payer = r#"{"resourceType":"Organization","id":"payer","identifier":[{"system":"OID:1.2.392.100495.20.3.61","value":"06139877"}],"name":"架空保険"}"#;
    let mut all = vec![
        entry(&url(0), &composition),
        entry(PATIENT, &patient()),
        entry(&url(1), author),
        entry(&url(2), hospital),
        entry(&url(3), &coverage),
        entry(&url(4), payer),
    ];
    all.extend(entries.iter().enumerate().map(|(at, resource)| entry(&url(100 + at), resource)));
    format!(
        r#"{{"resourceType":"Bundle","meta":{{"profile":["{head}"]}},"identifier":{{"system":"http://jpfhir.jp/fhir/clins/bundle-identifier","value":"1319999999^2026^X-1"}},"type":"document","timestamp":"2026-04-01T10:00:00+09:00","entry":[{}]}}"#,
        all.join(",")
    )
}

/// A prescription document of `drugs` drugs.
pub(crate) fn prescription(drugs: usize) -> String {
    let orders: Vec<String> = (0..drugs).map(|number| order(number, PATIENT)).collect();
    prescription_of(&orders)
}

/// A prescription document with these further entries.
pub(crate) fn prescription_of(entries: &[String]) -> String {
    bundle(
        "http://jpfhir.jp/fhir/ePrescription/StructureDefinition/JP_Bundle_ePrescriptionData",
        r#""identifier":{"system":"urn:oid:1.2.392.100495.20.3.11","value":"1319999999-2026-00000042"},"type":{"coding":[{"system":"http://jpfhir.jp/fhir/Common/CodeSystem/doc-typecodes","code":"57833-6"}]},"date":"2026-04-01T10:00:00+09:00","title":"処方情報""#,
        entries,
    )
}

/// A diagnosis.
pub(crate) fn condition(number: usize, marks: &str) -> String {
    format!(
        r#"{{"resourceType":"Condition","id":"c{number}","meta":{{"tag":[{marks}]}},"code":{{"coding":[{{"system":"http://jpfhir.jp/fhir/core/mhlw/CodeSystem/ICD10-2013-full","code":"J10.{number}","display":"合成疾患{number}"}}],"text":"合成疾患{number}の詳細"}},"subject":{{"reference":"Patient/pat"}},"recordedDate":"2026-03-20"}}"#
    )
}

/// A result of a laboratory, which a summary does not look at.
pub(crate) fn observation(number: usize) -> String {
    format!(
        r#"{{"resourceType":"Observation","id":"o{number}","status":"final","identifier":[{{"system":"http://jpfhir.jp/fhir/core/IdSystem/resourceInstance-identifier","value":"lab-{number:08}"}}],"code":{{"coding":[{{"system":"urn:oid:1.2.392.200119.4.504","code":"3C015000002327101","display":"クレアチニン"}}],"text":"クレアチニン"}},"subject":{{"reference":"{PATIENT}"}},"effectiveDateTime":"2026-03-21T06:00:00+09:00","valueQuantity":{{"value":0.{number:04},"unit":"mg/dL","system":"http://unitsofmeasure.org","code":"mg/dL"}},"referenceRange":[{{"low":{{"value":0.65,"unit":"mg/dL"}},"high":{{"value":1.07,"unit":"mg/dL"}}}}]}}"#
    )
}

/// A discharge summary with these further entries, under one of the two roots of its profile.
pub(crate) fn discharge(root: &str, entries: &[String]) -> String {
    bundle(
        &format!("http://jpfhir.jp/fhir/{root}/StructureDefinition/JP_Bundle_eDischargeSummary|1.0"),
        r#""type":{"coding":[{"system":"http://jpfhir.jp/fhir/Common/CodeSystem/doc-typecodes","code":"18842-5"}]},"date":"2026-04-02","event":[{"period":{"start":"2026-03-20","end":"2026-03-31T11:00:00+09:00"}}],"section":[{"title":"構造情報","code":{"coding":[{"system":"http://jpfhir.jp/fhir/clins/CodeSystem/document-section","code":"300"}]},"section":[{"code":{"coding":[{"code":"312"}]},"title":"入院理由","text":{"status":"additional","div":"<div>プランテッド</div>"}}]}]"#,
        entries,
    )
}

/// A vaccination alone.
pub(crate) fn immunization() -> String {
    r#"{"resourceType":"Immunization","id":"imm","meta":{"profile":["http://jpfhir.jp/fhir/core/StructureDefinition/JP_Immunization"],"tag":[{"system":"http://jpfhir.jp/fhir/clins/CodeSystem/JP_ehrshrs_indication","code":"LTS"}]},"extension":[{"url":"http://jpfhir.jp/fhir/core/Extension/StructureDefinition/JP_Immunization_DueDateOfNextDose","valueDateTime":"2026-11-01"}],"status":"completed","vaccineCode":{"coding":[{"system":"http://medis.or.jp/CodeSystem/master-HOT13","code":"1234567890123"},{"system":"http://hl7.org/fhir/sid/cvx","code":"150"}],"text":"合成ワクチン"},"patient":{"reference":"Patient/pat","display":"植込太郎","identifier":{"system":"http://jpfhir.jp/fhir/clins/Idsystem/JP_Insurance_memberID","value":"06139877:ＰＬ:7654321:02"}},"occurrenceDateTime":"2026-05-01","lotNumber":"L-77","expirationDate":"2027-01-31","site":{"text":"左腕"},"route":{"text":"筋注"},"doseQuantity":{"value":0.50,"unit":"mL"},"performer":[{"actor":{"display":"プランテッド"}}],"protocolApplied":[{"series":"2回接種","targetDisease":[{"text":"合成病"}],"doseNumberPositiveInt":2}]}"#
        .to_owned()
}
