//! The boundary: generated protobuf, one conversion for each message, one error table.
//!
//! Invariant: bytes from outside become a validated type or a named refusal here, and nowhere else does a gRPC status
//! grow.

pub mod pb;

pub use pb::DESCRIPTORS;
