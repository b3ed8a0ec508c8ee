//! The system's randomness.

use renkei_ids::Random;

/// Random bytes of the operating system. A system that cannot give them ends the process.
#[derive(Clone, Copy, Debug)]
pub struct SystemRandom;

impl Random for SystemRandom {
    fn fill(&self, into: &mut [u8]) {
        if aws_lc_rs::rand::fill(into).is_err() {
            tracing::error!("the system gives no random bytes");
            crate::abort("draw random bytes");
        }
    }
}

/// So many random bytes.
pub fn draw<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    SystemRandom.fill(&mut bytes);
    bytes
}
