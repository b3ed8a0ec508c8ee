//! The wire against its written promises, and every conversion there and back.

mod admin;
mod admin_jobs;
mod arbitrary;
mod baseline;
mod descriptors;
mod edges;
mod errors;
mod record;
mod refused_answers;
mod round_trip;
mod vault;
