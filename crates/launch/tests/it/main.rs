//! Real processes: the probe service under `launch`.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod certs;
mod cloud;
mod config;
mod life;
mod telemetry;
mod world;
