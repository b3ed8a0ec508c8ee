//! Nodes as real processes, asked over mutual TLS. Each test has a cloud of its own.

#![allow(clippy::unwrap_used, reason = "a test may stop where it cannot go on")]
#![allow(clippy::print_stdout, reason = "a test says its seed, and why it is skipped")]

mod checked_load;
mod cloud;
#[cfg(feature = "faults")]
mod disks;
mod histories;
mod load;
mod patient;
#[cfg(feature = "faults")]
mod plans;
#[cfg(feature = "faults")]
mod witness;

mod t10_founding;
mod t20_records;
mod t30_refusals;
mod t40_stream;
mod t50_faults;
mod t60_clocks;
mod t60_membership;
mod t65_slots;
#[cfg(feature = "faults")]
mod t66_replicas;
#[cfg(feature = "faults")]
mod t70_crash;
#[cfg(feature = "faults")]
mod t71_slots_crash;
#[cfg(feature = "faults")]
mod t72_power;
#[cfg(feature = "faults")]
mod t74_damage;
#[cfg(feature = "faults")]
mod t76_broken_rules;
#[cfg(feature = "faults")]
mod t78_install_race;
mod t80_overload;
mod t90_histories;
