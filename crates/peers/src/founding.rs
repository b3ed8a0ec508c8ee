//! How a group of one process or three begins: once, by an explicit step, on all its replicas.
//!
//! A replica is opened by the founding and by nothing else, and a founding that finds a replica which holds something
//! opens none. So a host whose disk was lost is a host without a replica: it does not vote under its old id, whoever asks
//! it to begin again.

use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::future::BoxFuture;
use renkei_consensus::{Engine, InitializeGroupError, OpenError, Replica, StateMachine};
use renkei_ids::NodeId;
use renkei_runtime::Chain;
use renkei_wire::admin::ReplicaStatus;
use renkei_wire::{ErrorCode, Refusal};
use tokio::time::{Instant, sleep, timeout};
use tonic::{Response, Status};

use crate::membership::{GROUP, Membership};

/// Longest time from the request to the founding in this replica's state.
const PATIENCE: Duration = Duration::from_secs(30);
/// Pause between two looks at a group that has no founding yet.
const PAUSE: Duration = Duration::from_millis(50);
/// Longest time that [`ask_to_begin`] waits for all processes of the group to be up.
pub const FOUNDING_PATIENCE: Duration = Duration::from_secs(60);
/// Pause between two of its questions.
const ASK_EVERY: Duration = Duration::from_millis(200);
/// Longest time that one call to another host takes.
const CALL_TIMEOUT: Duration = Duration::from_secs(5);

/// What is founded.
pub trait Charter: fmt::Debug + Send + Sync + 'static {
    /// Why a founding in the state is not one that this host can serve.
    type Error: Error + Send + Sync + 'static;

    /// What the group replicates.
    fn machine(&self) -> Arc<dyn StateMachine>;

    /// The command that founds; a second one has no effect.
    fn founding(&self) -> Bytes;

    /// Whether the founding is in the state.
    ///
    /// # Errors
    /// When the state does not read, or the founding was made under other keys than this host's.
    fn is_founded(&self, replica: &Replica) -> Result<bool, Self::Error>;

    /// What is the same on every host that has the same keys, and says nothing of them.
    fn keys(&self) -> Bytes;
}

/// What is asked of the other hosts of the group, beside Raft.
pub trait Hosts: fmt::Debug + Send + Sync + 'static {
    /// How a host stands.
    fn standing(&self, host: NodeId) -> BoxFuture<'_, Result<HostStanding, Status>>;

    /// Opens its replica, for a founding.
    fn open_replica(&self, host: NodeId) -> BoxFuture<'_, Result<(), Status>>;
}

/// How a host stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostStanding {
    /// All hosts of the group as configured there, ascending.
    pub members: Vec<NodeId>,
    /// Its [`Charter::keys`].
    pub keys: Bytes,
    /// Log or state of its replica hold something.
    pub begun: bool,
    /// The founding has reached it.
    pub founded: bool,
    /// `None` where no replica is open.
    pub replica: Option<ReplicaStatus>,
}

