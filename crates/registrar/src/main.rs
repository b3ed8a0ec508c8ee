//! Runs one registrar, makes its key files, or has it begin.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use renkei_registrar::Source;
use renkei_runtime::{Args, Chain};

/// A registrar: knows who is insured, checks patients in at institutions, and mints tickets through key holders.
#[derive(Debug, Parser)]
#[command(name = "renkei-registrar", version, args_conflicts_with_subcommands = true)]
struct Flags {
    #[command(flatten)]
    args: Args,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Makes the key files and signing.pub in a directory, once; prints nothing.
    Setup {
        /// The directory, which is made if it is not there.
        #[arg(long)]
        dir: PathBuf,
        /// 32 bytes that only this host can read, such as a systemd credential: the keys are sealed to it.
        #[arg(long)]
        host_secret: PathBuf,
        /// Directory of the key files of the registrar's first host: every replica has the same keys.
        #[arg(long, value_name = "DIR", requires = "from_secret")]
        from: Option<PathBuf>,
        /// The 32 bytes that the files of `--from` are sealed to.
        #[arg(long, value_name = "FILE", requires = "from")]
        from_secret: Option<PathBuf>,
    },
    /// Begins the registrar, once, together with all its peers, which must be running; asks the one on this host.
    Found {
        #[command(flatten)]
        args: Args,
    },
}

fn main() -> ExitCode {
    let Flags { args, command } = Flags::parse();
    match command {
        None => renkei_runtime::run("registrar", args, renkei_registrar::run),
        Some(Command::Found { args }) => renkei_registrar::run_found(args),
        Some(Command::Setup { dir, host_secret, from, from_secret }) => {
            let from = from.as_deref().zip(from_secret.as_deref()).map(|(dir, secret)| Source { dir, secret });
            let Err(error) = renkei_registrar::setup(&dir, &host_secret, from) else { return ExitCode::SUCCESS };
            let _unwritable = writeln!(std::io::stderr(), "renkei-registrar: {}", Chain(&error));
            ExitCode::FAILURE
        }
    }
}
