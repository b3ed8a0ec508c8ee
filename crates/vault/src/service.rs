//! Puts a vault together, and takes it down again.

use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use renkei_access::{Officers, SigningKey};
use renkei_consensus::{Engine, EngineOptions};
use renkei_directory::DirectoryRpc;
use renkei_envelope::{EpochKey, FileKey};
use renkei_ids::CloudId;
use renkei_peers::{
    AddressBook, AskDigests, Circle, ClockGauges, Clocks, Digests, GROUP, Lanes, Peers, on_log_failure,
    on_replica_failure,
};
use renkei_runtime::{
    Admit, BindError, Config as _, Denials, Http2, OnError, OnShutdown, Role, Shell, TaskKind, bind, serve_routes,
};
use renkei_storage::log::{LogDb, LogOptions};
use renkei_storage::{DirOwner, DiskWatch, MemoryBudget, StorageError};
use renkei_wire::{PeerServiceServer, VaultAdminServiceServer, VaultServiceServer, limits};
use tonic::service::Routes;

use crate::admin::VaultAdmin;
use crate::admission::Admission;
use crate::config::VaultConfig;
use crate::directory::Kept;
use crate::founding::{FoundError, Founder, KeeperError, VaultCharter};
use crate::key_file::{self, KeyFileError, Purpose};
use crate::metrics::Metrics;
use crate::remote::Remote;
use crate::rpc::Rpc;
use crate::serve::{Keys, ReadDirectory, Vault};
use crate::ticket_keys::TicketKeys;

