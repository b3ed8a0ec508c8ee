//! The state machine over a store in memory: against a model, at its limits, and in its stored formats.

mod formats;
mod memory;
mod model;
mod reads;
mod scenario;
mod writes;
