//! Bytes of calls under way: what is over is told to come back.

use prometheus::IntGauge;
use renkei_runtime::{ByteBudget, HeldBytes};
use renkei_wire::{ErrorCode, Refusal};

/// Bytes that every call is counted with: decoded message, command, task.
const CALL_BYTES: usize = 16 * 1_024;
/// And every item of it: a statement, or the tickets of a footprint.
const ITEM_BYTES: usize = 16 * 1_024;

/// The budget of all calls. Clones share it.
#[derive(Clone, Debug)]
pub(crate) struct Admission(ByteBudget);

impl Admission {
    pub(crate) fn new(bytes: usize, admitted: IntGauge) -> Self {
        Self(ByteBudget::new(bytes, CALL_BYTES, admitted))
    }

    /// Counts a call of so many items, or refuses it with `busy`.
    pub(crate) fn admit(&self, items: usize) -> Result<HeldBytes, Refusal> {
        self.0.hold(items.saturating_mul(ITEM_BYTES)).map_err(|_| Refusal::new(ErrorCode::Busy))
    }
}
