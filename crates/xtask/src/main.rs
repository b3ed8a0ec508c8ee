//! The house: sets a machine up, builds, verifies and demonstrates the workspace.
//!
//! Invariant: needs nothing that a machine with Rust and a linker lacks, and depends on no crate of ours.
//!
//! `cargo verify`, `cargo demo` and `cargo xtask` are aliases to this binary (`.cargo/config.toml`).

mod demo;
mod long;
mod production;
mod progress;
mod request;
mod setup;
mod stages;
mod structure;
mod suite;
mod tally;
mod verify;
mod workspace;

use std::io::Write as _;
use std::process::ExitCode;

use request::Request;

/// Exit codes: 0 done, 1 something failed, 2 the command line makes no sense.
fn main() -> ExitCode {
    let request = match Request::parse(std::env::args().skip(1)) {
        Ok(request) => request,
        Err(misuse) => {
            complain(&format!("{misuse}\n\n{}", request::USAGE));
            return ExitCode::from(2);
        }
    };
    match run(request) {
        Ok(code) => code,
        Err(error) => {
            complain(&format!("error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn run(request: Request) -> anyhow::Result<ExitCode> {
    match request {
        Request::Help => {
            std::io::stdout().write_all(request::USAGE.as_bytes())?;
            Ok(ExitCode::SUCCESS)
        }
        Request::Setup => setup::run(),
        Request::Demo(arguments) => demo::run(&arguments),
        Request::Structure => structure::run(),
        Request::Verify => verify::run(),
        Request::VerifyLong(wanted) => long::run(&wanted),
    }
}

fn complain(message: &str) {
    // Nobody is left to tell when standard error is closed.
    let _ = writeln!(std::io::stderr(), "{}", message.trim_end());
}
