//! Peak memory of intake, by a counting allocator: at most ten times the input and 1 MiB, for documents that are taken
//! and for those built to be expensive.

use std::hint::black_box;
use std::process::Command;

use peak_alloc::PeakAlloc;
use renkei_records::{DOCUMENT_MAX_BYTES, intake};

use crate::documents::{PATIENT, condition, discharge, observation, order, prescription, prescription_of};

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

const SLACK: usize = 1024 * 1024;

/// Fills the template's `@` with repetitions of `part` up to the largest document.
fn filled(template: &str, part: &str) -> String {
    let room = DOCUMENT_MAX_BYTES - template.len();
    let mut parts = part.repeat(room / part.len());
    if parts.ends_with(',') {
        parts.pop();
    }
    template.replacen('@', &parts, 1)
}

/// An order with these further members.
fn order_with(members: &str) -> String {
    let drug = r#""medicationCodeableConcept":{"text":"x"}"#;
    format!(r#"{{"resourceType":"MedicationRequest",{drug},"authoredOn":"2026-01-01",{members}}}"#)
}

/// A Bundle of entries filled with `part`.
fn bundle_of(part: &str) -> String {
    filled(r#"{"resourceType":"Bundle","type":"document","entry":[@]}"#, part)
}

fn honest() -> Vec<(&'static str, String)> {
    let file = prescription_of(&[order(1, PATIENT), r#"{"resourceType":"Binary","data":"@"}"#.to_owned()]);
    let results: Vec<_> = (0..14_000).map(observation).collect();
    let diagnoses: Vec<_> = (0..20_000).map(|number| condition(number, "")).collect();
    vec![
        ("a small prescription", prescription(4)),
        ("many drugs", prescription(5_500)),
        ("many results", discharge("clins", &results)),
        ("many diagnoses", discharge("clins", &diagnoses)),
        ("one file", filled(&file, "A")),
    ]
}

/// Documents that take the most bytes for each byte that they send.
fn hostile() -> Vec<(&'static str, String)> {
    let drug = r#"{"resource":{"resourceType":"MedicationRequest","medicationReference":{}}},"#;
    let medication = format!(
        r#"{{"resource":{{"resourceType":"Medication","id":"m","code":{{"coding":[{}{{}}]}}}}}},"#,
        format!(r#"{{"display":"{}"}},"#, "d".repeat(1_000)).repeat(60)
    );
    let named =
        r#"{"resource":{"resourceType":"MedicationRequest","medicationReference":{"reference":"Medication/m"}}},"#;
    let composition = r#"{"resourceType":"Composition","type":{"coding":[{"system":"http://loinc.org","code":"57833-6"}]},"date":"2026-01-01"}"#;
    let patient = r#"{"resourceType":"Patient","identifier":[{"system":"x","value":"@"}]}"#;
    let usages = format!(
        r#"{{"resource":{{"resourceType":"MedicationRequest","dosageInstruction":[{}{{}}]}}}},"#,
        "{},".repeat(70)
    );
    vec![
        ("one text that is kept", filled(&order_with(r#""groupIdentifier":{"value":"@"}"#), "x")),
        ("one narrative", filled(&order_with(r#""text":{"div":"@"}"#), "あ")),
        ("one name", filled(&order_with(r#""@":1"#), "n")),
        ("empty codings", filled(&order_with(r#""code":{"coding":[@]}"#), "{},")),
        ("codings", filled(&order_with(r#""code":{"coding":[@]}"#), r#"{"code":""},"#)),
        ("empty usages", filled(&order_with(r#""dosageInstruction":[@]"#), "{},")),
        ("empty ingredients", filled(&order_with(r#""ingredient":[@]"#), "{},")),
        ("empty sections", filled(&order_with(r#""section":[@]"#), "{},")),
        ("identifiers", filled(&order_with(r#""identifier":[@]"#), r#"{"value":""},"#)),
        ("profiles", filled(&order_with(r#""meta":{"profile":[@]}"#), r#""","#)),
        ("numbers", filled(&order_with(r#""value":[@]"#), "1,")),
        ("unknown objects", filled(&order_with(r#""q":[@]"#), r#"{"a":1},"#)),
        ("drugs", bundle_of(drug)),
        ("drugs with usages", bundle_of(&usages)),
        ("a few drugs with usages", format!(r#"{{"resourceType":"Bundle","entry":[{}{{}}]}}"#, usages.repeat(200))),
        (
            "one product of many drugs",
            format!(
                r#"{{"resourceType":"Bundle","type":"document","entry":[{medication}{}{{"resource":{composition}}}]}}"#,
                named.repeat(250)
            ),
        ),
        // U+FDFA is 3 bytes, and 33 in its compatibility form.
        ("a long identifier", filled(patient, "\u{FDFA}")),
        ("patients", bundle_of(r#"{"resource":{"resourceType":"Patient"}},"#)),
        ("organizations", bundle_of(r#"{"resource":{"resourceType":"Organization"}},"#)),
        ("references", bundle_of(r#"{"resource":{"subject":{"reference":"a"}}},"#)),
        ("contained", filled(&order_with(r#""contained":[@]"#), r#"{"resourceType":"Medication"},"#)),
        ("open brackets", "[".repeat(DOCUMENT_MAX_BYTES)),
        ("blanks", " ".repeat(DOCUMENT_MAX_BYTES)),
    ]
}

/// This test alone, on one thread: nothing else allocates.
const ALONE: [&str; 4] =
    ["--exact", "memory::memory_stays_within_ten_times_the_input_and_a_mebibyte", "--test-threads=1", "--nocapture"];

/// The allocator counts for the whole process, in which other tests run: so the test runs itself in a process of its own.
#[test]
fn memory_stays_within_ten_times_the_input_and_a_mebibyte() {
    if std::env::args().skip(1).eq(ALONE) {
        for (name, document) in honest().into_iter().chain(hostile()) {
            measure(name, &document);
        }
        return;
    }
    let output = Command::new(std::env::current_exe().expect("this binary")).args(ALONE).output().expect("it starts");
    let (told, faults) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    println!("{told}");
    assert!(output.status.success() && told.contains("1 passed"), "{told}{faults}");
}

#[expect(clippy::print_stdout, reason = "the figures of a test")]
fn measure(name: &str, document: &str) {
    assert!(document.len() <= DOCUMENT_MAX_BYTES, "{name} has {} bytes", document.len());
    ALLOCATOR.reset_peak_usage();
    let before = ALLOCATOR.current_usage();
    let outcome = black_box(intake(black_box(document.as_bytes())));
    let peak = ALLOCATOR.peak_usage().saturating_sub(before);
    let decided = match &outcome {
        Ok(accepted) => accepted.kind.name(),
        Err(refusal) => refusal.code.name(),
    };
    let tenths = (peak * 10).div_ceil(document.len().max(1));
    println!("{name}: {} bytes in, peak {peak} ({}.{} times), {decided}", document.len(), tenths / 10, tenths % 10);
    assert!(peak <= 10 * document.len() + SLACK, "{name}: peak {peak} for {} bytes", document.len());
}
