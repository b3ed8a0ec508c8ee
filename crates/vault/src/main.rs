//! Runs one vault of a cloud, makes its key files, or has it begin.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use renkei_runtime::{Args, Chain};
use renkei_vault::Source;

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
        /// Directory of the key files of the vault's first host: every replica has the same keys.
        #[arg(long, value_name = "DIR")]
        from: Option<PathBuf>,
        /// The 32 bytes that the files of `--from` are sealed to.
        #[arg(long, value_name = "FILE", requires = "from")]
        from_secret: Option<PathBuf>,
    },
    /// Begins the vault, once, together with all its peers, which must be running; asks the vault on this host.
    Found {
        #[command(flatten)]
        args: Args,
    },
}

fn main() -> ExitCode {
    let Flags { args, command } = Flags::parse();
    match command {
        None => renkei_runtime::run("vault", args, renkei_vault::run),
        Some(Command::Found { args }) => renkei_vault::run_found(args),
        Some(Command::Setup { dir, host_secret, from, from_secret }) => {
            let from = from.as_deref().map(|dir| Source { dir, secret: from_secret.as_deref() });
            let Err(error) = renkei_vault::setup(&dir, host_secret.as_deref(), from) else { return ExitCode::SUCCESS };
            let _unwritable = writeln!(std::io::stderr(), "renkei-vault: {}", Chain(&error));
            ExitCode::FAILURE
        }
    }
}
