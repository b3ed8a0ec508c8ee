//! Days of the calendar in Japan, by which eligibility begins and ends.

use renkei_ids::UnixMillis;

use super::stored::Raw;

const DAY_MILLIS: u64 = 86_400_000;
/// Japan is nine hours ahead of UTC and keeps no summer time.
const JAPAN_MILLIS: u64 = 9 * 3_600_000;

/// A day: 0 is 1 January 1970 in Japan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(pub u32);

impl Day {
    /// The day in Japan that a moment lies in.
    pub fn of(moment: UnixMillis) -> Self {
        let days = moment.0.saturating_add(JAPAN_MILLIS) / DAY_MILLIS;
        Self(u32::try_from(days).unwrap_or(u32::MAX))
    }

    /// So many days later.
    #[must_use]
    pub const fn plus(self, days: u32) -> Self {
        Self(self.0.saturating_add(days))
    }
}

impl Raw<u32> for Day {
    fn to_raw(&self) -> u32 {
        self.0
    }

    fn from_raw(raw: u32) -> Option<Self> {
        Some(Self(raw))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_day_begins_at_midnight_in_japan() {
        // 2025-10-01 00:00 in Japan is 2025-09-30 15:00 UTC.
        let midnight = 1_759_244_400_000;
        assert_eq!(Day::of(UnixMillis(midnight)), Day(20_362));
        assert_eq!(Day::of(UnixMillis(midnight - 1)), Day(20_361));
        assert_eq!(Day::of(UnixMillis(u64::MAX)), Day(u32::MAX));
    }
}
