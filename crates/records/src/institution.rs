//! The number of a medical institution.

use core::fmt;
use core::str::FromStr;

use crate::check_digit::{digits, modulo_10};

/// The ten digits of an insured medical institution: prefecture 2, fee table 1 (1 medical, 3 dental, 4 pharmacy), area
/// and number 6, check digit 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MedicalInstitution([u8; 10]);

/// Why text is no institution number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidMedicalInstitution {
    /// Anything but ten ASCII digits.
    #[error("an institution number is ten ASCII digits")]
    Form,
    /// The tenth digit does not follow from the nine before it.
    #[error("the check digit of the institution number is wrong")]
    CheckDigit,
}

impl MedicalInstitution {
    /// The number with the nine leading digits `leading`; `None` unless each is at most 9.
    pub fn with_check_digit(leading: [u8; 9]) -> Option<Self> {
        if leading.iter().any(|digit| *digit > 9) {
            return None;
        }
        let mut number = [0; 10];
        number[..9].copy_from_slice(&leading);
        number[9] = modulo_10(&leading);
        Some(Self(number))
    }

    /// The code of the prefecture, as written in the first two digits.
    pub fn prefecture(self) -> u8 {
        self.0[0] * 10 + self.0[1]
    }
}

impl FromStr for MedicalInstitution {
    type Err = InvalidMedicalInstitution;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let number = digits(text).ok_or(InvalidMedicalInstitution::Form)?;
        if modulo_10(&number[..9]) == number[9] { Ok(Self(number)) } else { Err(InvalidMedicalInstitution::CheckDigit) }
    }
}

impl fmt::Display for MedicalInstitution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|digit| write!(f, "{digit}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_reads_and_prints_the_same() {
        let number: MedicalInstitution = "0110113719".parse().expect("a published number");
        assert_eq!(number.to_string(), "0110113719");
        assert_eq!(number.prefecture(), 1);
        assert_eq!(MedicalInstitution::with_check_digit([0, 1, 1, 0, 1, 1, 3, 7, 1]), Some(number));
    }

    #[test]
    fn a_wrong_number_is_refused_for_its_reason() {
        assert_eq!("0110113710".parse::<MedicalInstitution>(), Err(InvalidMedicalInstitution::CheckDigit));
        for text in ["", "011011371", "01101137190", "０１１０１１３７１９", "011011371x"] {
            assert_eq!(text.parse::<MedicalInstitution>(), Err(InvalidMedicalInstitution::Form), "{text}");
        }
        assert_eq!(MedicalInstitution::with_check_digit([10; 9]), None);
    }
}
