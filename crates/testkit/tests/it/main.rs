//! The checker against a search of every order, and against histories whose order is known.

#![expect(clippy::unwrap_used, reason = "a step of a test that fails ends the test")]

mod every_order;
mod known;
mod properties;
