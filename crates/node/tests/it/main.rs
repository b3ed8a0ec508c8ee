//! Nodes as real processes, asked over mutual TLS. Each test has a cloud of its own.

#![allow(clippy::unwrap_used, reason = "a test may stop where it cannot go on")]

mod checked_load;
mod cloud;
mod load;
mod patient;

mod t10_founding;
mod t20_records;
mod t30_refusals;
mod t40_stream;
mod t50_faults;
mod t60_membership;
mod t65_slots;
