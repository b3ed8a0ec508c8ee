//! `renkei admin`: what operators ask of nodes.

mod bootstrap;
mod status;

pub(crate) use bootstrap::{bootstrap, found};
pub(crate) use status::status;
