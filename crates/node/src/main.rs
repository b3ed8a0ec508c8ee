//! Runs one node of a cloud.

use std::process::ExitCode;

use clap::Parser;
use renkei_runtime::Args;

/// A storage node: hosts replicas of the cloud's groups, and serves gateways that present a vault's capability.
#[derive(Debug, Parser)]
#[command(name = "renkei-node", version)]
struct Flags {
    #[command(flatten)]
    args: Args,
}

fn main() -> ExitCode {
    let flags = Flags::parse();
    renkei_runtime::run("node", flags.args, renkei_node::run)
}
