//! The command line.

use std::process::ExitCode;

fn main() -> ExitCode {
    renkei_cli::run()
}
