//! Sex and birth date after the country's age pyramid.

use time::{Date, Month};

use crate::draw::Draws;

/// The day that ages are counted on. Nobody is born after it.
pub const REFERENCE_DATE: Date = match Date::from_calendar_date(2025, Month::October, 1) {
    Ok(date) => date,
    Err(_) => panic!("1 October 2025 is in the calendar"),
};

/// Sex as FHIR's administrative gender has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Sex {
    /// `male`
    Male,
    /// `female`
    Female,
}

impl Sex {
    /// The FHIR code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Male => "male",
            Self::Female => "female",
        }
    }

    /// The other one: what a wrong link gets wrong.
    pub const fn other(self) -> Self {
        match self {
            Self::Male => Self::Female,
            Self::Female => Self::Male,
        }
    }
}

const BAND_YEARS: u32 = 5;

/// Men and women in thousands for each band of five years from 0; the last band is 100 to 104.
///
/// The sums under 15, from 65 and from 75 are those of 2024-10-01 (13.83, 36.24 and 20.78 million); what lies
/// between is rounded.
pub(crate) const PYRAMID: [[u32; 2]; 21] = [
    [2_070, 1_970],
    [2_396, 2_284],
    [2_617, 2_493],
    [2_804, 2_666],
    [3_175, 3_005],
    [3_305, 3_125],
    [3_244, 3_086],
    [3_572, 3_458],
    [3_783, 3_687],
    [4_380, 4_280],
    [4_850, 4_780],
    [4_400, 4_380],
    [3_845, 3_905],
    [3_554, 3_720],
    [3_902, 4_290],
    [3_550, 4_310],
    [2_410, 3_430],
    [1_430, 2_630],
    [630, 1_600],
    [135, 555],
    [12, 85],
];

pub(crate) const PYRAMID_SUM: u32 = {
    let mut sum = 0;
    let mut band = 0;
    while band < PYRAMID.len() {
        sum += PYRAMID[band][0] + PYRAMID[band][1];
        band += 1;
    }
    sum
};

/// A birth date and sex by the pyramid; within a band every day is as likely.
pub(crate) fn born(draws: &mut Draws) -> (Date, Sex) {
    let cell = draws.weighted(PYRAMID.into_iter().flatten(), PYRAMID_SUM);
    let sex = if cell.is_multiple_of(2) { Sex::Male } else { Sex::Female };
    let band = u32::try_from(cell / 2).expect("there are 21 bands");
    let first = birthday_before(BAND_YEARS * (band + 1));
    let last = birthday_before(BAND_YEARS * band);
    let days = u32::try_from(last - first).expect("a band of five years has days");
    let day = first + 1 + i32::try_from(draws.below(days)).expect("five years have fewer than 2^31 days");
    (Date::from_julian_day(day).expect("a day of the last 105 years is in the calendar"), sex)
}

/// Julian day of those who complete this age on the reference date.
fn birthday_before(age: u32) -> i32 {
    let year = REFERENCE_DATE.year() - i32::try_from(age).expect("ages are below 106");
    Date::from_calendar_date(year, REFERENCE_DATE.month(), REFERENCE_DATE.day())
        .expect("the first of a month is in every year")
        .to_julian_day()
}

/// Completed years on the reference date.
pub(crate) fn age(birth_date: Date) -> u32 {
    let had_birthday =
        (birth_date.month() as u8, birth_date.day()) <= (REFERENCE_DATE.month() as u8, REFERENCE_DATE.day());
    let years = REFERENCE_DATE.year() - birth_date.year() - i32::from(!had_birthday);
    u32::try_from(years).expect("nobody is born after the reference date")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::draw::{Domain, Seed};

    #[test]
    fn the_pyramid_has_the_published_sums() {
        let sum = |bands: &[[u32; 2]]| bands.iter().flatten().sum::<u32>();
        assert_eq!(sum(&PYRAMID[..3]), 13_830);
        assert!(sum(&PYRAMID[13..]).abs_diff(36_243) < 10, "{}", sum(&PYRAMID[13..]));
        assert!(sum(&PYRAMID[15..]).abs_diff(20_777) < 10, "{}", sum(&PYRAMID[15..]));
        assert!(PYRAMID_SUM.abs_diff(123_802) < 100, "{PYRAMID_SUM}");
    }

    #[test]
    fn ages_are_within_the_pyramid() {
        let seed = Seed::new(3);
        for subject in 0..20_000 {
            let (date, _) = born(&mut seed.draws(Domain::Birth, subject, 0));
            assert!(date <= REFERENCE_DATE && age(date) < 105, "subject {subject}: {date}");
        }
    }
}
