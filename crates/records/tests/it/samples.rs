//! The published and generated samples, read where they lie. They are not part of this repository (some may not be
//! copied); without them these tests say so and pass.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use bzip2::read::BzDecoder;
use flate2::read::GzDecoder;
use renkei_records::{
    Insurer, InvalidInsurer, InvalidMedicalInstitution, Kind, MedicalInstitution, Refusal, RefusalCode, Summary,
    intake, is_my_number,
};

/// Most bytes that a compressed sample is inflated to.
const INFLATED_MAX: u64 = 16 * 1024 * 1024;

#[expect(clippy::print_stdout, reason = "a skipped test says so")]
fn samples() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/samples");
    if folder.is_dir() {
        return Some(folder);
    }
    println!("SKIPPED: samples not here");
    None
}

/// Every document of a folder with its name: compressed files inflated, line files split, others as they are.
fn documents(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(&next).expect("the samples can be listed") {
            let path = entry.expect("the samples can be listed").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_none_or(|extension| extension != "md") {
                let name = path.strip_prefix(folder).expect("found below it").display().to_string();
                add(&mut found, name, fs::read(&path).expect("a sample can be read"));
            }
        }
    }
    found.sort();
    found
}

fn add(found: &mut Vec<(String, Vec<u8>)>, name: String, bytes: Vec<u8>) {
    if name.ends_with(".gz") {
        found.push((name, inflated(GzDecoder::new(bytes.as_slice()))));
    } else if name.ends_with(".bz2") {
        found.push((name, inflated(BzDecoder::new(bytes.as_slice()))));
    } else if name.ends_with(".ndjson") {
        let lines = bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        found.extend(lines.enumerate().map(|(at, line)| (format!("{name}:{}", at + 1), line.to_vec())));
    } else {
        found.push((name, bytes));
    }
}

fn inflated(reader: impl std::io::Read) -> Vec<u8> {
    let mut bytes = Vec::new();
    reader.take(INFLATED_MAX).read_to_end(&mut bytes).expect("the compressed samples are whole");
    bytes
}

/// What becomes of a document: the name of its kind, or of the code that refuses it.
fn outcome(name: &str, bytes: &[u8]) -> String {
    match intake(bytes) {
        Ok(accepted) => {
            let encoded = accepted.summary.encode();
            assert!(Summary::decode(&encoded) == Ok(accepted.summary), "{name}");
            format!("taken as {}", accepted.kind.name())
        }
        Err(Refusal { code, .. }) => code.name().to_owned(),
    }
}

#[test]
fn every_sample_is_taken_or_refused_with_a_code() {
    let Some(folder) = samples() else { return };
    let mut counts: BTreeMap<String, u32> = BTreeMap::new();
    let documents = documents(&folder);
    for (name, bytes) in &documents {
        *counts.entry(outcome(name, bytes)).or_default() += 1;
    }
    println!("{} documents", documents.len());
    for (outcome, count) in &counts {
        println!("{count:6} {outcome}");
    }
}

#[test]
fn real_records_are_taken() {
    let Some(folder) = samples() else { return };
    for (part, kind) in [
        ("prescription/generated", Kind::Prescription),
        ("hl7_r4/prescription", Kind::Prescription),
        ("immunization", Kind::Vaccination),
        ("discharge_summary", Kind::DischargeSummary),
    ] {
        let documents = documents(&folder.join(part));
        assert!(!documents.is_empty(), "{part}");
        for (name, bytes) in documents {
            let accepted = intake(&bytes).unwrap_or_else(|refusal| panic!("{part}/{name}: {refusal}"));
            assert_eq!((accepted.kind, accepted.summary.left_out), (kind, 0), "{part}/{name}");
        }
    }
}

