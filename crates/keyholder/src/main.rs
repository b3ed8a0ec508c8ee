//! Runs one key holder, or makes the secret of an epoch.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use renkei_runtime::{Args, Chain};

/// A key holder: one organisation's part of every pseudonym.
#[derive(Debug, Parser)]
#[command(name = "renkei-keyholder", version, args_conflicts_with_subcommands = true)]
struct Flags {
    #[command(flatten)]
    args: Args,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Makes factors-EPOCH.key in a directory, once; prints nothing.
    Setup {
        /// The directory, which is made if it is not there.
        #[arg(long)]
        dir: PathBuf,
        /// The epoch of pseudonym keys that the secret is for.
        #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
        epoch: u32,
        /// 32 bytes that only this host can read, such as a systemd credential: the secret is sealed to it.
        #[arg(long)]
        host_secret: PathBuf,
    },
}

fn main() -> ExitCode {
    let Flags { args, command } = Flags::parse();
    match command {
        None => renkei_runtime::run("keyholder", args, renkei_keyholder::run),
        Some(Command::Setup { dir, epoch, host_secret }) => {
            let Err(error) = renkei_keyholder::setup(&dir, epoch, &host_secret) else { return ExitCode::SUCCESS };
            let _unwritable = writeln!(std::io::stderr(), "renkei-keyholder: {}", Chain(&error));
            ExitCode::FAILURE
        }
    }
}
