//! Puts a gateway together.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt as _;
use renkei_directory::{Followed, Source};
use renkei_envelope::CellSecret;
use renkei_ids::CloudId;
use renkei_runtime::{
    Address, Admit, BindError, Config as _, Denials, ExpectedPeer, Http2, InvalidConfig, OnError, OnShutdown,
    PeerIdentity, Role, Shell, TaskKind, bind, serve_grpc,
};
use renkei_wire::{RecordServiceServer, limits};

use crate::admission::Admission;
use crate::cell_key::{self, CellKeyError};
use crate::config::GatewayConfig;
use crate::metrics::Metrics;
use crate::nodes::Nodes;
use crate::openings::Openings;
use crate::rpc::{Desk, Records};
use crate::vault::Vault;

/// How often openings that have ended are dropped.
const SWEEP_EVERY: Duration = Duration::from_secs(10);
/// Stands in a binary with the feature only, so that one can be searched for it.
#[cfg(feature = "dev-insecure")]
const INSECURE_MARKER: &str = "renkei-gateway dev-insecure: patients open by pseudonym, without a ticket";

/// Why a gateway does not run.
#[derive(Debug, thiserror::Error)]
pub enum GatewayError {
    /// The configuration breaks a rule.
    #[error("reading the configuration")]
    Config(#[from] InvalidConfig),
    /// The certificate is not that of a gateway of this cloud with this name.
    #[error("the certificate names {actual}, the configuration gateway {name} of cloud {cloud}")]
    OtherIdentity {
        /// The cloud configured.
        cloud: CloudId,
        /// The name configured.
        name: String,
        /// Who the certificate names.
        actual: Box<PeerIdentity>,
    },
    /// The build opens patients without tickets, which only a development authority on loopback may have.
    #[error("this build opens patients without tickets: it serves a development authority on loopback only")]
    Insecure,
    /// No officers are configured, and the build is not for development.
    #[error("no directory is configured, so nobody would be served")]
    NoDirectory,
    /// The cell's key.
    #[error("reading the cell's key")]
    CellKey(#[from] CellKeyError),
    /// A metric was registered twice.
    #[error("registering metrics")]
    Metrics(#[from] prometheus::Error),
    /// The port.
    #[error("opening the port")]
    Bind(#[from] BindError),
}

/// Runs a gateway until the process is asked to stop.
///
/// # Errors
/// [`GatewayError`], before anything is served.
pub async fn run(config: GatewayConfig, shell: Shell) -> Result<(), GatewayError> {
    config.validate()?;
    let cloud = config.cloud()?;
    check_identity(&shell, cloud, &config.gateway.name)?;
    check_build(&shell, &config)?;
    let metrics = Metrics::register(shell.registry())?;
    let admission = Admission::new((config.memory.requests_mib as usize) << 20, metrics.admitted_bytes.clone());
    let directory = directory(&shell, &config, cloud)?;
    let openings = Openings::new(metrics.openings.clone());
    let desk = Arc::new(Desk {
        shell: shell.clone(),
        cloud,
        clock: shell.clock(),
        directory: directory.clone(),
        cell: cell(&config)?,
        vault: Vault::new(&shell, cloud, &config.vault.addresses),
        nodes: Nodes::new(shell.clone(), cloud, &config.nodes.addresses, admission.clone()),
        openings: openings.clone(),
        admission,
        metrics,
        denials: denials(&shell),
    });
    if let Some(followed) = directory {
        forget_denied(&shell, &followed, openings.clone());
    }
    sweep(&shell, openings);

    let listener = bind(config.listen.address)?;
    let service = RecordServiceServer::new(Records { desk })
        .max_decoding_message_size(limits::RECORD_MESSAGE_MAX_BYTES)
        .max_encoding_message_size(limits::RECORD_MESSAGE_MAX_BYTES);
    let admit = Admit { cloud: Some(cloud), roles: &[Role::Institution] };
    let serving = serve_grpc(&shell, "gateway", listener, shell.tls().server(admit), Http2::CALLS, service);
    shell.started();
    shell.stopping().cancelled().await;
    serving.drained().await;
    Ok(())
}

/// Says what the build can do, and where it may do it.
#[cfg(feature = "dev-insecure")]
fn check_build(shell: &Shell, config: &GatewayConfig) -> Result<(), GatewayError> {
    tracing::warn!("{INSECURE_MARKER}");
    let may = shell.tls().is_development() && config.listen.address.ip().is_loopback();
    if may { Ok(()) } else { Err(GatewayError::Insecure) }
}

#[cfg(not(feature = "dev-insecure"))]
#[expect(clippy::unnecessary_wraps, reason = "of one form with the build that can refuse")]
fn check_build(_: &Shell, _: &GatewayConfig) -> Result<(), GatewayError> {
    Ok(())
}

/// What registrars seal commitments to.
fn cell(config: &GatewayConfig) -> Result<Option<CellSecret>, CellKeyError> {
    config.cell.as_ref().map(|cell| cell_key::read(&cell.key_file, &cell.host_secret_file)).transpose()
}

/// The directory that its vault keeps.
fn directory(shell: &Shell, config: &GatewayConfig, cloud: CloudId) -> Result<Option<Followed>, GatewayError> {
    let Some(settings) = &config.directory else {
        return if cfg!(feature = "dev-insecure") { Ok(None) } else { Err(GatewayError::NoDirectory) };
    };
    let source = |address: &Address| {
        let expected = ExpectedPeer { cloud, role: Role::Vault, name: None };
        Source { address: address.clone(), expected }
    };
    let sources: Vec<_> = config.vault.addresses.iter().map(source).collect();
    Ok(Some(Followed::start(shell, settings.officers()?, &sources)))
}

fn check_identity(shell: &Shell, cloud: CloudId, name: &str) -> Result<(), GatewayError> {
    let identity = shell.tls().identity();
    if identity.cloud == cloud && identity.role == Role::Gateway && &*identity.name == name {
        return Ok(());
    }
    Err(GatewayError::OtherIdentity { cloud, name: name.to_owned(), actual: Box::new(identity) })
}

/// Who is turned away, told once a minute and once more at the end.
fn denials(shell: &Shell) -> Denials {
    let denials = Denials::default();
    let kind = TaskKind { name: "denials", on_error: OnError::Log, on_shutdown: OnShutdown::Drain };
    let telling = denials.clone().tell(shell.stopping().cancelled_owned());
    shell.tasks().spawn(kind, telling.map(Ok::<(), Infallible>));
    denials
}

/// Keys that were opened for whom a newer directory denies leave the memory with it.
fn forget_denied(shell: &Shell, followed: &Followed, openings: Openings) {
    let mut changes = followed.changes();
    let kind = TaskKind { name: "denied openings", on_error: OnError::StopProcess, on_shutdown: OnShutdown::Cancel };
    shell.tasks().spawn(kind, async move {
        while changes.changed().await.is_ok() {
            if let Some(held) = changes.borrow_and_update().clone() {
                openings.forget(|institution| held.directory().denies_institution(institution));
            }
        }
        Ok::<(), Infallible>(())
    });
}

fn sweep(shell: &Shell, openings: Openings) {
    let clock = shell.clock();
    let kind = TaskKind { name: "openings", on_error: OnError::StopProcess, on_shutdown: OnShutdown::Cancel };
    shell.tasks().spawn(kind, async move {
        loop {
            tokio::time::sleep(SWEEP_EVERY).await;
            openings.sweep(clock.now());
        }
        #[expect(unreachable_code, reason = "gives the loop its error type")]
        Ok::<(), Infallible>(())
    });
}