/// Why the group was not founded. The request may be repeated.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each message says what its variant means")]
pub enum FoundError<E: Error + 'static> {
    #[error("host {0} has begun, and this one holds nothing: its disk was lost")]
    Lost(NodeId),
    #[error("host {0} has another list of peers")]
    OtherPeers(NodeId),
    #[error("host {0} has other keys: give every host those of the first (`setup --from`)")]
    OtherKeys(NodeId),
    #[error("host {host} does not answer")]
    Remote {
        host: NodeId,
        #[source]
        source: Box<Status>,
    },
    #[error("opening the replica")]
    Open(#[source] OpenError),
    #[error("starting the group")]
    Initialize(#[source] InitializeGroupError),
    #[error("reading the state")]
    State(#[source] E),
    #[error("no founding in the state in time")]
    TimedOut,
}

impl<E: Error + 'static> From<FoundError<E>> for Refusal {
    fn from(error: FoundError<E>) -> Self {
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

/// Carries out the founding, and answers for how this host stands. Clones share everything.
#[derive(Debug)]
pub struct Founder<C> {
    membership: Membership,
    engine: Engine,
    charter: Arc<C>,
    hosts: Arc<dyn Hosts>,
}

impl<C> Clone for Founder<C> {
    fn clone(&self) -> Self {
        let Self { membership, engine, charter, hosts } = self;
        Self {
            membership: membership.clone(),
            engine: engine.clone(),
            charter: Arc::clone(charter),
            hosts: Arc::clone(hosts),
        }
    }
}

impl<C: Charter> Founder<C> {
    /// For the group of the engine's host.
    pub fn new(membership: Membership, engine: Engine, charter: Arc<C>, hosts: Arc<dyn Hosts>) -> Self {
        Self { membership, engine, charter, hosts }
    }

    /// Who belongs to the group.
    pub const fn membership(&self) -> &Membership {
        &self.membership
    }

    /// Runs the replica.
    pub const fn engine(&self) -> &Engine {
        &self.engine
    }

    /// What is founded.
    pub const fn charter(&self) -> &Arc<C> {
        &self.charter
    }

    /// Opens the replica that a founding has opened before, and sees that the state is one of this host's keys.
    ///
    /// # Errors
    /// [`FoundError::Open`] and [`FoundError::State`].
    pub async fn open_again(&self) -> Result<(), FoundError<C::Error>> {
        let machine = || self.charter.machine();
        self.engine.open_existing(|group, _| (group == GROUP).then(machine)).await.map_err(FoundError::Open)?;
        match self.engine.replica(GROUP) {
            Some(replica) => self.charter.is_founded(&replica).map(|_| ()).map_err(FoundError::State),
            None => Ok(()),
        }
    }

    /// Founds the group, or finds it founded.
    ///
    /// # Errors
    /// [`FoundError`].
    pub async fn found(&self) -> Result<(), FoundError<C::Error>> {
        timeout(PATIENCE, self.found_in_time()).await.unwrap_or(Err(FoundError::TimedOut))
    }

    async fn found_in_time(&self) -> Result<(), FoundError<C::Error>> {
        let replica = match self.engine.replica(GROUP) {
            Some(begun) if has_begun(&begun) => begun,
            open => self.begin(open).await?,
        };
        // Whoever leads proposes the founding: see `keep`.
        while !self.charter.is_founded(&replica).map_err(FoundError::State)? {
            sleep(PAUSE).await;
        }
        Ok(())
    }

    /// Opens every replica and starts the group, if none of them holds anything yet.
    async fn begin(&self, open: Option<Replica>) -> Result<Replica, FoundError<C::Error>> {
        let begun = self.begun_elsewhere().await?;
        match (begun, open) {
            // A founding that was interrupted had opened this replica before it started the group.
            (Some(_), Some(replica)) => return Ok(replica),
            (Some(host), None) => return Err(FoundError::Lost(host)),
            (None, _) => {}
        }
        for host in self.membership.others() {
            let remote = |source| FoundError::Remote { host, source: Box::new(source) };
            in_time(self.hosts.open_replica(host)).await.map_err(remote)?;
        }
        let replica = self.open().await?;
        // Every member may start the group with the same members, so a repeated request does no harm.
        replica.initialize(self.membership.replicas()).await.map_err(FoundError::Initialize)?;
        tracing::info!(replicas = self.membership.replicas().len(), "the group begins");
        Ok(replica)
    }

    /// Opens the replica of this host for another one's founding, under the same condition as that has checked.
    ///
    /// # Errors
    /// [`FoundError`].
    pub async fn open_for_founding(&self) -> Result<(), FoundError<C::Error>> {
        if self.engine.replica(GROUP).is_none()
            && let Some(host) = self.begun_elsewhere().await?
        {
            return Err(FoundError::Lost(host));
        }
        self.open().await.map(|_| ())
    }

    async fn open(&self) -> Result<Replica, FoundError<C::Error>> {
        let machine = self.charter.machine();
        self.engine.create(GROUP, self.membership.own_replica(), machine).await.map_err(FoundError::Open)
    }

    /// Another host whose replica holds something. Every other one must answer, and be configured as this one is.
    async fn begun_elsewhere(&self) -> Result<Option<NodeId>, FoundError<C::Error>> {
        let (members, keys) = (self.membership.numbers(), self.charter.keys());
        let mut begun = None;
        for host in self.membership.others() {
            let remote = |source| FoundError::Remote { host, source: Box::new(source) };
            let standing = in_time(self.hosts.standing(host)).await.map_err(remote)?;
            if standing.members != members {
                return Err(FoundError::OtherPeers(host));
            }
            if standing.keys != keys {
                return Err(FoundError::OtherKeys(host));
            }
            begun = begun.or(standing.begun.then_some(host));
        }
        Ok(begun)
    }

    /// How this host stands.
    pub fn standing(&self) -> HostStanding {
        let replica = self.engine.replica(GROUP);
        HostStanding {
            members: self.membership.numbers(),
            keys: self.charter.keys(),
            begun: replica.as_ref().is_some_and(has_begun),
            founded: replica.as_ref().is_some_and(|replica| matches!(self.charter.is_founded(replica), Ok(true))),
            replica: replica.as_ref().map(crate::standing),
        }
    }

    /// Has a group that is led from here founded, and sees that it is under the keys of this host; ends when it has seen
    /// that.
    ///
    /// # Errors
    /// The charter's, with which nothing may be served.
    pub async fn keep(self) -> Result<(), C::Error> {
        loop {
            if let Some(replica) = self.engine.replica(GROUP) {
                if self.charter.is_founded(&replica)? {
                    return Ok(());
                }
                if let Some(under) = replica.leadership() {
                    // Lost in an election, it is proposed again by whoever leads then; a second one has no effect.
                    let founded = replica.propose(under, self.charter.founding()).await.is_ok();
                    tracing::info!(founded, "the founding is proposed");
                    continue;
                }
            }
            sleep(PAUSE).await;
        }
    }
}

/// Whether a replica may have voted or holds anything.
fn has_begun(replica: &Replica) -> bool {
    let status = replica.status();
    status.term > 0 || status.last_log.is_some() || status.applied.is_some()
}

async fn in_time<T>(call: impl Future<Output = Result<T, Status>>) -> Result<T, Status> {
    timeout(CALL_TIMEOUT, call).await.unwrap_or_else(|_| Err(Refusal::new(ErrorCode::Unavailable).into()))
}

/// Why a process did not begin that was asked to.
#[derive(Debug, thiserror::Error)]
pub enum NotBegun {
    /// It refuses; its log says what it found.
    #[error("it refuses; see its log")]
    Refused(#[source] Refusal),
    /// It did not answer in time, or not all of its peers did.
    #[error("it or one of its peers did not answer within {FOUNDING_PATIENCE:?}")]
    TimedOut,
}

/// Asks the process on this host, which is starting or running, to begin together with its peers. One that has begun is a
/// success.
///
/// # Errors
/// [`NotBegun`]; the question may be repeated.
pub async fn ask_to_begin<T, A>(mut ask: impl FnMut() -> A) -> Result<(), NotBegun>
where
    A: Future<Output = Result<Response<T>, Status>>,
{
    let end = Instant::now() + FOUNDING_PATIENCE;
    loop {
        let status = match tokio::time::timeout_at(end, ask()).await {
            Err(_late) => return Err(NotBegun::TimedOut),
            Ok(Ok(_founded)) => return Ok(()),
            Ok(Err(status)) => status,
        };
        match Refusal::from_status(&status) {
            // Without a refusal in it the status is the transport's: the process is not up yet.
            Err(_) => {}
            Ok(refusal) if refusal.code == ErrorCode::Unavailable => {}
            Ok(refusal) => return Err(NotBegun::Refused(refusal)),
        }
        sleep(ASK_EVERY).await;
    }
}
