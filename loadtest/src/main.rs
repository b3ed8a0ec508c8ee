//! The load tester: what a cloud does beside its peers, on the same machine and in the same run.

mod arguments;
mod channels;
mod cloud;
mod echo;
mod etcd;
mod failure;
mod fsync;
mod hardware;
mod load;
mod operation;
mod payload;
mod peers;
mod ratios;
mod report;
mod row;
mod table;
mod tls;

use std::io::{self, Write as _};
use std::process::ExitCode;

use clap::Parser as _;

use crate::arguments::{Arguments, Command};
use crate::failure::Exit;

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(refused) => {
            let exit = if refused.use_stderr() { Exit::Usage } else { Exit::Pass };
            return refused.print().map_or(Exit::Usage, |()| exit).into();
        }
    };
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return complain(&error.into(), Exit::Unreachable),
    };
    let outcome = runtime.block_on(async {
        match arguments.command {
            Command::Peers(settings) => peers::run(settings).await,
            Command::EchoServer(settings) => echo::server::run(settings).await,
        }
    });
    match outcome {
        Ok(exit) => exit.into(),
        Err(failure) => {
            let exit = failure.exit();
            complain(&failure.into(), exit)
        }
    }
}

fn complain(error: &anyhow::Error, exit: Exit) -> ExitCode {
    // Where standard error is closed, the exit code still tells.
    let _unread = writeln!(io::stderr(), "renkei-loadtest: {error:#}");
    exit.into()
}
