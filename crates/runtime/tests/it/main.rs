//! The shell from outside: TLS, serving and the admin port over real sockets.

mod admin;
mod echo;
mod reload;
mod serve;
mod tls;
mod world;