/// The refusals of documents whose kind is taken, each looked at: the examples of JP-CLINS carry an insurer number
/// whose check digit is wrong (`00012345`), and the historical immunization of HL7 says "January 2012" in words only.
#[test]
fn what_is_refused_though_its_kind_is_taken_is_known() {
    let Some(folder) = samples() else { return };
    for (name, bytes) in documents(&folder.join("prescription")) {
        let is_example = name.starts_with("MedicationRequest-Example-") && bytes.windows(8).any(|w| w == b"00012345");
        if is_example {
            assert_eq!(outcome(&name, &bytes), RefusalCode::InvalidMemberId.name(), "{name}");
        } else if name.contains("MedicationRequest") {
            assert_eq!(outcome(&name, &bytes), "taken as prescription", "{name}");
        }
    }
    for (name, bytes) in documents(&folder.join("hl7_r4/immunization")) {
        let expected = match name.as_str() {
            "immunization-example-historical.json" => RefusalCode::MissingDate.name(),
            _ if name.starts_with("immunization-") => "taken as vaccination",
            _ => RefusalCode::ResourceNotTaken.name(),
        };
        assert_eq!(outcome(&name, &bytes), expected, "{name}");
    }
}

#[test]
fn every_adversarial_sample_has_its_code() {
    let Some(folder) = samples() else { return };
    let generated = folder.join("adversarial/generated");
    let cases = [
        ("composition-section-depth-200.json", RefusalCode::TooDeep),
        ("depth-array-64.json", RefusalCode::NotAResource),
        ("depth-array-128.json", RefusalCode::TooDeep),
        ("depth-array-100000.json", RefusalCode::TooDeep),
        ("depth-extension-64.json", RefusalCode::TooDeep),
        ("empty.json", RefusalCode::Empty),
        ("enc-eucjp.json", RefusalCode::NotUtf8),
        ("enc-invalid-utf8.json", RefusalCode::NotUtf8),
        ("enc-iso2022jp.json", RefusalCode::MalformedJson),
        ("enc-lone-surrogate.json", RefusalCode::LoneSurrogate),
        ("enc-nul.json", RefusalCode::NulCharacter),
        ("enc-overlong.json", RefusalCode::NotUtf8),
        ("enc-raw-control.json", RefusalCode::MalformedJson),
        ("enc-shift_jis.json", RefusalCode::NotUtf8),
        ("enc-utf16le-bom.json", RefusalCode::NotUtf8),
        ("enc-utf8-bom.json", RefusalCode::ByteOrderMark),
        ("key-duplicate.json", RefusalCode::DuplicateName),
        ("null.json", RefusalCode::NotAResource),
        ("ref-other-patient.json", RefusalCode::OtherPatient),
        ("ref-ssrf.json", RefusalCode::ExternalAttachment),
        ("trailing-garbage.json", RefusalCode::TrailingData),
        ("whitespace-1mb.json", RefusalCode::ResourceNotTaken),
        ("xxe-escrx.xml", RefusalCode::MalformedJson),
        ("size-10485760.json.gz", RefusalCode::DocumentTypeNotTaken),
        ("size-10485761.json.gz", RefusalCode::TooLarge),
        ("zipbomb-1gib.json.gz", RefusalCode::NotUtf8),
    ];
    let documents: BTreeMap<_, _> = documents(&generated).into_iter().collect();
    for (name, code) in cases {
        assert_eq!(outcome(name, &documents[name]), code.name(), "{name}");
    }
}

#[test]
fn the_published_vectors_of_check_digits_agree() {
    let Some(folder) = samples() else { return };
    let text = fs::read_to_string(folder.join("adversarial/generated/check-digits.ndjson")).expect("the vectors");
    let mut counts: BTreeMap<String, u32> = BTreeMap::new();
    for line in text.lines() {
        let vector: serde_json::Value = serde_json::from_str(line).expect("a vector is JSON");
        let (kind, value) = (vector["kind"].as_str().expect("a kind"), vector["value"].as_str().expect("a value"));
        let valid = match kind {
            "my_number" => is_my_number(value),
            "insurer_8" => match value.parse::<Insurer>() {
                Ok(number) => number.to_string() == value,
                Err(reason) => {
                    assert_eq!(reason, InvalidInsurer::CheckDigit, "{line}");
                    false
                }
            },
            "medical_institution_10" => match value.parse::<MedicalInstitution>() {
                Ok(number) => number.to_string() == value,
                Err(reason) => {
                    assert_eq!(reason, InvalidMedicalInstitution::CheckDigit, "{line}");
                    false
                }
            },
            other => panic!("vectors of {other}"),
        };
        assert_eq!(Some(valid), vector["valid"].as_bool(), "{line}");
        *counts.entry(kind.to_owned()).or_default() += 1;
    }
    println!("{counts:?}");
    assert_eq!(counts.values().sum::<u32>(), 828);
}
