//! Key holders as real processes, asked over mutual TLS.

#![allow(clippy::unwrap_used, reason = "a test may stop where it cannot go on")]

mod budgets;
mod keys;
mod roles;
mod tickets;
mod world;
