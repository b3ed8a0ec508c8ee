//! A key holder: knows its factor of each cloud's pseudonym key, translates blinded points, and seals what takes its mask
//! off to the cloud's vault.
//!
//! Invariant: it sees no person, no pseudonym and no institution; what it is sent it can neither tell from what it was sent
//! before nor keep. Nothing is translated beyond a budget, and no restart refills one.
//!
//! Reading order: `holder` is what it does; `budget` how much of it; `days` the secrets of each day's ticket keys; [`run`]
//! puts the parts together.

mod budget;
mod config;
mod days;
mod disk;
mod holder;
mod key_file;
mod metrics;
mod random;
mod rpc;
mod service;
mod setup;

pub use config::{CloudSettings, KeyholderConfig};
pub use days::DaysError;
pub use key_file::KeyFileError;
pub use service::{KeyholderError, run};
pub use setup::{SetupError, setup};
