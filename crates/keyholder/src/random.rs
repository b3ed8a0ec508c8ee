//! The system's randomness.

pub(crate) use renkei_runtime::SystemRandom;
