//! How a vault begins: once, by an explicit step, on all its replicas.
//!
//! A replica is opened by the founding and by nothing else, and a founding that finds a replica which holds something
//! opens none. So a host whose disk was lost is a host without a replica: it does not vote under its old id, whoever asks
//! it to begin again.

use std::sync::Arc;
use std::time::Duration;

use renkei_consensus::{Engine, InitializeGroupError, OpenError, Replica};
use renkei_envelope::{KeyEpoch, SlotKey};
use renkei_ids::{CloudId, LogId, NodeId, Slot};
use renkei_runtime::Chain;
use renkei_storage::{DiskWatch, StorageError};
use renkei_wire::admin::VaultStatus;
use renkei_wire::{ErrorCode, Refusal};

use crate::machine::{VaultMachine, VaultView, storage_error};
use crate::membership::{GROUP, Membership};
use crate::random::{SystemRandom, draw};
use crate::remote::Remote;
use crate::serve::Keys;
use crate::state::{self, Command, Founding, Head};

/// Longest time from the request to the founding in this replica's state.
const PATIENCE: Duration = Duration::from_secs(30);
/// Pause between two looks at a group that has no founding yet.
const PAUSE: Duration = Duration::from_millis(50);

/// Why the vault was not founded. The request may be repeated.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FoundError {
    #[error("vault {0} has begun, and this one holds nothing: its disk was lost")]
    Lost(NodeId),
    #[error("vault {0} has another list of peers")]
    OtherPeers(NodeId),
    #[error("vault {0} has other keys: give every host those of the first (`renkei-vault setup --from`)")]
    OtherKeys(NodeId),
    #[error("vault {vault} does not answer")]
    Remote {
        vault: NodeId,
        #[source]
        source: Box<tonic::Status>,
    },
    #[error("opening the replica")]
    Open(#[source] OpenError),
    #[error("starting the group")]
    Initialize(#[source] InitializeGroupError),
    #[error("reading the state")]
    State(#[source] StorageError),
    #[error("no founding in the state in time")]
    TimedOut,
}

impl From<FoundError> for Refusal {
    fn from(error: FoundError) -> Self {
        tracing::warn!(error = %Chain(&error), "founding refused");
        match error {
            FoundError::Lost(_) => Self::new(ErrorCode::AlreadyBootstrapped),
            FoundError::OtherPeers(_) => Self::invalid("peers"),
            FoundError::OtherKeys(_) => Self::invalid("keys"),
            FoundError::Open(_) | FoundError::State(_) => Self::new(ErrorCode::InternalIo),
            FoundError::Remote { .. } | FoundError::Initialize(_) | FoundError::TimedOut => {
                Self::new(ErrorCode::Unavailable)
            }
        }
    }
}

/// Why the founding in the state is not one that this vault can serve.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each message says what its fields are")]
pub enum KeeperError {
    #[error("the epoch key of epoch {} does not open the slot keys of epoch {}", given.0, stored.0)]
    OtherEpochKey { given: KeyEpoch, stored: KeyEpoch },
    #[error("reading the state")]
    State(#[source] StorageError),
}

/// Carries out the founding, and answers for how this vault stands. Clones share everything.
#[derive(Clone, Debug)]
pub(crate) struct Founder {
    pub(crate) cloud: CloudId,
    pub(crate) membership: Membership,
    pub(crate) engine: Engine,
    pub(crate) remote: Remote,
    pub(crate) keys: Arc<Keys>,
    pub(crate) disk: Arc<DiskWatch>,
}

impl Founder {
    /// Founds the vault, or finds it founded.
    pub(crate) async fn found(&self) -> Result<(), FoundError> {
        tokio::time::timeout(PATIENCE, self.found_in_time()).await.unwrap_or(Err(FoundError::TimedOut))
    }

    async fn found_in_time(&self) -> Result<(), FoundError> {
        let replica = match self.engine.replica(GROUP) {
            Some(begun) if has_begun(&begun) => begun,
            open => self.begin(open).await?,
        };
        // Whoever leads proposes the founding: see `keep`.
        while head(&replica).map_err(FoundError::State)?.is_none() {
            tokio::time::sleep(PAUSE).await;
        }
        Ok(())
    }

    /// Opens every replica and starts the group, if none of them holds anything yet.
    async fn begin(&self, open: Option<Replica>) -> Result<Replica, FoundError> {
        let begun = self.begun_elsewhere().await?;
        match (begun, open) {
            // A founding that was interrupted had opened this replica before it started the group.
            (Some(_), Some(replica)) => return Ok(replica),
            (Some(vault), None) => return Err(FoundError::Lost(vault)),
            (None, _) => {}
        }
        for vault in self.membership.others() {
            let remote = |source| FoundError::Remote { vault, source: Box::new(source) };
            self.remote.open_replica(vault).await.map_err(remote)?;
        }
        let replica = self.open().await?;
        // Every member may start the group with the same members, so a repeated request does no harm.
        replica.initialize(self.membership.replicas()).await.map_err(FoundError::Initialize)?;
        tracing::info!(replicas = self.membership.replicas().len(), "vault begins");
        Ok(replica)
    }

    /// Opens the replica of this host for another vault's founding, under the same condition as that has checked.
    pub(crate) async fn open_for_founding(&self) -> Result<(), FoundError> {
        if self.engine.replica(GROUP).is_none()
            && let Some(vault) = self.begun_elsewhere().await?
        {
            return Err(FoundError::Lost(vault));
        }
        self.open().await.map(|_| ())
    }

    async fn open(&self) -> Result<Replica, FoundError> {
        let machine = Arc::new(VaultMachine);
        self.engine.create(GROUP, self.membership.own_replica(), machine).await.map_err(FoundError::Open)
    }

    /// Another vault whose replica holds something. Every other one must answer, and be configured as this one is.
    async fn begun_elsewhere(&self) -> Result<Option<NodeId>, FoundError> {
        let own = self.status();
        let mut begun = None;
        for vault in self.membership.others() {
            let remote = |source| FoundError::Remote { vault, source: Box::new(source) };
            let status = self.remote.status(vault).await.map_err(remote)?;
            if status.members != own.members {
                return Err(FoundError::OtherPeers(vault));
            }
            if (status.signing_key, status.key_epoch) != (own.signing_key, own.key_epoch) {
                return Err(FoundError::OtherKeys(vault));
            }
            begun = begun.or(status.begun.then_some(vault));
        }
        Ok(begun)
    }

    /// How this vault stands.
    pub(crate) fn status(&self) -> VaultStatus {
        let replica = self.engine.replica(GROUP);
        VaultStatus {
            vault: self.engine.node(),
            members: self.membership.numbers(),
            begun: replica.as_ref().is_some_and(has_begun),
            founded: replica.as_ref().is_some_and(|replica| matches!(head(replica), Ok(Some(_)))),
            replica: replica.as_ref().map(renkei_peers::standing),
            signing_key: *self.keys.signing.verifying_key().as_bytes(),
            key_epoch: self.keys.epoch.0,
            disk_free_permille: u16::from(self.disk.free_percent()) * 10,
        }
    }

    /// Has a group that is led from here founded, and sees that the epoch key is the one its slot keys are sealed under;
    /// ends when it has seen that.
    pub(crate) async fn keep(self) -> Result<(), KeeperError> {
        loop {
            if let Some(replica) = self.engine.replica(GROUP) {
                if self.check_keys(&replica)? {
                    return Ok(());
                }
                if let Some(under) = replica.leadership() {
                    // Lost in an election, it is proposed again by whoever leads then; a second one has no effect.
                    let founded = replica.propose(under, self.founding().encode()).await.is_ok();
                    tracing::info!(founded, "vault takes its slots");
                    continue;
                }
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Whether the founding is in the state; refuses one that another epoch key made.
    pub(crate) fn check_keys(&self, replica: &Replica) -> Result<bool, KeeperError> {
        let Some(Head { epoch: stored, .. }) = head(replica).map_err(KeeperError::State)? else { return Ok(false) };
        let first = Slot::all().next().expect("there are 4,096");
        let view = VaultView(replica.view());
        let sealed = state::slot_key(&view, first).map_err(|error| KeeperError::State(storage_error(error)))?;
        let opens = |sealed| self.keys.epoch_key.open_slot_key((self.cloud, first, stored), sealed).is_ok();
        match sealed.as_ref().is_some_and(opens) {
            true => Ok(true),
            false => Err(KeeperError::OtherEpochKey { given: self.keys.epoch, stored }),
        }
    }

    fn founding(&self) -> Command {
        let (key, epoch) = (&self.keys.epoch_key, self.keys.epoch);
        let seal = |slot| key.seal_slot_key((self.cloud, slot, epoch), &SlotKey::random(&SystemRandom), &SystemRandom);
        Command::Found(Founding { log: LogId::from_bytes(draw()), epoch, slots: Slot::all().map(seal).collect() })
    }
}

/// Whether a replica may have voted or holds anything.
fn has_begun(replica: &Replica) -> bool {
    let status = replica.status();
    status.term > 0 || status.last_log.is_some() || status.applied.is_some()
}

fn head(replica: &Replica) -> Result<Option<Head>, StorageError> {
    state::head(&VaultView(replica.view())).map_err(storage_error)
}
