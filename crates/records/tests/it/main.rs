//! Intake as its callers see it.

mod acceptance;
mod documents;
mod memory;
mod properties;
mod refusals;
mod samples;
mod stored;
