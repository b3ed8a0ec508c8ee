//! Runs one gateway of a cloud.

use std::process::ExitCode;

use clap::Parser;
use renkei_runtime::Args;

/// A gateway: takes documents of institutions in the clear, has their keys opened, and stores and reads ciphertext.
#[derive(Debug, Parser)]
#[command(name = "renkei-gateway", version)]
struct Flags {
    #[command(flatten)]
    args: Args,
}

fn main() -> ExitCode {
    let flags = Flags::parse();
    renkei_runtime::run("gateway", flags.args, renkei_gateway::run)
}
