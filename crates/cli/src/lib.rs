//! `renkei`: the command line of people who try, found and look after a cloud.
//!
//! Invariant: links no service. What it knows of a cloud comes over the network, or from files it was pointed at.
//!
//! Results go to standard output, as text or with `--json` as one JSON value; everything else goes to standard error.
//! [`Exit`] is how a command ended.

mod admin;
mod arguments;
mod call;
mod certs;
mod connection;
pub mod control;
mod demo;
pub mod documents;
mod exit;
mod failure;
mod hex;
mod output;
mod plaintext;
mod record;
pub mod scan;
mod statement_key;

use std::io::{self, Write as _};
use std::process::ExitCode;

use clap::Parser as _;
use renkei_runtime::Chain;
use renkei_wire::admin::SubmitRequest;

use crate::arguments::{AdminCommand, Arguments, AuditCommand, CertsCommand, Command};
use crate::failure::Failure;
use crate::output::Output;
use crate::statement_key::Signer;

pub use exit::Exit;

/// Runs the command that the process was started with, and gives its exit code: see [`Exit`].
pub fn run() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(refused) => {
            let exit = if refused.use_stderr() { Exit::Usage } else { Exit::Done };
            return refused.print().map_or(Exit::Usage, |()| exit).into();
        }
    };
    match obey(arguments) {
        Ok(exit) => exit.into(),
        Err(failure) => {
            // Where standard error is closed, the exit code still tells.
            let _unread = writeln!(io::stderr(), "renkei: {}", Chain(&failure));
            failure.exit().into()
        }
    }
}

fn obey(arguments: Arguments) -> Result<Exit, Failure> {
    let output = Output::new(arguments.json);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|source| Failure::Runtime { source })?;
    match arguments.command {
        Command::Demo(settings) => runtime.block_on(demo::demo(settings, output)),
        Command::Put(settings) => runtime.block_on(record::put(settings, output)),
        Command::Get(settings) => runtime.block_on(record::get(settings, output)),
        Command::Replace(settings) => runtime.block_on(record::replace(settings, output)),
        Command::Delete(settings) => runtime.block_on(record::delete(settings, output)),
        Command::Timeline(settings) => runtime.block_on(record::timeline(settings, output)),
        Command::Audit(AuditCommand::List(settings)) => runtime.block_on(record::list_audit(settings, output)),
        Command::SignActor(settings) => statement_key::sign_actor(settings, output),
        Command::Scan(settings) => plaintext::scan(&settings, output),
        Command::Certs(CertsCommand::Dev(settings)) => certs::dev(&settings, output),
        Command::Certs(CertsCommand::Officer(settings)) => statement_key::make(Signer::Officer, &settings, output),
        Command::Certs(CertsCommand::Actors(settings)) => statement_key::make(Signer::Institution, &settings, output),
        Command::Admin(command) => runtime.block_on(administer(command, output)),
    }
}

async fn administer(command: AdminCommand, output: Output) -> Result<Exit, Failure> {
    use crate::admin::submit;
    match command {
        AdminCommand::Status(settings) => admin::status(settings, output).await,
        AdminCommand::Bootstrap(settings) => admin::bootstrap(settings, output).await,
        AdminCommand::AddNode(settings) => admin::add_node(settings, output).await,
        AdminCommand::ReplaceNode(settings) => submit(settings.planning.clone(), (&settings).into(), output).await,
        AdminCommand::Drain(settings) => submit(settings.planning.clone(), (&settings).into(), output).await,
        AdminCommand::MoveReplica(settings) => submit(settings.planning.clone(), (&settings).into(), output).await,
        AdminCommand::Transfer(settings) => submit(settings.planning.clone(), (&settings).into(), output).await,
        AdminCommand::Rebalance(planning) => submit(planning, SubmitRequest::Rebalance, output).await,
        AdminCommand::MoveSlots(settings) => submit(settings.planning.clone(), (&settings).into(), output).await,
        AdminCommand::Grow(settings) => submit(settings.planning.clone(), (&settings).into(), output).await,
        AdminCommand::Jobs(settings) => admin::show_jobs(settings, output).await,
        AdminCommand::Abandon(endpoints) => admin::abandon(endpoints, output).await,
        AdminCommand::Directory(command) => admin::directory(command, output).await,
        AdminCommand::EnrollInstitution(settings) => admin::enroll(settings, output),
        AdminCommand::Deny(settings) => admin::deny(settings, output),
        AdminCommand::AllowAgain(settings) => admin::allow_again(settings, output),
        AdminCommand::Surge(settings) => admin::surge(settings, output),
    }
}
