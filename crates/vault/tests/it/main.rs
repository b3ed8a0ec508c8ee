//! Vaults as real processes, asked over mutual TLS. Opening by pseudonym takes a build with `dev-insecure`.

#![allow(clippy::unwrap_used, reason = "a test may stop where it cannot go on")]

#[cfg(feature = "dev-insecure")]
mod budgets;
mod build;
#[cfg(feature = "dev-insecure")]
mod denials;
#[cfg(feature = "dev-insecure")]
mod founding;
#[cfg(feature = "dev-insecure")]
mod group;
#[cfg(feature = "dev-insecure")]
mod openings;
#[cfg(feature = "dev-insecure")]
mod peers;
#[cfg(feature = "dev-insecure")]
mod rest;
#[cfg(feature = "dev-insecure")]
mod tickets;
#[cfg(feature = "dev-insecure")]
mod world;
#[cfg(feature = "dev-insecure")]
mod writes;
