//! Bytes of requests under way: what is over is told to come back, so that memory stays bounded at any rate.

use std::sync::Arc;

use prometheus::IntGauge;
use renkei_wire::{ErrorCode, Refusal};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Unit of counting, so that any budget fits the semaphore.
const UNIT_BYTES: usize = 1_024;
/// Bytes that every request is counted with besides its content.
const OVERHEAD_BYTES: usize = 16 * 1_024;

/// A budget of bytes. Clones share it.
#[derive(Clone, Debug)]
pub(crate) struct Admission {
    units: Arc<Semaphore>,
    admitted: IntGauge,
}

/// Bytes that are held until this is dropped.
#[derive(Debug)]
pub(crate) struct Held {
    permit: OwnedSemaphorePermit,
    admitted: IntGauge,
}

impl Admission {
    pub(crate) fn new(bytes: usize, admitted: IntGauge) -> Self {
        Self { units: Arc::new(Semaphore::new((bytes / UNIT_BYTES).min(Semaphore::MAX_PERMITS))), admitted }
    }

    /// Counts a request of so many bytes, or refuses it with `busy`.
    pub(crate) fn admit(&self, bytes: usize) -> Result<Held, Refusal> {
        let units = u32::try_from((bytes + OVERHEAD_BYTES).div_ceil(UNIT_BYTES)).unwrap_or(u32::MAX);
        let permit =
            Arc::clone(&self.units).try_acquire_many_owned(units).map_err(|_| Refusal::new(ErrorCode::Busy))?;
        self.admitted.add(held_bytes(&permit));
        Ok(Held { permit, admitted: self.admitted.clone() })
    }
}

fn held_bytes(permit: &OwnedSemaphorePermit) -> i64 {
    i64::try_from(permit.num_permits() * UNIT_BYTES).unwrap_or(i64::MAX)
}

impl Drop for Held {
    fn drop(&mut self) {
        self.admitted.sub(held_bytes(&self.permit));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_over_the_budget_is_busy_until_something_ends() {
        let gauge = IntGauge::new("admitted", "test").unwrap();
        let admission = Admission::new(100 * 1_024, gauge.clone());
        let first = admission.admit(50 * 1_024).unwrap();
        assert_eq!(admission.admit(50 * 1_024).unwrap_err().code, ErrorCode::Busy);
        let second = admission.admit(18 * 1_024).unwrap();
        assert_eq!(gauge.get(), 100 * 1_024);
        drop((first, second));
        assert_eq!(gauge.get(), 0);
        assert!(admission.admit(84 * 1_024).is_ok());
    }
}
