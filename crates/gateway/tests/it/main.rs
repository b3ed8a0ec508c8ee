//! A gateway between real nodes and a real vault. The binaries beside this test must be builds with `dev-insecure`.

#![allow(clippy::unwrap_used, reason = "a test may stop where it cannot go on")]

mod build;
#[cfg(feature = "dev-insecure")]
mod directory;
#[cfg(feature = "dev-insecure")]
mod documents;
#[cfg(feature = "dev-insecure")]
mod faults;
#[cfg(feature = "dev-insecure")]
mod limits;
#[cfg(feature = "dev-insecure")]
mod overload;
#[cfg(feature = "dev-insecure")]
mod records;
#[cfg(feature = "dev-insecure")]
mod strangers;
#[cfg(feature = "dev-insecure")]
mod tampered;
#[cfg(feature = "dev-insecure")]
mod tickets;
#[cfg(feature = "dev-insecure")]
mod vaults;
#[cfg(feature = "dev-insecure")]
mod world;
