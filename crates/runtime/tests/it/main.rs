//! The shell from outside: TLS, serving and the admin port over real sockets.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod admin;
mod crowds;
mod echo;
mod reload;
mod serve;
mod tls;
mod world;
