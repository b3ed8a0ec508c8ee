//! Runs one gateway of a cloud, or makes its cell's key.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use renkei_runtime::{Args, Chain};

/// A gateway: takes documents of institutions in the clear, has their keys opened, and stores and reads ciphertext.
#[derive(Debug, Parser)]
#[command(name = "renkei-gateway", version, args_conflicts_with_subcommands = true)]
struct Flags {
    #[command(flatten)]
    args: Args,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Makes cell.key and cell.pub in a directory, once; prints nothing.
    Setup {
        /// The directory, which is made if it is not there.
        #[arg(long)]
        dir: PathBuf,
        /// 32 bytes that only this host can read, such as a systemd credential: the key is sealed to it.
        #[arg(long)]
        host_secret: PathBuf,
    },
}

fn main() -> ExitCode {
    let Flags { args, command } = Flags::parse();
    match command {
        None => renkei_runtime::run("gateway", args, renkei_gateway::run),
        Some(Command::Setup { dir, host_secret }) => {
            let Err(error) = renkei_gateway::setup(&dir, &host_secret) else { return ExitCode::SUCCESS };
            let _unwritable = writeln!(std::io::stderr(), "renkei-gateway: {}", Chain(&error));
            ExitCode::FAILURE
        }
    }
}
