//! The stored form of summaries: version 1 reads as it was written.

use renkei_records::{Content, Summary, UnreadableSummary, intake};

use crate::documents::{condition, discharge, immunization, prescription};

fn documents() -> [(&'static str, String); 3] {
    let mark = r#"{"system":"http://jpfhir.jp/fhir/clins/CodeSystem/JP_ehrshrs_indication","code":"UNDELIVERED"}"#;
    [
        ("prescription", prescription(2)),
        ("vaccination", immunization()),
        ("discharge", discharge("eDischargeSummary", &[condition(1, mark)])),
    ]
}

fn fixture(name: &str) -> std::path::PathBuf {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/fixtures/summary-v1-{name}.hex"))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Vec<u8> {
    let digits = text.trim().as_bytes();
    digits
        .chunks(2)
        .map(|pair| {
            let pair = std::str::from_utf8(pair).expect("ASCII");
            u8::from_str_radix(pair, 16).expect("two digits")
        })
        .collect()
}

#[test]
fn version_1_is_written_and_read_as_ever() {
    for (name, document) in documents() {
        let summary = intake(document.as_bytes()).expect("a valid document").summary;
        let stored = std::fs::read_to_string(fixture(name)).expect("the fixture");
        assert_eq!(hex(&summary.encode()), stored.trim(), "{name}");
        assert!(Summary::decode(&unhex(&stored)) == Ok(summary), "{name}");
    }
}

#[test]
fn other_bytes_are_unreadable() {
    assert!(Summary::decode(&[]) == Err(UnreadableSummary::Version));
    assert!(Summary::decode(&[2, 1]) == Err(UnreadableSummary::Version));
    assert!(Summary::decode(&[1, 0xFF]) == Err(UnreadableSummary::Encoding));
    assert!(Summary::decode(&[1]) == Err(UnreadableSummary::Field { field: "content" }));
    // A prescription (field 5) whose number (field 1) is "x".
    assert!(Summary::decode(&[1, 0x2A, 3, 0x0A, 1, b'x']) == Err(UnreadableSummary::Field { field: "number" }));
    let empty = Summary::decode(&[1, 0x2A, 0]).expect("an empty prescription");
    assert!(matches!(empty.content, Content::Prescription(content) if content.drugs.is_empty()));
}
