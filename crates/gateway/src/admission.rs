//! Bytes of requests under way: what is over is told to come back.

use prometheus::IntGauge;
use renkei_runtime::{ByteBudget, HeldBytes};
use renkei_wire::{ErrorCode, Refusal};

/// Bytes that every request is counted with besides its content: task, opening, queue places.
const OVERHEAD_BYTES: usize = 16 * 1_024;

/// Bytes that a request holds until it is answered.
pub(crate) type Held = HeldBytes;

/// The budget of all requests. Clones share it.
#[derive(Clone, Debug)]
pub(crate) struct Admission(ByteBudget);

impl Admission {
    pub(crate) fn new(bytes: usize, admitted: IntGauge) -> Self {
        Self(ByteBudget::new(bytes, OVERHEAD_BYTES, admitted))
    }

    /// Counts a request of so many bytes, or refuses it with `busy`.
    pub(crate) fn admit(&self, bytes: usize) -> Result<Held, Refusal> {
        self.0.hold(bytes).map_err(|_| Refusal::new(ErrorCode::Busy))
    }
}
