//! The number of an insurer.

use core::fmt;
use core::str::FromStr;

use crate::check_digit::{digits, modulo_10};

/// The eight digits of an insurer: law 2, prefecture 2, insurer 3, check digit 1. National health insurance writes the
/// last six only; its law number is `00`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Insurer([u8; 8]);

/// Why text is no insurer number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidInsurer {
    /// Anything but six or eight ASCII digits.
    #[error("an insurer number is eight ASCII digits, or six")]
    Form,
    /// The last digit does not follow from those before it.
    #[error("the check digit of the insurer number is wrong")]
    CheckDigit,
}

impl Insurer {
    /// The number with the seven leading digits `leading`; `None` unless each is at most 9.
    pub fn with_check_digit(leading: [u8; 7]) -> Option<Self> {
        if leading.iter().any(|digit| *digit > 9) {
            return None;
        }
        let mut number = [0; 8];
        number[..7].copy_from_slice(&leading);
        number[7] = modulo_10(&leading);
        Some(Self(number))
    }
}

impl FromStr for Insurer {
    type Err = InvalidInsurer;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let number = match digits::<6>(text) {
            Some([a, b, c, d, e, f]) => [0, 0, a, b, c, d, e, f],
            None => digits(text).ok_or(InvalidInsurer::Form)?,
        };
        if modulo_10(&number[..7]) == number[7] { Ok(Self(number)) } else { Err(InvalidInsurer::CheckDigit) }
    }
}

impl fmt::Display for Insurer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|digit| write!(f, "{digit}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn six_digits_are_padded_to_eight() {
        let padded: Insurer = "00131011".parse().expect("a valid number");
        assert_eq!("131011".parse(), Ok(padded));
        assert_eq!(padded.to_string(), "00131011");
        assert_eq!(Insurer::with_check_digit([0, 0, 1, 3, 1, 0, 1]), Some(padded));
    }

    #[test]
    fn a_wrong_number_is_refused_for_its_reason() {
        assert_eq!("33120016".parse::<Insurer>(), Err(InvalidInsurer::CheckDigit));
        assert_eq!("131012".parse::<Insurer>(), Err(InvalidInsurer::CheckDigit));
        for text in ["", "12345", "1310110", "３３１２００１５", "33120015 "] {
            assert_eq!(text.parse::<Insurer>(), Err(InvalidInsurer::Form), "{text}");
        }
        assert_eq!(Insurer::with_check_digit([11; 7]), None);
    }
}
