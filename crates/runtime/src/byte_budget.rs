//! Bytes of requests under way: what is over is not admitted, so that memory stays bounded at any rate.

use std::sync::Arc;

use prometheus::IntGauge;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Unit of counting, so that a budget of many GiB fits the semaphore.
const UNIT_BYTES: usize = 1_024;

/// A budget of bytes for requests under way. Clones share it.
#[derive(Clone, Debug)]
pub struct ByteBudget {
    units: Arc<Semaphore>,
    overhead: usize,
    admitted: IntGauge,
}

/// Bytes of a [`ByteBudget`] that are held until this is dropped.
#[derive(Debug)]
pub struct HeldBytes {
    permit: OwnedSemaphorePermit,
    admitted: IntGauge,
}

/// The budget has not so many bytes left. Nobody waits for them: the caller is told to come back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("as many bytes are under way as are admitted")]
pub struct BudgetFull;

impl ByteBudget {
    /// A budget of `bytes`, in which every request takes `overhead` bytes besides its content: decoded message, task,
    /// places in queues. `admitted` shows what is held, in bytes.
    pub fn new(bytes: usize, overhead: usize, admitted: IntGauge) -> Self {
        Self { units: Arc::new(Semaphore::new((bytes / UNIT_BYTES).min(Semaphore::MAX_PERMITS))), overhead, admitted }
    }

    /// Takes room for so many bytes of content, in whole KiB.
    ///
    /// # Errors
    /// [`BudgetFull`]; nothing is held then.
    pub fn hold(&self, bytes: usize) -> Result<HeldBytes, BudgetFull> {
        let units = bytes.saturating_add(self.overhead).div_ceil(UNIT_BYTES);
        let units = u32::try_from(units).map_err(|_| BudgetFull)?;
        let permit = Arc::clone(&self.units).try_acquire_many_owned(units).map_err(|_| BudgetFull)?;
        self.admitted.add(bytes_of(&permit));
        Ok(HeldBytes { permit, admitted: self.admitted.clone() })
    }
}

impl Drop for HeldBytes {
    fn drop(&mut self) {
        self.admitted.sub(bytes_of(&self.permit));
    }
}

fn bytes_of(permit: &OwnedSemaphorePermit) -> i64 {
    i64::try_from(permit.num_permits() * UNIT_BYTES).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_over_the_budget_is_not_admitted_until_something_ends() {
        let gauge = IntGauge::new("admitted", "test").unwrap();
        let budget = ByteBudget::new(100 * 1_024, 4 * 1_024, gauge.clone());
        let first = budget.hold(60 * 1_024).unwrap();
        assert_eq!(budget.hold(60 * 1_024).unwrap_err(), BudgetFull);
        let second = budget.hold(32 * 1_024).unwrap();
        assert_eq!(gauge.get(), 100 * 1_024);
        assert_eq!(budget.hold(0).unwrap_err(), BudgetFull, "a request takes room without content too");
        drop((first, second));
        assert_eq!(gauge.get(), 0);
        assert!(budget.hold(96 * 1_024).is_ok());
        assert_eq!(budget.hold(96 * 1_024 + 1).unwrap_err(), BudgetFull);
        assert_eq!(budget.hold(usize::MAX).unwrap_err(), BudgetFull);
    }
}
