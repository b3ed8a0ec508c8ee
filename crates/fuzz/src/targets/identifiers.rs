//! Identifiers, dates and comparison forms: reading what was printed gives the same, and folding ends.

use renkei_population::{FiveItems, Population, noisy};
use renkei_records::{
    BirthDate, FhirDate, Insurer, MEMBER_ID_MAX_BYTES, MedicalInstitution, MemberId, PrescriptionNumber, fold,
    is_my_number,
};

use super::documents::person;
use crate::input::Input;

pub(super) fn run(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let folded = fold(&text);
    assert_eq!(fold(&folded), folded, "folding twice changes something");
    member_id(&text);
    numbers(&text);
    dates(&text);
    if is_my_number(&text) {
        let spaced = format!(" {text}");
        assert!(is_my_number(&spaced) || spaced.len() > 128, "a space hides a My Number");
    }
    spellings(bytes);
}

fn member_id(text: &str) {
    let Ok(id) = MemberId::parse(text) else { return };
    assert!(text.len() <= MEMBER_ID_MAX_BYTES);
    assert_eq!(id.original(), text);
    let form = id.comparison_form();
    assert_eq!(form.split(':').count(), 4, "{form}");
    assert_eq!(form.split(':').next().and_then(|insurer| insurer.parse().ok()), Some(id.insurer()));
    // Compatibility forms fold to many letters, so that a form may be longer than any original.
    if form.len() <= MEMBER_ID_MAX_BYTES {
        let again = MemberId::parse(form).expect("a comparison form is a member id");
        assert_eq!(again.comparison_form(), form, "the form of a form is another one");
    }
    let folded = fold(text);
    if folded.len() <= MEMBER_ID_MAX_BYTES {
        assert_eq!(MemberId::parse(&folded).map(|other| other.comparison_form() == form), Ok(true), "{text}");
    }
}

fn numbers(text: &str) {
    if let Ok(number) = text.parse::<MedicalInstitution>() {
        assert_eq!(number.to_string(), text);
        let leading: [u8; 9] = core::array::from_fn(|place| text.as_bytes()[place] - b'0');
        assert_eq!(MedicalInstitution::with_check_digit(leading), Some(number));
    }
    if let Ok(number) = text.parse::<PrescriptionNumber>() {
        assert_eq!(number.to_string(), text);
    }
    if let Ok(insurer) = text.parse::<Insurer>() {
        let printed = insurer.to_string();
        assert_eq!(printed.len(), 8);
        assert_eq!(printed.parse(), Ok(insurer));
        assert!(printed.ends_with(text));
    }
}

fn dates(text: &str) {
    if let Ok(date) = text.parse::<FhirDate>() {
        assert_eq!(date.as_str(), text);
        // Sixteen bits of months end in the year 5461.
        let counted = text[..4].parse::<u32>().is_ok_and(|year| year <= 5_461);
        assert_eq!(date.month().is_some(), text.len() > 4 && counted);
    }
    if let Ok(Some(birth)) = BirthDate::parse(text) {
        assert_eq!(birth.to_string(), text);
        assert!(text.parse::<FhirDate>().is_ok(), "a birth date is a date");
    }
}

/// One person in two spellings has one comparison form.
fn spellings(bytes: &[u8]) {
    let mut input = Input::new(bytes);
    let person = Population::new(u64::from(input.byte())).person(person(input.u32() % 1_000_000));
    let (registered, other) = (FiveItems::registered(&person), noisy(&person, input.u32()));
    assert_eq!(fold(&registered.name), fold(&other.name), "{} and {}", registered.name, other.name);
    assert_eq!(fold(&registered.kana), fold(&other.kana), "{} and {}", registered.kana, other.kana);
}

pub(super) fn seeds() -> Vec<Vec<u8>> {
    let texts = [
        "06139877:あいう:187:05",
        "０６１３９８７７：ｱｲｳ：１８７：5",
        "131011:1:2:",
        "0110113719",
        "00131011",
        "131011",
        "1319999999-2025-00000019",
        "2026-02-28",
        "2026-12",
        "2026-01-01T00:00:00+09:00",
        "2024-02-29T23:59:60.5Z",
        "123456789018",
        "1234-5678 9018",
        "髙﨑 葛\u{E0100}城",
        "ｶﾞか\u{3099}\u{A8}",
        "\u{FDFA}\u{2212}\u{309D}\u{1100}\u{1161}",
    ];
    texts.iter().map(|text| text.as_bytes().to_vec()).collect()
}
