//! Default budgets: one rule from the size of an institution to how much it may ask, for whoever counts.

/// How much of one use may be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// In a minute.
    pub minute: u32,
    /// In a day, which begins at 00:00 UTC.
    pub day: u32,
}

/// Visits of a usual day that an institution is enrolled with: 1 to [`DailyVisits::MAX`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DailyVisits(u32);

impl DailyVisits {
    /// More than any institution has.
    pub const MAX: u32 = 1_000_000;

    /// A number of visits; `None` for none, and over the limit.
    pub const fn new(visits: u32) -> Option<Self> {
        if visits == 0 || visits > Self::MAX { None } else { Some(Self(visits)) }
    }

    /// The number.
    pub const fn get(self) -> u32 {
        self.0
    }

    /// The budget of a use that comes so many times in ten visits, and never less than `least` in a day.
    ///
    /// A busy day has twice the visits of a usual one, its busiest minute a twentieth of a day's: so a budget's minute is a
    /// fortieth of its day, or a quarter of the least, which lets an institution of five visits a day live.
    pub const fn limit(self, in_ten_visits: u32, least: u32) -> Limit {
        let day = self.0.saturating_mul(in_ten_visits) / 10;
        let day = if day < least { least } else { day };
        let minute = day / 40;
        Limit { minute: if minute < least / 4 { least / 4 } else { minute }, day }
    }
}

/// How much one institution may ask of a cloud's vault, on one purpose and evidence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpeningLimits {
    /// Openings.
    pub open: Limit,
    /// Openings on evidence that serves emergencies only.
    pub emergency: Limit,
    /// Puts and deletes.
    pub write: Limit,
}

impl OpeningLimits {
    /// The defaults: twice the visits of a usual day, with two openings and twenty documents to each, and one emergency in
    /// twenty.
    pub const fn of(visits: DailyVisits) -> Self {
        Self { open: visits.limit(40, 80), emergency: visits.limit(1, 20), write: visits.limit(400, 800) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_size_is_one_to_a_million() {
        assert_eq!([0, DailyVisits::MAX + 1, u32::MAX].map(DailyVisits::new), [None; 3]);
        assert_eq!(
            [1, DailyVisits::MAX].map(|visits| DailyVisits::new(visits).map(DailyVisits::get)),
            [Some(1), Some(DailyVisits::MAX)]
        );
    }

    #[test]
    fn a_large_hospital_and_a_small_clinic_get_what_they_need() {
        let limits = |visits| DailyVisits::new(visits).map(OpeningLimits::of);
        assert_eq!(
            limits(3_000),
            Some(OpeningLimits {
                open: Limit { minute: 300, day: 12_000 },
                emergency: Limit { minute: 7, day: 300 },
                write: Limit { minute: 3_000, day: 120_000 },
            })
        );
        assert_eq!(
            limits(5),
            Some(OpeningLimits {
                open: Limit { minute: 20, day: 80 },
                emergency: Limit { minute: 5, day: 20 },
                write: Limit { minute: 200, day: 800 },
            })
        );
    }

    proptest! {
        #[test]
        fn a_larger_institution_never_gets_less(
            visits in 1..DailyVisits::MAX,
            rate in 0..100_000_u32,
            least in 0..1_000_u32,
        ) {
            let limit = |visits| DailyVisits::new(visits).map(|visits| visits.limit(rate, least)).expect("within the limit");
            let (small, large) = (limit(visits), limit(visits + 1));
            prop_assert!(small.minute <= large.minute && small.day <= large.day);
            prop_assert!(small.day >= least && small.minute <= small.day);
        }
    }
}
