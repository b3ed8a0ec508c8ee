//! The storage crate from outside: what survives, what is seen, and in what order.

mod fixture;
mod log;
mod log_model;
mod snapshot;
mod state;
mod state_model;
