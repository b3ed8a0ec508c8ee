//! What a registrar makes of a synthetic country, and real registrars with key holders behind them: one binary, a file for
//! each topic.

#![allow(clippy::unwrap_used, reason = "a test may stop where it cannot go on")]

mod check_ins;
mod federation;
mod group;
mod links;
mod rest;
mod strangers;
mod tickets;
mod world;
