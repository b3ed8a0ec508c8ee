//! A vault: knows keys, opens tickets, finds patients by the hash of their pseudonym, and decides what is opened for whom.
//!
//! Invariant: no key leaves before its opening, or the refusal, is committed in the vault's own log; no key of a patient
//! is ever in the clear in log, state, snapshot or backup; ticket keys are in memory only; a vault knows no record and no
//! person.
//!
//! Reading order: [`state`] is what is replicated and decides; [`run`] puts the parts together; `serve` is the way of a
//! request: judge tickets, look up and wrap, have it decided, unwrap and sign; `ticket_keys` is where the day's keys come
//! from; `founding` is how a vault begins.
//!
//! The feature `dev-insecure` adds a call that opens patients by pseudonym without tickets, and takes key files that are
//! sealed to nothing. Such a build serves a development authority on loopback only, and says what it is in its log.

mod admin;
mod admission;
mod config;
mod directory;
mod found;
mod founding;
#[cfg(feature = "dev-insecure")]
mod insecure;
pub mod key_file;
mod machine;
mod metrics;
mod random;
mod remote;
mod rpc;
mod serve;
mod service;
mod setup;
pub mod state;
mod ticket_keys;

pub use config::{BudgetSettings, LimitSettings, VaultConfig};
pub use found::run_found;
pub use founding::KeeperError;
pub use key_file::{KeyFileError, Purpose};
pub use service::{VaultError, run};
pub use setup::{SetupError, Source, setup};
