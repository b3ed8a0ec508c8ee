//! Bytes of calls under way: what is over is told to come back.

use prometheus::IntGauge;
use renkei_runtime::{ByteBudget, HeldBytes};
use renkei_wire::{ErrorCode, Refusal};

/// Bytes that every call is counted with: decoded message, command, task.
const CALL_BYTES: usize = 16 * 1_024;
/// And every item of it: its part of the command, the keys that are unwrapped for it, and its part of the answer, which for
/// an opening of six classes and 32 years is 10 KiB.
const ITEM_BYTES: usize = 16 * 1_024;

/// Bytes that a call holds until it is answered.
pub(crate) type Held = HeldBytes;

/// The budget of all calls. Clones share it.
#[derive(Clone, Debug)]
pub(crate) struct Admission(ByteBudget);

impl Admission {
    pub(crate) fn new(bytes: usize, admitted: IntGauge) -> Self {
        Self(ByteBudget::new(bytes, CALL_BYTES, admitted))
    }

    /// Counts a call of so many items, or refuses it with `busy`.
    pub(crate) fn admit(&self, items: usize) -> Result<Held, Refusal> {
        self.0.hold(items.saturating_mul(ITEM_BYTES)).map_err(|_| Refusal::new(ErrorCode::Busy))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_over_the_budget_are_busy_until_others_end() {
        let admission = Admission::new(4 << 20, IntGauge::new("admitted", "test").unwrap());
        let held: Vec<_> = core::iter::from_fn(|| admission.admit(64).ok()).collect();
        assert_eq!(held.len(), 3, "a call of 64 items takes a mebibyte and a bit");
        let refused = admission.admit(64).unwrap_err();
        assert_eq!(refused.code, ErrorCode::Busy);
        assert!(refused.retry_after.is_some(), "a caller is told how long to wait");
        drop(held);
        assert!(admission.admit(64).is_ok());
    }
}
