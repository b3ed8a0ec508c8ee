//! When the ticket keys of a day are used.

use renkei_ids::{UnixDay, UnixMillis};

/// How far the clocks of those who mint and open may be from each other.
const SKEW_MILLIS: u64 = 60_000;
/// How long before its day a vault may have a key, so that midnight finds it there.
const AHEAD_MILLIS: u64 = 3_600_000;
/// How long after its day the last ticket may still live: `TICKET_MAX_MINUTES` of `access`.
const LONGEST_LIFE_MILLIS: u64 = 60_000 * renkei_access::TICKET_MAX_MINUTES as u64;

/// What the secret of a day is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DayUse {
    /// To seal what is in tickets: on the day itself.
    Mint,
    /// For a vault: a little before the day, and until its last ticket has ended.
    Fetch,
}

impl DayUse {
    /// Whether the day is used so now.
    pub fn allows(self, day: UnixDay, now: UnixMillis) -> bool {
        let (before, end) = match self {
            Self::Mint => (SKEW_MILLIS, Self::last_draw(day)),
            Self::Fetch => (AHEAD_MILLIS, Self::last_use(day)),
        };
        now.plus_millis(before) >= day.begins() && now < end
    }

    /// From when on a day that has no secret needs none: nothing was sealed under it.
    pub fn last_draw(day: UnixDay) -> UnixMillis {
        day.ends().plus_millis(SKEW_MILLIS)
    }

    /// From when on nobody needs the day's secret any more.
    pub fn last_use(day: UnixDay) -> UnixMillis {
        day.ends().plus_millis(LONGEST_LIFE_MILLIS + SKEW_MILLIS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_minted_under_on_the_day_and_handed_out_from_an_hour_before_until_its_last_ticket_has_ended() {
        const LENGTH: i64 = 86_400_000;
        let day = UnixDay(20_000);
        let at = |millis: i64| UnixMillis(day.begins().0.saturating_add_signed(millis));
        let edges = [(DayUse::Mint, -60_000, LENGTH + 60_000), (DayUse::Fetch, -3_600_000, LENGTH + 3_660_000)];
        for (what, first, end) in edges {
            assert!(!what.allows(day, at(first - 1)) && what.allows(day, at(first)), "{what:?}");
            assert!(what.allows(day, at(end - 1)) && !what.allows(day, at(end)), "{what:?}");
        }
    }
}
