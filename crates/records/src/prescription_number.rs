//! The number of a prescription in FHIR documents.

use core::fmt;
use core::str::FromStr;

use crate::check_digit::digits;
use crate::institution::{InvalidMedicalInstitution, MedicalInstitution};

/// `institution(10)-year(4)-serial(8)`: who issued it, in which year, and the issuer's serial number of that year.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PrescriptionNumber {
    issuer: MedicalInstitution,
    year: u16,
    serial: u32,
}

/// Why text is no prescription number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPrescriptionNumber {
    /// Anything but ten, four and eight ASCII digits between two hyphens.
    #[error("a prescription number is ten, four and eight digits between hyphens")]
    Form,
    /// The first part is no institution number.
    #[error("a prescription number begins with an institution number")]
    Issuer(#[source] InvalidMedicalInstitution),
}

impl PrescriptionNumber {
    /// The institution that issued it.
    pub fn issuer(self) -> MedicalInstitution {
        self.issuer
    }

    /// The year of issue.
    pub fn year(self) -> u16 {
        self.year
    }
}

fn number<const N: usize>(text: &str) -> Result<u32, InvalidPrescriptionNumber> {
    let digits = digits::<N>(text).ok_or(InvalidPrescriptionNumber::Form)?;
    Ok(digits.iter().fold(0, |sum, digit| sum * 10 + u32::from(*digit)))
}

impl FromStr for PrescriptionNumber {
    type Err = InvalidPrescriptionNumber;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut parts = text.splitn(3, '-');
        let (Some(issuer), Some(year), Some(serial)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(InvalidPrescriptionNumber::Form);
        };
        let serial = number::<8>(serial)?;
        let year = u16::try_from(number::<4>(year)?).expect("four digits fit in 16 bits");
        let issuer = issuer.parse().map_err(|invalid| match invalid {
            InvalidMedicalInstitution::Form => InvalidPrescriptionNumber::Form,
            InvalidMedicalInstitution::CheckDigit => InvalidPrescriptionNumber::Issuer(invalid),
        })?;
        Ok(Self { issuer, year, serial })
    }
}

impl fmt::Display for PrescriptionNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { issuer, year, serial } = self;
        write!(f, "{issuer}-{year:04}-{serial:08}")
    }
}

/// Without the number: it leads to one patient.
impl fmt::Debug for PrescriptionNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PrescriptionNumber(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_reads_and_prints_the_same() {
        let number: PrescriptionNumber = "1319999999-2025-00000019".parse().expect("a valid number");
        assert_eq!(number.to_string(), "1319999999-2025-00000019");
        assert_eq!(number.issuer().to_string(), "1319999999");
        assert_eq!(number.year(), 2025);
        assert_eq!(format!("{number:?}"), "PrescriptionNumber(..)");
    }

    #[test]
    fn a_wrong_number_is_refused_for_its_reason() {
        assert_eq!(
            "1311234567-2020-00123456".parse::<PrescriptionNumber>(),
            Err(InvalidPrescriptionNumber::Issuer(InvalidMedicalInstitution::CheckDigit))
        );
        for text in ["", "1319999999-2025", "1319999999-2025-1", "1319999999-2025-00000019-1", "x-2025-00000019"] {
            assert_eq!(text.parse::<PrescriptionNumber>(), Err(InvalidPrescriptionNumber::Form), "{text}");
        }
    }
}
