//! How the directory travels: published into the log of a vault or a registrar, and followed by gateways.
//!
//! Invariant: no process takes a directory that too few of the officers in its own configuration signed, or that is not
//! newer than the one it has, whoever gives it. What a directory says is `access`; what a log does with one is its owner's.
//!
//! A service that keeps one is a [`Keeper`], and [`DirectoryRpc`] answers for it. A process that goes by another's
//! [follows](Followed::start) it. Both read [`DirectorySettings`].

mod follow;
mod keep;
mod settings;

pub use follow::{Followed, Source};
pub use keep::{DirectoryRpc, Keeper};
pub use settings::DirectorySettings;