/// How often the free disk is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Why a vault does not run.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// The configuration breaks a rule.
    #[error("reading the configuration")]
    Config(#[from] renkei_runtime::InvalidConfig),
    /// The certificate is not that of a vault of this cloud with this number.
    #[error("the certificate names {actual}, the configuration vault {id} of cloud {cloud}")]
    OtherIdentity {
        /// The cloud configured.
        cloud: CloudId,
        /// The number configured.
        id: u32,
        /// Who the certificate names.
        actual: Box<renkei_runtime::PeerIdentity>,
    },
    /// A build that opens without tickets, where it must not run.
    #[error("a build with dev-insecure serves a development authority on loopback only")]
    Insecure,
    /// A key file.
    #[error("reading the keys")]
    Keys(#[from] KeyFileError),
    /// The keys do not belong to the state.
    #[error("comparing the keys with the state")]
    Keeper(#[from] KeeperError),
    /// A metric was registered twice.
    #[error("registering metrics")]
    Metrics(#[from] prometheus::Error),
    /// The data directory, or what is in it.
    #[error("opening the data directory")]
    Storage(#[from] StorageError),
    /// The replica.
    #[error("opening the replica")]
    Replica(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The port.
    #[error("opening the port")]
    Bind(#[from] BindError),
}

impl From<FoundError> for VaultError {
    fn from(error: FoundError) -> Self {
        match error {
            FoundError::State(keeper) => Self::Keeper(keeper),
            other => Self::Replica(Box::new(other)),
        }
    }
}

/// Runs a vault until the process is asked to stop.
///
/// # Errors
/// [`VaultError`], before anything is served.
pub async fn run(config: VaultConfig, shell: Shell) -> Result<(), VaultError> {
    config.validate()?;
    let cloud = config.cloud()?;
    check_identity(&shell, cloud, config.vault.id)?;
    check_build(&shell, &config)?;
    let keys = Arc::new(keys(&config)?);
    let metrics = Metrics::register(shell.registry())?;

    let budget = MemoryBudget::new((config.memory.total_mib as usize) << 20);
    let in_flight = budget.in_flight_bytes();
    let owner = DirOwner { cloud, node: config.number(), replica: None };
    let log = LogDb::open(&config.data.dir.join("log"), &LogOptions::new(owner, budget.clone()), on_log_failure())?;
    let disk = Arc::new(DiskWatch::new(&config.data.dir)?);
    let membership = config.membership()?;
    let book = membership.book();
    let engine = engine(&config, &shell, cloud, budget, &log, &book);
    // Until the clocks of others are known.
    engine.may_lead(false);
    let clocks = Clocks::new(shell.clock(), config.number(), book.clone());
    let remote = Remote { tls: shell.tls().clone(), cloud, book };
    let charter = Arc::new(VaultCharter { cloud, keys: Arc::clone(&keys) });
    let founder = Founder::new(membership, engine.clone(), charter, Arc::new(remote.clone()));
    // Only what the founding opened is there to be opened again.
    founder.open_again().await?;

    let givers = config.givers()?;
    let vault = Vault {
        cloud,
        engine: engine.clone(),
        keys,
        disk: Arc::clone(&disk),
        admission: Admission::new(in_flight, metrics.admitted_bytes.clone()),
        limits: config.budgets.limits(),
        life: config.life(),
        ticket_keys: givers.map(|givers| TicketKeys::start(&shell, &givers, &metrics.ticket_keys_missing)),
        read_directory: ReadDirectory::default(),
        escrow: config.escrow_key()?,
        clock: shell.clock(),
        clocks: clocks.clone(),
        metrics: metrics.clone(),
    };
    let listener = bind(config.listen.address)?;
    background(&shell, cloud, &founder, (clocks, Arc::clone(&disk)), &metrics);
    let admit = Admit { cloud: Some(cloud), roles: &[Role::Gateway, Role::Vault, Role::Operator] };
    let services = services(&shell, founder, (remote, disk), (vault, config.officers()?), metrics);
    let serving = serve_routes(&shell, "vault", listener, shell.tls().server(admit), Http2::LANES, services);
    shell.started();

    shell.stopping().cancelled().await;
    serving.drained().await;
    engine.shutdown().await;
    // Joining the writer thread blocks, and nothing else is left to do on this one.
    log.shutdown();
    Ok(())
}

/// Vaults talk to vaults of their cloud.
fn circle(cloud: CloudId) -> Circle {
    Circle { cloud, role: Role::Vault }
}

fn engine(
    config: &VaultConfig,
    shell: &Shell,
    cloud: CloudId,
    budget: MemoryBudget,
    log: &LogDb,
    book: &AddressBook,
) -> Engine {
    let mut options = EngineOptions::new(cloud, config.number(), config.data.dir.join("groups"), budget);
    options.timing = config.raft.timing();
    options.schedule = config.raft.schedule();
    let lanes = Arc::new(Lanes::new(shell.clone(), circle(cloud), book.clone()));
    Engine::new(options, log.clone(), lanes, shell.tasks().spawner(), on_replica_failure())
}

fn background(
    shell: &Shell,
    cloud: CloudId,
    founder: &Founder,
    (clocks, disk): (Clocks, Arc<DiskWatch>),
    metrics: &Metrics,
) {
    let kind = TaskKind { name: "founding", on_error: OnError::StopProcess, on_shutdown: OnShutdown::Cancel };
    shell.tasks().spawn(kind, founder.clone().keep());
    let kind = TaskKind { name: "clock watch", on_error: OnError::StopProcess, on_shutdown: OnShutdown::Cancel };
    let gauges = ClockGauges { off: metrics.clock_off.clone(), median: metrics.clock_median_millis.clone() };
    let check = shell.health().register("clock");
    let watch = clocks.watch(shell.clone(), circle(cloud), founder.engine().clone(), check, gauges);
    shell.tasks().spawn(kind, watch.map(Ok::<(), std::convert::Infallible>));
    let (engine, leads) = (founder.engine().clone(), metrics.leads.clone());
    shell.tasks().spawn_restarting("figures", OnShutdown::Cancel, move || {
        let (disk, engine, leads) = (Arc::clone(&disk), engine.clone(), leads.clone());
        async move {
            loop {
                tokio::time::sleep(LOOK_EVERY).await;
                disk.refresh()?;
                let here = engine.replica(GROUP).is_some_and(|replica| replica.leadership().is_some());
                leads.set(i64::from(here));
            }
            #[expect(unreachable_code, reason = "gives the loop its error type")]
            Ok::<(), StorageError>(())
        }
    });
}

/// What is denied, told once a minute and once more at the end.
fn denials(shell: &Shell) -> Denials {
    let denials = Denials::default();
    let kind = TaskKind { name: "denials", on_error: OnError::Log, on_shutdown: OnShutdown::Drain };
    let telling = denials.clone().tell(shell.stopping().cancelled_owned());
    shell.tasks().spawn(kind, telling.map(Ok::<(), std::convert::Infallible>));
    denials
}

fn services(
    shell: &Shell,
    founder: Founder,
    (remote, disk): (Remote, Arc<DiskWatch>),
    (vault, officers): (Vault, Option<Officers>),
    metrics: Metrics,
) -> Routes {
    let vault = Arc::new(vault);
    let host_of = founder.membership().host_of();
    let peers = Peers::new(shell.clone(), circle(vault.cloud), founder.engine().clone(), host_of);
    let ask: AskDigests = Arc::new(move |vault, _| {
        let remote = remote.clone();
        async move { remote.digests(vault).await.ok() }.boxed()
    });
    let digests = Digests::new(founder.engine().clone(), ask, metrics.digest_mismatches);
    let openings = VaultServiceServer::new(Rpc { vault: Arc::clone(&vault), denials: denials(shell) })
        .max_decoding_message_size(limits::VAULT_MESSAGE_MAX_BYTES)
        .max_encoding_message_size(limits::VAULT_MESSAGE_MAX_BYTES);
    let peers = PeerServiceServer::new(peers)
        .max_decoding_message_size(limits::PEER_MESSAGE_MAX_BYTES)
        .max_encoding_message_size(limits::PEER_MESSAGE_MAX_BYTES);
    let admin = VaultAdminServiceServer::new(VaultAdmin { founder, digests, disk })
        .max_decoding_message_size(limits::ADMIN_MESSAGE_MAX_BYTES)
        .max_encoding_message_size(limits::ADMIN_MESSAGE_MAX_BYTES);
    let routes = Routes::new(openings).add_service(peers).add_service(admin);
    match officers {
        Some(officers) => routes.add_service(DirectoryRpc::server(Arc::new(Kept(vault)), officers, shell.clock())),
        None => routes,
    }
}

pub(crate) fn check_identity(shell: &Shell, cloud: CloudId, id: u32) -> Result<(), VaultError> {
    let identity = shell.tls().identity();
    let same = identity.cloud == cloud && identity.role == Role::Vault && *identity.name == id.to_string();
    if same { Ok(()) } else { Err(VaultError::OtherIdentity { cloud, id, actual: Box::new(identity) }) }
}

#[cfg(feature = "dev-insecure")]
fn check_build(shell: &Shell, config: &VaultConfig) -> Result<(), VaultError> {
    tracing::warn!("{}", crate::insecure::MARKER);
    if crate::insecure::may_serve(shell.tls(), config.listen.address) { Ok(()) } else { Err(VaultError::Insecure) }
}

#[cfg(not(feature = "dev-insecure"))]
#[expect(clippy::unnecessary_wraps, reason = "of one form with the build that can refuse")]
fn check_build(_: &Shell, _: &VaultConfig) -> Result<(), VaultError> {
    Ok(())
}

fn keys(config: &VaultConfig) -> Result<Keys, VaultError> {
    let host = config.keys.host_secret_file.as_deref().map(key_file::host_secret).transpose()?;
    let epoch = key_file::read(&config.keys.epoch_file, Purpose::Epoch, host.as_ref())?;
    let FileKey { epoch: _, key: seed, sealed } =
        key_file::read(&config.keys.signing_file, Purpose::Signing, host.as_ref())?;
    if !(epoch.sealed && sealed) {
        tracing::warn!("UNSEALED KEYS: the key files of this vault are protected by their mode alone");
    }
    let epoch_key = EpochKey::from_bytes(*epoch.key);
    let opening = epoch_key.opening_key();
    Ok(Keys { epoch: epoch.epoch, opening, epoch_key, signing: SigningKey::from_seed(&seed) })
}
