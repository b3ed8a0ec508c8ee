//! The one clock of a process.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use renkei_ids::{Clock, UnixMillis};

/// Largest offset that can be set, either way: ten years.
pub const MAX_OFFSET_MILLIS: i64 = 3_653 * 86_400_000;

/// The system's wall clock plus an offset that tests set. Services get it as an `Arc<dyn Clock>`.
#[derive(Debug, Default)]
pub struct SystemClock {
    offset_millis: AtomicI64,
}

/// Proof that this process trusts a development CA and no other. [`crate::Tls::development`] gives it.
#[derive(Clone, Copy, Debug)]
pub struct Development(pub(crate) ());

/// An offset past [`MAX_OFFSET_MILLIS`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a clock offset of {0} ms is more than ten years")]
pub struct InvalidOffset(pub i64);

impl SystemClock {
    /// The clock, without an offset.
    pub fn new() -> Self {
        Self::default()
    }

    /// Shifts the clock, in milliseconds from true time. Only a process under a development CA can prove it may.
    pub fn set_offset(&self, _proof: Development, offset_millis: i64) -> Result<(), InvalidOffset> {
        if offset_millis.unsigned_abs() > MAX_OFFSET_MILLIS.unsigned_abs() {
            return Err(InvalidOffset(offset_millis));
        }
        self.offset_millis.store(offset_millis, Ordering::Relaxed);
        Ok(())
    }

    /// The offset in force, in milliseconds.
    pub fn offset_millis(&self) -> i64 {
        self.offset_millis.load(Ordering::Relaxed)
    }
}

impl Clock for SystemClock {
    fn now(&self) -> UnixMillis {
        #[expect(clippy::disallowed_methods, reason = "this is where the wall clock is read")]
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
        let millis = u64::try_from(since_epoch.as_millis()).unwrap_or(u64::MAX);
        UnixMillis(millis.saturating_add_signed(self.offset_millis()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_offset_shifts_now_both_ways_and_is_bounded() {
        let clock = SystemClock::new();
        let base = clock.now().0;
        for offset in [-86_400_000, 86_400_000] {
            clock.set_offset(Development(()), offset).unwrap();
            let shifted = clock.now().0;
            let expected = base.saturating_add_signed(offset);
            assert!(shifted.abs_diff(expected) < 60_000, "{shifted} is not about {expected}");
        }
        assert_eq!(clock.set_offset(Development(()), MAX_OFFSET_MILLIS + 1), Err(InvalidOffset(MAX_OFFSET_MILLIS + 1)));
        assert!(clock.set_offset(Development(()), i64::MIN).is_err());
        assert_eq!(clock.offset_millis(), 86_400_000);
    }
}
