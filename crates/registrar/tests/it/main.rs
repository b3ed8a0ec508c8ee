//! What a registrar makes of a synthetic country: one binary, a file for each topic.

#![allow(clippy::unwrap_used, reason = "a test may stop where it cannot go on")]

mod links;
mod world;
