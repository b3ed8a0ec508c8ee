//! Finding a My Number where no identifier of a person may be one. It has no field in this project, only a refusal.

use unicode_normalization::UnicodeNormalization as _;

use crate::check_digit::{digits, modulo_11};
use crate::system::System;

/// Whether `text` is twelve digits with the check digit of a My Number, in any width, with spaces or hyphens between.
/// One in eleven of all twelve-digit numbers passes.
pub fn is_my_number(text: &str) -> bool {
    // Longer than any spaced or full-width notation of twelve digits, so that a long value is not normalised.
    const LONGEST: usize = 128;
    if text.len() > LONGEST {
        return false;
    }
    let plain: String = text
        .nfkc()
        .filter(|c| !c.is_whitespace() && !matches!(c, '-' | '\u{2010}'..='\u{2015}' | '\u{2212}'))
        .collect();
    let Some(number) = digits::<12>(&plain) else { return false };
    let leading: [u8; 11] = number[..11].try_into().expect("eleven of twelve");
    modulo_11(&leading) == number[11]
}

/// Rule G4 for an identifier: a My Number under a system that is absent, not known to number something else, or made
/// for it.
pub(crate) fn is_refused(system: Option<&str>, value: &str) -> bool {
    system.is_none_or(|system| System::of(system) == System::Unknown) && is_my_number(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_notation_of_the_twelve_digits_is_found() {
        for text in ["123456789018", "1234-5678-9018", "1234 5678 9018", "１２３４５６７８９０１８", " 123456789018 "]
        {
            assert!(is_my_number(text), "{text}");
        }
        for text in ["123456789010", "12345678901", "1234567890180", "", "12345678901x"] {
            assert!(!is_my_number(text), "{text}");
        }
    }

    #[test]
    fn a_known_local_system_may_number_as_it_likes() {
        let number = "123456789018";
        assert!(is_refused(None, number));
        assert!(is_refused(Some("http://example.org/mynumber"), number));
        assert!(!is_refused(Some("urn:oid:1.2.392.100495.20.3.51.11319999999"), number));
        assert!(!is_refused(Some("http://jpfhir.jp/fhir/core/IdSystem/resourceInstance-identifier"), number));
        assert!(!is_refused(None, "123456789010"));
    }
}
