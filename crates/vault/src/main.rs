//! Runs one vault of a cloud, or makes its key files.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use renkei_runtime::{Args, Chain};

/// A vault: holds the keys of a cloud's patients, and opens them for gateways under budgets.
#[derive(Debug, Parser)]
#[command(name = "renkei-vault", version, args_conflicts_with_subcommands = true)]
struct Flags {
    #[command(flatten)]
    args: Args,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Makes epoch.key, signing.key and signing.pub in a directory, once; prints nothing.
    Setup {
        /// The directory, which is made if it is not there.
        #[arg(long)]
        dir: PathBuf,
        /// 32 bytes that only this host can read, such as a systemd credential: the keys are sealed to it. A build with
        /// the feature `dev-insecure` can do without.
        #[arg(long)]
        host_secret: Option<PathBuf>,
    },
}

fn main() -> ExitCode {
    let flags = Flags::parse();
    let Some(Command::Setup { dir, host_secret }) = flags.command else {
        return renkei_runtime::run("vault", flags.args, renkei_vault::run);
    };
    match renkei_vault::setup(&dir, host_secret.as_deref()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _unwritable = writeln!(std::io::stderr(), "renkei-vault: {}", Chain(&error));
            ExitCode::FAILURE
        }
    }
}
