//! Requests under way, and their bytes: what is over is told to come back.

use std::sync::Arc;

use prometheus::IntGauge;
use renkei_runtime::{ByteBudget, HeldBytes};
use renkei_wire::{ErrorCode, Refusal};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Bytes that every request is counted with besides its content: task, opening, queue places.
const OVERHEAD_BYTES: usize = 16 * 1_024;

/// Requests under way at once: what the vault and the nodes behind one gateway answer in a second or two. Further ones
/// would fit into memory, but would be answered to callers who have long given up, and after a flood the next ones would
/// wait behind them.
const REQUESTS_MAX: usize = 2_048;

/// Bytes that a request holds until it is answered.
pub(crate) type Held = HeldBytes;

/// A place among the requests under way, until it is answered.
pub(crate) type Entered = OwnedSemaphorePermit;

/// The budget of all requests. Clones share it.
#[derive(Clone, Debug)]
pub(crate) struct Admission {
    bytes: ByteBudget,
    requests: Arc<Semaphore>,
}

impl Admission {
    pub(crate) fn new(bytes: usize, admitted: IntGauge) -> Self {
        let bytes = ByteBudget::new(bytes, OVERHEAD_BYTES, admitted);
        Self { bytes, requests: Arc::new(Semaphore::new(REQUESTS_MAX)) }
    }

    /// Takes a place for a request, or refuses it with `busy`. A stream of many documents is one request.
    pub(crate) fn enter(&self) -> Result<Entered, Refusal> {
        Arc::clone(&self.requests).try_acquire_owned().map_err(|_| Refusal::new(ErrorCode::Busy))
    }

    /// Counts a request of so many bytes, or refuses it with `busy`.
    pub(crate) fn admit(&self, bytes: usize) -> Result<Held, Refusal> {
        self.bytes.hold(bytes).map_err(|_| Refusal::new(ErrorCode::Busy))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_over_the_count_are_busy_until_others_end() {
        let admission = Admission::new(1 << 40, IntGauge::new("admitted", "test").unwrap());
        let mut entered: Vec<_> = core::iter::from_fn(|| admission.enter().ok()).collect();
        assert_eq!(entered.len(), REQUESTS_MAX);
        let refused = admission.enter().unwrap_err();
        assert_eq!(refused.code, ErrorCode::Busy);
        assert!(refused.retry_after.is_some(), "a caller is told how long to wait");
        entered.pop();
        assert!(admission.enter().is_ok());
    }
}
