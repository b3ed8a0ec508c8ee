//! A registrar: knows persons, whose member id is whose, and who visited where. It knows no pseudonym and no record.
//!
//! Invariant: what it knows of a person is sealed before it is replicated, and found by tags; nothing of a person is in a
//! log, an error or a label.
//!
//! Reading order: [`state`] is what is replicated and decides; [`entry`] makes of what an insurer enters a command without
//! a person in it; [`register`] is where residents are asked for, and how the five items are judged; `serve` is the way of
//! a request; `mint` how tickets are made of it through key holders; [`run`] puts the parts together.

mod admin;
mod admission;
mod config;
mod day_keys;
mod directory;
pub mod entry;
mod found;
mod founding;
mod key_file;
pub mod keys;
mod machine;
mod metrics;
mod mint;
pub mod register;
mod remote;
mod rpc;
mod serve;
mod service;
mod setup;
pub mod state;
pub mod values;

pub use config::{CloudSettings, RegistrarConfig};
pub use found::run_found;
pub use founding::KeeperError;
pub use key_file::KeyFileError;
pub use service::{RegistrarError, run};
pub use setup::{SetupError, Source, setup};
