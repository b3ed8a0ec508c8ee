//! Puts a key holder together, and takes it down again.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::FutureExt as _;
use renkei_ids::{CloudId, KeyholderId, PseudonymEpoch};
use renkei_pseudonym::{Factor, FactorSecret};
use renkei_runtime::{
    Admit, BindError, Chain, Config as _, Denials, Http2, OnError, OnShutdown, Role, Shell, TaskKind, bind, serve_grpc,
};
use renkei_wire::{KeyholderServiceServer, limits};
use tokio::task::spawn_blocking;

use crate::budget::{BudgetError, Budgets};
use crate::config::KeyholderConfig;
use crate::days::{Days, DaysError};
use crate::disk;
use crate::holder::Holder;
use crate::key_file::{self, FACTORS, KeyFileError};
use crate::metrics::Metrics;
use crate::rpc::Rpc;

/// Key holders and registrars belong to no cloud.
pub(crate) const NO_CLOUD: CloudId = CloudId::from_bytes([0; 16]);
/// How often secrets of days that are over are destroyed.
const PURGE_EVERY: Duration = Duration::from_secs(60);

/// Why a key holder does not run.
#[derive(Debug, thiserror::Error)]
pub enum KeyholderError {
    /// The configuration breaks a rule.
    #[error("reading the configuration")]
    Config(#[from] renkei_runtime::InvalidConfig),
    /// The certificate is not that of the key holder with this number.
    #[error("the certificate names {actual}, the configuration key holder {id} of no cloud")]
    OtherIdentity {
        /// The number configured.
        id: KeyholderId,
        /// Who the certificate names.
        actual: Box<renkei_runtime::PeerIdentity>,
    },
    /// A cloud whose vaults are not named, where that is not allowed.
    #[error("cloud {0} names no public keys of its vaults, which only a development authority does without")]
    NoVaultKeys(CloudId),
    /// A key file.
    #[error("reading the keys")]
    Keys(#[from] KeyFileError),
    /// The secrets of the days in use.
    #[error("reading the secrets of days")]
    Days(#[from] DaysError),
    /// What is used up of the budgets.
    #[error("reading the budgets")]
    Budgets(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The data directory.
    #[error("making {}", dir.display())]
    Directory {
        /// The directory.
        dir: PathBuf,
        #[source]
        /// Why not.
        source: std::io::Error,
    },
    /// A metric was registered twice.
    #[error("registering metrics")]
    Metrics(#[from] prometheus::Error),
    /// The port.
    #[error("opening the port")]
    Bind(#[from] BindError),
}

impl From<BudgetError> for KeyholderError {
    fn from(error: BudgetError) -> Self {
        Self::Budgets(Box::new(error))
    }
}

/// Runs a key holder until the process is asked to stop.
///
/// # Errors
/// [`KeyholderError`], before anything is served.
pub async fn run(config: KeyholderConfig, shell: Shell) -> Result<(), KeyholderError> {
    config.validate()?;
    let identity = shell.tls().identity();
    let number = config.number();
    let same = identity.cloud == NO_CLOUD && identity.role == Role::Keyholder && *identity.name == number.to_string();
    if !same {
        return Err(KeyholderError::OtherIdentity { id: number, actual: Box::new(identity) });
    }
    let metrics = Metrics::register(shell.registry())?;
    let holder = Arc::new(holder(&config, &shell)?);
    let listener = bind(config.listen.address)?;
    background(&shell, &holder);

    let admit = Admit { cloud: None, roles: &[Role::Registrar, Role::Vault] };
    let service = KeyholderServiceServer::new(Rpc::new(holder, denials(&shell), metrics))
        .max_decoding_message_size(limits::KEYHOLDER_MESSAGE_MAX_BYTES)
        .max_encoding_message_size(limits::KEYHOLDER_MESSAGE_MAX_BYTES);
    let serving = serve_grpc(&shell, "keyholder", listener, shell.tls().server(admit), Http2::CALLS, service);
    shell.started();
    shell.stopping().cancelled().await;
    serving.drained().await;
    Ok(())
}

fn holder(config: &KeyholderConfig, shell: &Shell) -> Result<Holder, KeyholderError> {
    let clouds = config.clouds()?;
    let unnamed = clouds.iter().find(|(_, cloud)| cloud.vault_keys.is_empty()).map(|(id, _)| *id);
    if let Some(cloud) = unnamed.filter(|_| !shell.tls().is_development()) {
        return Err(KeyholderError::NoVaultKeys(cloud));
    }
    let dir = &config.data.dir;
    disk::make_dir(dir).map_err(|source| KeyholderError::Directory { dir: dir.clone(), source })?;
    let clock = shell.clock();
    let days = Days::open(dir, key_file::host_secret(&config.keys.host_secret_file)?, clock.now())?;
    let budgets = Mutex::new(Budgets::open(&dir.join("budgets"))?);
    Ok(Holder { number: config.number(), factors: factors(config, clouds.keys())?, clouds, days, budgets, clock })
}

/// The factor of each cloud and epoch. The epochs' own secrets are not kept in memory.
fn factors<'a>(
    config: &KeyholderConfig,
    clouds: impl Iterator<Item = &'a CloudId> + Clone,
) -> Result<BTreeMap<(CloudId, PseudonymEpoch), Factor>, KeyFileError> {
    let host = key_file::host_secret(&config.keys.host_secret_file)?;
    let mut factors = BTreeMap::new();
    for epoch in config.epochs() {
        let path = key_file::factors_path(&config.keys.dir, epoch.0);
        let secret = FactorSecret::from_bytes(*key_file::read(&path, (FACTORS, epoch.0), &host)?);
        factors.extend(clouds.clone().map(|cloud| ((*cloud, epoch), secret.factor(*cloud, epoch))));
    }
    Ok(factors)
}

fn background(shell: &Shell, holder: &Arc<Holder>) {
    let holder = Arc::clone(holder);
    shell.tasks().spawn_restarting("purge", OnShutdown::Cancel, move || {
        let holder = Arc::clone(&holder);
        async move {
            loop {
                tokio::time::sleep(PURGE_EVERY).await;
                let holder = Arc::clone(&holder);
                if let Ok(Err(error)) = spawn_blocking(move || holder.purge()).await {
                    tracing::error!(error = %Chain(&error), "a day's secret was not destroyed");
                }
            }
            #[expect(unreachable_code, reason = "gives the loop its error type")]
            Ok::<(), DaysError>(())
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
