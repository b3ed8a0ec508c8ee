//! The system's randomness.

use renkei_envelope::Random;

/// Random bytes of the operating system.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SystemRandom;

impl Random for SystemRandom {
    fn fill(&self, into: &mut [u8]) {
        if aws_lc_rs::rand::fill(into).is_err() {
            tracing::error!("the system gives no random bytes");
            renkei_runtime::abort("draw random bytes");
        }
    }
}
