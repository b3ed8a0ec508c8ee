//! The command `found`: asks the registrar on this host, which must be running, to begin together with its peers.

use std::process::ExitCode;

use renkei_peers::{NotBegun, ask_to_begin};
use renkei_runtime::{Address, Args, Config as _, InvalidAddress, InvalidConfig, Shell};
use renkei_wire::pb::admin::v1 as pb;

use crate::config::RegistrarConfig;
use crate::remote;
use crate::service::{RegistrarError, check_identity};

/// Why the registrar was not founded. The command may be repeated.
#[derive(Debug, thiserror::Error)]
enum FoundCommandError {
    /// The configuration breaks a rule.
    #[error("reading the configuration")]
    Config(#[from] InvalidConfig),
    /// The certificate is not that of the registrar.
    #[error("reading the certificate")]
    Identity(#[source] Box<RegistrarError>),
    /// The configured address cannot be asked.
    #[error("asking at the configured address")]
    Address(#[source] InvalidAddress),
    /// It did not begin.
    #[error("asking the registrar to begin")]
    NotBegun(#[from] NotBegun),
}

/// Founds the registrar that the configuration names, with the certificate of the registrar itself, and gives the exit
/// code. A registrar that is founded already is a success.
pub fn run_found(mut args: Args) -> ExitCode {
    // The registrar that runs has the configured one.
    args.set.push("admin.address=127.0.0.1:0".to_owned());
    renkei_runtime::run("registrar", args, found)
}

async fn found(config: RegistrarConfig, shell: Shell) -> Result<(), FoundCommandError> {
    config.validate()?;
    let number = config.number();
    check_identity(&shell, config.registrar.id).map_err(|error| FoundCommandError::Identity(Box::new(error)))?;
    let address = match config.membership()?.book().address(number) {
        Some(address) => address,
        None => config.listen.address.to_string().parse::<Address>().map_err(FoundCommandError::Address)?,
    };
    let ask = || {
        let mut client = remote::client(shell.tls(), number, &address);
        async move { client.found(pb::FoundRegistrarRequest {}).await }
    };
    Ok(ask_to_begin(ask).await?)
}
