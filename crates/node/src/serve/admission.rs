//! Bytes of requests under way: what is over is told to come back, so that memory stays bounded at any rate.

use std::sync::Arc;

use prometheus::IntGauge;
use renkei_wire::{ErrorCode, Refusal};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Bytes that every request is counted with besides its content: decoded message, task, queue places.
const OVERHEAD_BYTES: usize = 4 * 1024;
/// Unit of counting, so that a budget of many GiB fits the semaphore.
const UNIT_BYTES: usize = 1024;

/// A budget of bytes. Clones share it.
#[derive(Clone, Debug)]
pub(crate) struct Admission {
    units: Arc<Semaphore>,
    admitted: IntGauge,
}

/// Bytes that a request holds until it is answered.
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
        self.admitted.add(i64::from(units) * UNIT_BYTES as i64);
        Ok(Held { permit, admitted: self.admitted.clone() })
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.admitted.sub(i64::try_from(self.permit.num_permits() * UNIT_BYTES).unwrap_or(0));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_over_the_budget_is_busy_until_something_ends() {
        let gauge = IntGauge::new("admitted", "test").unwrap();
        let admission = Admission::new(100 * 1024, gauge.clone());
        let first = admission.admit(60 * 1024).unwrap();
        assert_eq!(admission.admit(60 * 1024).unwrap_err().code, ErrorCode::Busy);
        let second = admission.admit(32 * 1024).unwrap();
        assert_eq!(gauge.get(), 100 * 1024);
        drop((first, second));
        assert_eq!(gauge.get(), 0);
        assert!(admission.admit(96 * 1024).is_ok());
        assert_eq!(admission.admit(96 * 1024 + 1).unwrap_err().code, ErrorCode::Busy);
    }
}
