//! The operating system's randomness, by the library that seals.

use renkei_ids::RequestId;
pub(crate) use renkei_runtime::SystemRandom;
use renkei_runtime::draw;

/// A fresh request id.
pub(crate) fn request_id() -> RequestId {
    RequestId::from_bytes(draw())
}
