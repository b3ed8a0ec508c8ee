//! Institutions: ten-digit numbers, local to a prefecture, with sizes by the law of Zipf and Mandelbrot.

use core::fmt;

use crate::check_digit::{mod10, write_digits};
use crate::draw::Draws;
use crate::prefecture::{INHABITANTS, PREFECTURES, Prefecture};

/// What an institution is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum InstitutionKind {
    /// 病院; 8,060 in the country (2024-10-01).
    Hospital,
    /// 診療所; 105,207.
    Clinic,
    /// 薬局; 62,828 (FY2023).
    Pharmacy,
}

impl InstitutionKind {
    /// How many the country has.
    pub const fn national_count(self) -> u32 {
        match self {
            Self::Hospital => 8_060,
            Self::Clinic => 105_207,
            Self::Pharmacy => 62_828,
        }
    }

    const fn suffix(self) -> &'static str {
        match self {
            Self::Hospital => "病院",
            Self::Clinic => "診療所",
            Self::Pharmacy => "薬局",
        }
    }

    /// Third digit of the number: 1 medical, 4 dispensing.
    const fn score_table(self) -> u32 {
        match self {
            Self::Hospital | Self::Clinic => 1,
            Self::Pharmacy => 4,
        }
    }
}

/// An institution of the population. Its number has a valid check digit, and may be that of a real one: institution
/// numbers are public and dense.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Institution {
    /// Where it is.
    pub prefecture: &'static Prefecture,
    /// What it is.
    pub kind: InstitutionKind,
    /// Place by size within its prefecture and kind, from 0. Patients fall off with the rank by the law of Zipf and
    /// Mandelbrot: the first sixteenth of the institutions has a quarter of the visits.
    pub rank: u32,
    number: [u8; 10],
}

impl Institution {
    /// The institution of this rank, or `None` when the prefecture has fewer.
    pub fn of_rank(prefecture: &'static Prefecture, kind: InstitutionKind, rank: u32) -> Option<Self> {
        (rank < Self::count(prefecture, kind)).then(|| Self::numbered(prefecture, kind, rank))
    }

    /// How many of a kind a prefecture has: its share of the country's by inhabitants, at least one.
    pub fn count(prefecture: &Prefecture, kind: InstitutionKind) -> u32 {
        (kind.national_count() * prefecture.inhabitants / INHABITANTS).max(1)
    }

    /// One of a kind in a prefecture, by size.
    pub(crate) fn drawn(draws: &mut Draws, prefecture: &'static Prefecture, kind: InstitutionKind) -> Self {
        let rank = draws.zipf(Self::count(prefecture, kind));
        Self::numbered(prefecture, kind, rank)
    }

    fn numbered(prefecture: &'static Prefecture, kind: InstitutionKind, rank: u32) -> Self {
        // Hospitals and clinics share a score table, so clinics are numbered behind the hospitals.
        let serial = match kind {
            InstitutionKind::Clinic => rank + Self::count(prefecture, InstitutionKind::Hospital),
            InstitutionKind::Hospital | InstitutionKind::Pharmacy => rank,
        };
        let mut number = [0_u8; 10];
        write_digits(&mut number[..2], u32::from(prefecture.code));
        write_digits(&mut number[2..3], kind.score_table());
        // District 01 to 40, then the number inside it, both as the bureaus assign them: one after the other.
        write_digits(&mut number[3..5], 1 + serial % 40);
        write_digits(&mut number[5..9], 1 + serial / 40);
        number[9] = mod10(&number[..9]);
        Self { prefecture, kind, rank, number }
    }

    /// The ten digits: prefecture 2, score table 1, district 2, number 4, check digit 1.
    pub fn number(&self) -> &str {
        str::from_utf8(&self.number).expect("the number is made of ASCII digits")
    }

    /// An invented name that says so: 東京都模擬第12病院.
    pub fn name(&self) -> String {
        format!("{}模擬第{}{}", self.prefecture.name, self.rank + 1, self.kind.suffix())
    }
}

impl fmt::Debug for Institution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Institution({})", self.number())
    }
}

/// A prefecture beside this one in the order of codes, which is roughly geography.
pub(crate) fn neighbour(draws: &mut Draws, of: &Prefecture) -> &'static Prefecture {
    let position = usize::from(of.code) - 1;
    let beside = if draws.percent(50) { position + 1 } else { position.wrapping_sub(1) };
    PREFECTURES.get(beside).unwrap_or(&PREFECTURES[position])
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn numbers_are_valid_and_unique_in_the_country() {
        let mut seen = HashSet::new();
        for prefecture in &PREFECTURES {
            for kind in [InstitutionKind::Hospital, InstitutionKind::Clinic, InstitutionKind::Pharmacy] {
                for rank in 0..Institution::count(prefecture, kind) {
                    let institution = Institution::of_rank(prefecture, kind, rank).unwrap();
                    let number = institution.number().to_owned();
                    assert_eq!(mod10(&number.as_bytes()[..9]), number.as_bytes()[9], "{number}");
                    assert!(seen.insert(number), "{institution:?} twice");
                }
                assert!(Institution::of_rank(prefecture, kind, Institution::count(prefecture, kind)).is_none());
            }
        }
        assert!((175_000..177_000).contains(&seen.len()), "{}", seen.len());
    }
}
