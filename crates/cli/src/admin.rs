//! `renkei admin`: what operators ask of nodes.

mod bootstrap;
mod directory;
mod leader;
mod plan;
mod status;

pub(crate) use bootstrap::{bootstrap, found};
pub(crate) use directory::{allow_again, deny, directory, enroll, surge};
pub(crate) use plan::{abandon, add_node, show_jobs, submit};
pub(crate) use status::status;
