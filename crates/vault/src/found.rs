//! The command `found`: asks the vault on this host, which must be running, to begin together with its peers.

use std::process::ExitCode;
use std::time::Duration;

use renkei_runtime::{Address, Args, Config as _, InvalidAddress, InvalidConfig, Shell};
use renkei_wire::pb::admin::v1 as pb;
use renkei_wire::{ErrorCode, Refusal};
use tokio::time::{Instant, sleep};

use crate::config::VaultConfig;
use crate::remote;
use crate::service::{VaultError, check_identity};

/// Longest time for all vaults of the group to be up.
const PATIENCE: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(200);

/// Why the vault was not founded. The command may be repeated.
#[derive(Debug, thiserror::Error)]
enum FoundCommandError {
    /// The configuration breaks a rule.
    #[error("reading the configuration")]
    Config(#[from] InvalidConfig),
    /// The certificate is not that of the vault.
    #[error("reading the certificate")]
    Identity(#[source] Box<VaultError>),
    /// The configured address cannot be asked.
    #[error("asking at the configured address")]
    Address(#[source] InvalidAddress),
    /// The vault refuses; its log says what it found.
    #[error("the vault refuses; see its log")]
    Refused(#[source] Refusal),
    /// The vault did not answer in time, or not all of its peers did.
    #[error("the vault or one of its peers did not answer within {PATIENCE:?}")]
    TimedOut,
}

/// Founds the vault that the configuration names, with the certificate of the vault itself, and gives the exit code. A
/// vault that is founded already is a success.
pub fn run_found(mut args: Args) -> ExitCode {
    // The vault that runs has the configured one.
    args.set.push("admin.address=127.0.0.1:0".to_owned());
    renkei_runtime::run("vault", args, found)
}

async fn found(config: VaultConfig, shell: Shell) -> Result<(), FoundCommandError> {
    config.validate()?;
    let (cloud, number) = (config.cloud()?, config.number());
    check_identity(&shell, cloud, config.vault.id).map_err(|error| FoundCommandError::Identity(Box::new(error)))?;
    let address = match config.membership()?.book().address(number) {
        Some(address) => address,
        None => config.listen.address.to_string().parse::<Address>().map_err(FoundCommandError::Address)?,
    };
    let end = Instant::now() + PATIENCE;
    loop {
        let mut client = remote::client(shell.tls(), cloud, number, &address);
        let asked = tokio::time::timeout_at(end, client.found(pb::FoundVaultRequest {})).await;
        let status = match asked {
            Err(_late) => return Err(FoundCommandError::TimedOut),
            Ok(Ok(_founded)) => return Ok(()),
            Ok(Err(status)) => status,
        };
        match Refusal::from_status(&status) {
            // Without a refusal in it the status is the transport's: the vault is not up yet.
            Err(_) => {}
            Ok(refusal) if refusal.code == ErrorCode::Unavailable => {}
            Ok(refusal) => return Err(FoundCommandError::Refused(refusal)),
        }
        sleep(PAUSE).await;
    }
}
