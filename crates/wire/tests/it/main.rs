//! The wire against its written promises, and every conversion there and back.

mod admin;
mod admin_jobs;
mod arbitrary;
mod baseline;
mod descriptors;
mod directory;
mod edges;
mod errors;
mod keyholder;
mod record;
mod refused_answers;
mod registrar;
mod round_trip;
mod transfer;
mod vault;
