//! Intake as its callers see it.

mod acceptance;
mod documents;
mod properties;
mod refusals;
mod samples;
mod stored;
