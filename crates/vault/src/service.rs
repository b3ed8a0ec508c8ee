//! Puts a vault together, and takes it down again.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use renkei_access::SigningKey;
use renkei_consensus::{Engine, EngineOptions, InitializeGroupError, OpenError, Replica};
use renkei_envelope::{EpochKey, KeyEpoch, SlotKey};
use renkei_ids::{CloudId, GroupId, LogId, NodeId, ReplicaId, Slot};
use renkei_runtime::{Admit, BindError, Config as _, Http2, Role, Shell, bind, serve_grpc};
use renkei_storage::log::{LogDb, LogOptions};
use renkei_storage::{DirOwner, MemoryBudget, StorageError};
use renkei_wire::{VaultServiceServer, limits};

use crate::alone::Alone;
use crate::config::VaultConfig;
use crate::fatal;
use crate::key_file::{self, FileKey, KeyFileError, Purpose};
use crate::machine::{VaultMachine, VaultView, storage_error};
use crate::metrics::Metrics;
use crate::random::{SystemRandom, draw};
use crate::rpc::Rpc;
use crate::serve::{Keys, Vault};
use crate::state::{self, Command, Founding, Head};

/// The vault's one group; in its own cluster, so it is no group of the nodes.
const GROUP: GroupId = GroupId(1);
const REPLICA: ReplicaId = ReplicaId(1);
/// Longest time for one replica to elect itself.
const PATIENCE: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(20);

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
    /// The epoch key is not the one that the slot keys are sealed under.
    #[error("the epoch key of epoch {} does not open the slot keys of epoch {}", given.0, stored.0)]
    OtherEpochKey {
        /// That of the file.
        given: KeyEpoch,
        /// That of the state.
        stored: KeyEpoch,
    },
    /// A metric was registered twice.
    #[error("registering metrics")]
    Metrics(#[from] prometheus::Error),
    /// The data directory, or what is in it.
    #[error("opening the data directory")]
    Storage(#[from] StorageError),
    /// The replica.
    #[error("opening the replica")]
    Replica(#[from] OpenError),
    /// The group.
    #[error("starting the group")]
    Initialize(#[from] InitializeGroupError),
    /// The replica did not lead, or did not take its founding, in time.
    #[error("the vault was not founded within {PATIENCE:?}")]
    NotFounded,
    /// The port.
    #[error("opening the port")]
    Bind(#[from] BindError),
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
    let (epoch, epoch_key, signing) = keys(&config)?;
    let metrics = Metrics::register(shell.registry())?;

    let budget = MemoryBudget::new((config.memory.total_mib as usize) << 20);
    let node = NodeId(config.vault.id);
    let owner = DirOwner { cloud, node, replica: None };
    let log =
        LogDb::open(&config.data.dir.join("log"), &LogOptions::new(owner, budget.clone()), fatal::on_log_failure())?;
    let mut options = EngineOptions::new(cloud, node, config.data.dir.join("groups"), budget);
    options.timing = VaultConfig::timing();
    let spawner = shell.tasks().spawner();
    let engine = Engine::new(options, log.clone(), Arc::new(Alone), spawner, fatal::on_replica_failure());
    let replica = engine.create(GROUP, REPLICA, Arc::new(VaultMachine)).await?;
    replica.initialize(BTreeMap::from([(REPLICA, node)])).await?;
    let founded = found(&replica, cloud, epoch, &epoch_key);
    tokio::time::timeout(PATIENCE, founded).await.map_err(|_| VaultError::NotFounded)??;

    let vault = Vault {
        cloud,
        replica,
        keys: Keys { epoch, opening: epoch_key.opening_key(), epoch_key, signing },
        limits: config.budgets.limits(),
        life: config.life(),
        clock: shell.clock(),
        metrics,
    };
    let listener = bind(config.listen.address)?;
    let service = VaultServiceServer::new(Rpc { vault: Arc::new(vault) })
        .max_decoding_message_size(limits::VAULT_MESSAGE_MAX_BYTES)
        .max_encoding_message_size(limits::VAULT_MESSAGE_MAX_BYTES);
    let admit = Admit { cloud: Some(cloud), roles: &[Role::Gateway] };
    let serving = serve_grpc(&shell, "vault", listener, shell.tls().server(admit), Http2::CALLS, service);
    shell.started();

    shell.stopping().cancelled().await;
    serving.drained().await;
    engine.shutdown().await;
    // Joining the writer thread blocks, and nothing else is left to do on this one.
    log.shutdown();
    Ok(())
}

fn check_identity(shell: &Shell, cloud: CloudId, id: u32) -> Result<(), VaultError> {
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

fn keys(config: &VaultConfig) -> Result<(KeyEpoch, EpochKey, SigningKey), VaultError> {
    let host = config.keys.host_secret_file.as_deref().map(key_file::host_secret).transpose()?;
    let epoch = key_file::read(&config.keys.epoch_file, Purpose::Epoch, host.as_ref())?;
    let FileKey { epoch: _, key: seed, sealed } =
        key_file::read(&config.keys.signing_file, Purpose::Signing, host.as_ref())?;
    if !(epoch.sealed && sealed) {
        tracing::warn!("UNSEALED KEYS: the key files of this vault are protected by their mode alone");
    }
    Ok((epoch.epoch, EpochKey::from_bytes(*epoch.key), SigningKey::from_seed(&seed)))
}

/// Founds the vault where it is new, and sees that the epoch key is the one its slot keys are sealed under.
async fn found(replica: &Replica, cloud: CloudId, epoch: KeyEpoch, key: &EpochKey) -> Result<(), VaultError> {
    let under = loop {
        match replica.leadership() {
            Some(under) => break under,
            None => tokio::time::sleep(PAUSE).await,
        }
    };
    if head(replica)?.is_none() {
        let seal = |slot| key.seal_slot_key((cloud, slot, epoch), &SlotKey::random(&SystemRandom), &SystemRandom);
        let founding = Founding { log: LogId::from_bytes(draw()), epoch, slots: Slot::all().map(seal).collect() };
        // A refusal shows in the state, which is looked at next.
        let _proposed = replica.propose(under, Command::Found(founding).encode()).await;
    }
    let Some(Head { epoch: stored, .. }) = head(replica)? else { return Err(VaultError::NotFounded) };
    let first = Slot::all().next().expect("there are 4,096");
    let view = VaultView(replica.view());
    let sealed = state::slot_key(&view, first).map_err(storage_error)?.ok_or(VaultError::NotFounded)?;
    match key.open_slot_key((cloud, first, stored), &sealed) {
        Ok(_) => Ok(()),
        Err(_) => Err(VaultError::OtherEpochKey { given: epoch, stored }),
    }
}

fn head(replica: &Replica) -> Result<Option<Head>, StorageError> {
    state::head(&VaultView(replica.view())).map_err(storage_error)
}
