//! The command line as it is started: exit codes, output, and real nodes behind it.

#![expect(clippy::unwrap_used, reason = "a step of a test that fails ends the test")]

mod renkei;
mod world;

mod t10_usage;
mod t20_certs;
mod t30_admin;
mod t35_directory;
mod t40_scan;
mod t50_deploy;
mod t60_record;
mod t70_demo;
mod t80_history;
mod t85_hosts;
mod t90_integration;
