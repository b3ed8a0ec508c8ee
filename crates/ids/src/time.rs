//! Units of time and size. Nothing here reads a clock: a [`Clock`] is an argument.

use core::fmt;

/// Milliseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnixMillis(pub u64);

impl UnixMillis {
    /// This moment plus a number of milliseconds, saturating.
    pub const fn plus_millis(self, millis: u64) -> Self {
        Self(self.0.saturating_add(millis))
    }

    /// Whole hours since the epoch.
    pub const fn hour(self) -> u64 {
        self.0 / 3_600_000
    }

    /// The month, in UTC, that this moment lies in. Saturates at the last month that a bucket can name.
    pub fn month(self) -> MonthBucket {
        // Days to civil date, after Howard Hinnant's `civil_from_days`.
        let z = self.0 / 86_400_000 + 719_468;
        let era = z / 146_097;
        let day_of_era = z % 146_097;
        let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted_month = (5 * day_of_year + 2) / 153;
        let (month, carry) = if shifted_month < 10 { (shifted_month + 2, 0) } else { (shifted_month - 10, 1) };
        let year = year_of_era + era * 400 + carry;
        u16::try_from(year * 12 + month).map_or(MonthBucket(u16::MAX), MonthBucket)
    }
}

/// Whole minutes since 1970-01-01T00:00:00Z: as exactly as a ticket tells the time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnixMinute(pub u32);

impl UnixMinute {
    const MILLIS: u64 = 60_000;
    const PER_DAY: u32 = 1_440;

    /// The minute that a moment lies in. Saturates in the year 10136.
    pub fn of(moment: UnixMillis) -> Self {
        Self(u32::try_from(moment.0 / Self::MILLIS).unwrap_or(u32::MAX))
    }

    /// Its first moment.
    pub const fn begins(self) -> UnixMillis {
        UnixMillis(self.0 as u64 * Self::MILLIS)
    }

    /// The minute so many later; saturates.
    #[must_use]
    pub const fn plus(self, minutes: u32) -> Self {
        Self(self.0.saturating_add(minutes))
    }

    /// The day that it lies in.
    pub const fn day(self) -> UnixDay {
        UnixDay(self.0 / Self::PER_DAY)
    }
}

/// Whole days, in UTC, since 1970-01-01: what ticket keys are changed by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnixDay(pub u32);

impl UnixDay {
    const MILLIS: u64 = 86_400_000;

    /// Its first moment.
    pub const fn begins(self) -> UnixMillis {
        UnixMillis(self.0 as u64 * Self::MILLIS)
    }

    /// The first moment of the next day.
    pub const fn ends(self) -> UnixMillis {
        UnixMillis((self.0 as u64 + 1) * Self::MILLIS)
    }
}

/// A source of the present moment. Leaders stamp entries with it; verifiers of expiry read it.
pub trait Clock: Send + Sync + fmt::Debug {
    /// The present moment.
    fn now(&self) -> UnixMillis;
}

/// A calendar month: year times twelve plus month of year from 0. What a node knows of a record's date.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MonthBucket(u16);

/// A month that the calendar does not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("month {month} of year {year} cannot be a bucket")]
pub struct InvalidMonth {
    /// Year of the common era.
    pub year: u16,
    /// Month, 1 to 12.
    pub month: u8,
}

impl MonthBucket {
    /// The earliest bucket.
    pub const MIN: Self = Self(0);
    /// The latest bucket.
    pub const MAX: Self = Self(u16::MAX);

    /// The bucket of a year and a month from 1 to 12; years 0 to 5460.
    pub fn new(year: u16, month: u8) -> Result<Self, InvalidMonth> {
        let invalid = InvalidMonth { year, month };
        if !(1..=12).contains(&month) {
            return Err(invalid);
        }
        year.checked_mul(12).and_then(|m| m.checked_add(u16::from(month) - 1)).map(Self).ok_or(invalid)
    }

    /// From its encoded number.
    pub const fn from_raw(raw: u16) -> Self {
        Self(raw)
    }

    /// The encoded number.
    pub const fn raw(self) -> u16 {
        self.0
    }

    /// Year of the common era.
    pub const fn year(self) -> u16 {
        self.0 / 12
    }
}

/// Size of a document as a node may know it: the power of two, from 0 to 24, that its plaintext fits in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SizeBucket(u8);

impl SizeBucket {
    /// The largest bucket: 16 MiB, above every limit of intake.
    pub const MAX: Self = Self(24);

    /// The smallest bucket that holds `len` bytes.
    pub fn of_len(len: usize) -> Self {
        let bits = usize::BITS - len.saturating_sub(1).leading_zeros();
        Self(u8::try_from(bits).unwrap_or(Self::MAX.0).min(Self::MAX.0))
    }

    /// From its encoded number; `None` past the largest bucket.
    pub const fn from_raw(raw: u8) -> Option<Self> {
        if raw <= Self::MAX.0 { Some(Self(raw)) } else { None }
    }

    /// The encoded number.
    pub const fn raw(self) -> u8 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn month_of_known_moments() {
        let cases =
            [(0, 1970, 1), (951_782_400_000, 2000, 2), (1_709_164_800_000, 2024, 2), (1_795_132_800_000, 2026, 11)];
        for (millis, year, month) in cases {
            assert_eq!(Ok(UnixMillis(millis).month()), MonthBucket::new(year, month), "{millis}");
        }
    }

    #[test]
    fn minutes_and_days_begin_where_the_clock_says() {
        let moment = UnixMillis(1_795_132_859_999);
        let minute = UnixMinute::of(moment);
        assert_eq!(minute.begins(), UnixMillis(1_795_132_800_000));
        assert_eq!(minute.plus(1).begins(), UnixMillis(1_795_132_860_000));
        assert_eq!(
            (minute.day().begins(), minute.day().ends()),
            (UnixMillis(1_795_132_800_000), UnixMillis(1_795_219_200_000))
        );
        assert_eq!(UnixMinute::of(UnixMillis(u64::MAX)), UnixMinute(u32::MAX));
    }

    #[test]
    fn months_are_refused_outside_the_calendar() {
        assert!(MonthBucket::new(2026, 0).is_err());
        assert!(MonthBucket::new(2026, 13).is_err());
        assert!(MonthBucket::new(5461, 12).is_err());
        assert_eq!(MonthBucket::new(2026, 12).map(MonthBucket::year), Ok(2026));
    }

    #[test]
    fn sizes_round_up_to_a_power_of_two() {
        for (len, bucket) in [(0, 0), (1, 0), (2, 1), (1024, 10), (1025, 11), (16 << 20, 24), (usize::MAX, 24)] {
            assert_eq!(SizeBucket::of_len(len).raw(), bucket, "{len}");
        }
        assert_eq!(SizeBucket::from_raw(25), None);
    }
}
