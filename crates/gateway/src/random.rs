//! The operating system's randomness, by the library that seals.

use renkei_envelope::Random;
use renkei_ids::RequestId;

/// Random bytes for nonces and ids. A system that cannot give them ends the process.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SystemRandom;

impl Random for SystemRandom {
    fn fill(&self, into: &mut [u8]) {
        if aws_lc_rs::rand::fill(into).is_err() {
            renkei_runtime::abort("drawing random bytes");
        }
    }
}

/// A fresh request id.
pub(crate) fn request_id() -> RequestId {
    let mut bytes = [0; RequestId::LEN];
    SystemRandom.fill(&mut bytes);
    RequestId::from_bytes(bytes)
}
