//! Puts a registrar together, and takes it down again.

use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt as _;
use renkei_access::Officers;
use renkei_consensus::{Engine, EngineOptions};
use renkei_directory::DirectoryRpc;
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
use renkei_wire::{PeerServiceServer, RegistrarAdminServiceServer, RegistrarServiceServer, limits};
use tokio::task::spawn_blocking;
use tonic::service::Routes;

use crate::admin::RegistrarAdmin;
use crate::admission::Admission;
use crate::config::RegistrarConfig;
use crate::day_keys::DayKeys;
use crate::directory::Named;
use crate::founding::{FoundError, Founder, KeeperError, RegistrarCharter};
use crate::key_file::{self, KeyFileError};
use crate::metrics::Metrics;
use crate::mint::{Holder, Mixer};
use crate::register::{FileRegister, InvalidRegister, NoRegister, ResidentRegister};
use crate::remote::{NO_CLOUD, Remote};
use crate::rpc::Rpc;
use crate::serve::{Kept, Registrar};

/// How often the free disk, the directory and the secrets of days are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Registrars talk to registrars.
const CIRCLE: Circle = Circle { cloud: NO_CLOUD, role: Role::Registrar };

/// Why a registrar does not run.
#[derive(Debug, thiserror::Error)]
pub enum RegistrarError {
    /// The configuration breaks a rule.
    #[error("reading the configuration")]
    Config(#[from] renkei_runtime::InvalidConfig),
    /// The certificate is not that of the registrar with this number.
    #[error("the certificate names {actual}, the configuration registrar {id} of no cloud")]
    OtherIdentity {
        /// The number configured.
        id: u32,
        /// Who the certificate names.
        actual: Box<renkei_runtime::PeerIdentity>,
    },
    /// A cloud whose vaults are not named, where that is not allowed.
    #[error("cloud {0} names no public keys of its vaults, which only a development authority does without")]
    NoVaultKeys(CloudId),
    /// A development register, where that is not allowed.
    #[error("a development register serves a development authority only")]
    DevelopmentRegister,
    /// The register of residents.
    #[error("reading the development register")]
    Register(#[from] InvalidRegister),
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

impl From<FoundError> for RegistrarError {
    fn from(error: FoundError) -> Self {
        match error {
            FoundError::State(keeper) => Self::Keeper(keeper),
            other => Self::Replica(Box::new(other)),
        }
    }
}

/// Runs a registrar until the process is asked to stop.
///
/// # Errors
/// [`RegistrarError`], before anything is served.
pub async fn run(config: RegistrarConfig, shell: Shell) -> Result<(), RegistrarError> {
    config.validate()?;
    check_identity(&shell, config.registrar.id)?;
    let metrics = Metrics::register(shell.registry())?;
    let budget = MemoryBudget::new((config.memory.total_mib as usize) << 20);
    let in_flight = budget.in_flight_bytes();
    let owner = DirOwner { cloud: NO_CLOUD, node: config.number(), replica: None };
    let keys = Arc::new(key_file::read_keys(&config.keys.dir, &key_file::host_secret(&config.keys.host_secret_file)?)?);
    let log = LogDb::open(&config.data.dir.join("log"), &LogOptions::new(owner, budget.clone()), on_log_failure())?;
    let membership = config.membership()?;
    let book = membership.book();
    let engine = engine(&config, &shell, budget, &log, &book);
    // Until the clocks of others are known.
    engine.may_lead(false);
    let clocks = Clocks::new(shell.clock(), config.number(), book.clone());
    let remote = Remote { tls: shell.tls().clone(), book };
    let charter = Arc::new(RegistrarCharter { keys: Arc::clone(&keys) });
    let founder = Founder::new(membership, engine.clone(), charter, Arc::new(remote.clone()));
    // Only what the founding opened is there to be opened again.
    founder.open_again().await?;

    let mixed = mixer(&config, &shell, &metrics)?;
    let admission = Admission::new(in_flight, metrics.admitted_bytes.clone());
    let registrar = registrar(&config, &shell, (&founder, keys), (clocks.clone(), mixed, admission), &metrics)?;
    let listener = bind(config.listen.address)?;
    background(&shell, &founder, clocks, &registrar);
    // Gateways follow the directory here.
    let roles = &[Role::Insurer, Role::Institution, Role::Vault, Role::Gateway, Role::Registrar, Role::Operator];
    let services = services(&shell, founder, remote, (registrar, config.officers()?));
    let tls = shell.tls().server(Admit { cloud: None, roles });
    let serving = serve_routes(&shell, "registrar", listener, tls, Http2::LANES, services);
    shell.started();

    shell.stopping().cancelled().await;
    serving.drained().await;
    engine.shutdown().await;
    // Joining the writer thread blocks, and nothing else is left to do on this one.
    log.shutdown();
    Ok(())
}

fn engine(config: &RegistrarConfig, shell: &Shell, budget: MemoryBudget, log: &LogDb, book: &AddressBook) -> Engine {
    let mut options = EngineOptions::new(NO_CLOUD, config.number(), config.data.dir.join("groups"), budget);
    options.timing = config.raft.timing();
    options.schedule = config.raft.schedule();
    let lanes = Arc::new(Lanes::new(shell.clone(), CIRCLE, book.clone()));
    Engine::new(options, log.clone(), lanes, shell.tasks().spawner(), on_replica_failure())
}

/// Mixes points and carries them through the key holders, until nobody asks any more.
fn mixer(
    config: &RegistrarConfig,
    shell: &Shell,
    metrics: &Metrics,
) -> Result<crate::mint::Mint, renkei_runtime::InvalidConfig> {
    let patience = config.keyholder_patience();
    let holder = |(number, address)| Holder::new(shell.tls(), number, &address, patience);
    let holders = config.key_holders()?.into_iter().map(holder).collect();
    let (mint, mixer) = Mixer::new(config.mix(), holders, metrics.clone());
    let kind = TaskKind { name: "mint", on_error: OnError::StopProcess, on_shutdown: OnShutdown::CancelLast };
    shell.tasks().spawn(kind, mixer.run());
    Ok(mint)
}

fn registrar(
    config: &RegistrarConfig,
    shell: &Shell,
    (founder, keys): (&Founder, Arc<crate::keys::Keys>),
    (clocks, mint, admission): (Clocks, crate::mint::Mint, Admission),
    metrics: &Metrics,
) -> Result<Arc<Registrar>, RegistrarError> {
    Ok(Arc::new(Registrar {
        engine: founder.engine().clone(),
        keys,
        directory: Named::default(),
        register: register(config, shell)?,
        card_authorities: config.card_authorities()?,
        clouds: clouds(config, shell)?,
        old_member_days: config.eligibility.old_member_days,
        ticket_minutes: config.tickets.minutes,
        mint,
        days: DayKeys::default(),
        disk: Arc::new(DiskWatch::new(&config.data.dir)?),
        admission,
        clock: shell.clock(),
        clocks,
        metrics: metrics.clone(),
    }))
}

fn register(config: &RegistrarConfig, shell: &Shell) -> Result<Arc<dyn ResidentRegister>, RegistrarError> {
    match &config.register.development_file {
        None => Ok(Arc::new(NoRegister)),
        Some(_) if !shell.tls().is_development() => Err(RegistrarError::DevelopmentRegister),
        Some(path) => Ok(Arc::new(FileRegister::read(path)?)),
    }
}

fn clouds(
    config: &RegistrarConfig,
    shell: &Shell,
) -> Result<std::collections::BTreeMap<CloudId, Vec<renkei_ids::KeyHash>>, RegistrarError> {
    let clouds = config.clouds()?;
    let unnamed = clouds.iter().find(|(_, keys)| keys.is_empty()).map(|(id, _)| *id);
    match unnamed.filter(|_| !shell.tls().is_development()) {
        Some(cloud) => Err(RegistrarError::NoVaultKeys(cloud)),
        None => Ok(clouds),
    }
}

fn background(shell: &Shell, founder: &Founder, clocks: Clocks, registrar: &Arc<Registrar>) {
    let metrics = &registrar.metrics;
    let kind = TaskKind { name: "founding", on_error: OnError::StopProcess, on_shutdown: OnShutdown::Cancel };
    shell.tasks().spawn(kind, founder.clone().keep());
    let kind = TaskKind { name: "clock watch", on_error: OnError::StopProcess, on_shutdown: OnShutdown::Cancel };
    let gauges = ClockGauges { off: metrics.clock_off.clone(), median: metrics.clock_median_millis.clone() };
    let check = shell.health().register("clock");
    let watch = clocks.watch(shell.clone(), CIRCLE, founder.engine().clone(), check, gauges);
    shell.tasks().spawn(kind, watch.map(Ok::<(), std::convert::Infallible>));
    let registrar = Arc::clone(registrar);
    shell.tasks().spawn_restarting("figures", OnShutdown::Cancel, move || {
        let registrar = Arc::clone(&registrar);
        async move {
            loop {
                tokio::time::sleep(LOOK_EVERY).await;
                let looking = Arc::clone(&registrar);
                // A thread ends without an answer by a panic alone, which the log then tells of.
                if let Ok(Err(error)) = spawn_blocking(move || looking.look()).await {
                    return Err(error);
                }
            }
            #[expect(unreachable_code, reason = "gives the loop its error type")]
            Ok::<(), StorageError>(())
        }
    });
}

impl Registrar {
    /// Sees what has changed outside.
    fn look(&self) -> Result<(), StorageError> {
        let now = self.clock.now();
        // A row that does not read has been told of; what was held before is gone by.
        let _told = self.read_directory();
        self.days.forget(now);
        let leads = self.engine.replica(GROUP).is_some_and(|replica| replica.leadership().is_some());
        self.metrics.leads.set(i64::from(leads));
        self.disk.refresh().map(|_| ())
    }
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
    remote: Remote,
    (registrar, officers): (Arc<Registrar>, Officers),
) -> Routes {
    let host_of = founder.membership().host_of();
    let peers = Peers::new(shell.clone(), CIRCLE, founder.engine().clone(), host_of);
    let ask: AskDigests = Arc::new(move |host, _| {
        let remote = remote.clone();
        async move { remote.digests(host).await.ok() }.boxed()
    });
    let mismatches = registrar.metrics.digest_mismatches.clone();
    let digests = Digests::new(founder.engine().clone(), ask, mismatches);
    let check_ins = RegistrarServiceServer::new(Rpc { registrar: Arc::clone(&registrar), denials: denials(shell) })
        .max_decoding_message_size(limits::REGISTRAR_MESSAGE_MAX_BYTES)
        .max_encoding_message_size(limits::REGISTRAR_MESSAGE_MAX_BYTES);
    let peers = PeerServiceServer::new(peers)
        .max_decoding_message_size(limits::PEER_MESSAGE_MAX_BYTES)
        .max_encoding_message_size(limits::PEER_MESSAGE_MAX_BYTES);
    let directory = DirectoryRpc::server(Arc::new(Kept(Arc::clone(&registrar))), officers, shell.clock());
    let admin = RegistrarAdminServiceServer::new(RegistrarAdmin { founder, digests, registrar })
        .max_decoding_message_size(limits::ADMIN_MESSAGE_MAX_BYTES)
        .max_encoding_message_size(limits::ADMIN_MESSAGE_MAX_BYTES);
    Routes::new(check_ins).add_service(peers).add_service(admin).add_service(directory)
}

pub(crate) fn check_identity(shell: &Shell, id: u32) -> Result<(), RegistrarError> {
    let identity = shell.tls().identity();
    let same = identity.cloud == NO_CLOUD && identity.role == Role::Registrar && *identity.name == id.to_string();
    if same { Ok(()) } else { Err(RegistrarError::OtherIdentity { id, actual: Box::new(identity) }) }
}
