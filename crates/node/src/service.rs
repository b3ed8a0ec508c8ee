//! Puts a node together, and takes it down again.

use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use renkei_consensus::{Engine, EngineOptions, OpenError};
use renkei_ids::{CloudId, NodeId};
use renkei_peers::{AddressBook, AskDigests, Circle, Digests, HostOf, Lanes, Peers};
use renkei_runtime::{
    Admit, BindError, Config as _, Denials, Http2, OnError, OnShutdown, Role, Shell, TaskKind, bind, serve_routes,
};
use renkei_storage::log::{LogDb, LogOptions};
use renkei_storage::{DirOwner, DiskWatch, MemoryBudget, StorageError};
use renkei_wire::admin::{DigestReply, DigestRequest};
use renkei_wire::pb::admin::v1 as pb;
use renkei_wire::{NodeAdminServiceServer, NodeServiceServer, PeerServiceServer, limits};
use tokio::sync::Notify;
use tonic::service::Routes as GrpcRoutes;

use crate::admin::NodeAdmin;
use crate::capabilities::Capabilities;
use crate::config::NodeConfig;
use crate::controller::{Controller, hand_over};
use crate::fatal;
use crate::founding::{Follower, Founder, Hosted, Known, KnownError, Looks};
use crate::metrics::Metrics;
use crate::remote::{Client, Remote};
use crate::routes::Routes;
use crate::serve::{Admission, Records, Server};

/// How often the free disk and the log's figures are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Longest time that leaderships are handed over in when the process is to stop.
const HAND_OVER_WITHIN: Duration = Duration::from_secs(1);
/// Longest time for another node to give its digests.
const DIGEST_WITHIN: Duration = Duration::from_secs(30);

/// Why a node does not run.
#[derive(Debug, thiserror::Error)]
pub enum NodeError {
    /// The configuration breaks a rule.
    #[error("reading the configuration")]
    Config(#[from] renkei_runtime::InvalidConfig),
    /// The certificate is not that of a node of this cloud with this number.
    #[error("the certificate names {actual}, the configuration node {node} of cloud {cloud}")]
    OtherIdentity {
        /// The cloud configured.
        cloud: CloudId,
        /// The node configured.
        node: NodeId,
        /// Who the certificate names.
        actual: Box<renkei_runtime::PeerIdentity>,
    },
    /// A metric was registered twice.
    #[error("registering metrics")]
    Metrics(#[from] prometheus::Error),
    /// The data directory.
    #[error("opening the data directory")]
    Storage(#[from] StorageError),
    /// What the node keeps for itself.
    #[error("reading the placement and the disk's id")]
    Known(#[from] KnownError),
    /// A replica.
    #[error("opening the replicas")]
    Replicas(#[from] OpenError),
    /// The port.
    #[error("opening the port")]
    Bind(#[from] BindError),
    /// The plan of faults.
    #[cfg(feature = "faults")]
    #[error("taking a plan of faults")]
    Faults(#[from] crate::faults::PlanError),
}

/// Runs a node until the process is asked to stop.
///
/// # Errors
/// [`NodeError`], before anything is served.
pub async fn run(config: NodeConfig, shell: Shell) -> Result<(), NodeError> {
    serve_until_stopped(config, shell).await.inspect_err(|error| fatal::advise(error))
}

async fn serve_until_stopped(config: NodeConfig, shell: Shell) -> Result<(), NodeError> {
    config.validate()?;
    let (cloud, node) = (config.cloud()?, config.node_id()?);
    check_identity(&shell, cloud, node)?;
    #[cfg(feature = "faults")]
    config.faults.follow(node, &shell)?;
    let metrics = Metrics::register(shell.registry())?;
    let budget = MemoryBudget::new((config.memory.total_mib as usize) << 20);
    let owner = DirOwner { cloud, node, replica: None };
    let log =
        LogDb::open(&config.data.dir.join("log"), &LogOptions::new(owner, budget.clone()), fatal::on_log_failure())?;
    let disk = Arc::new(DiskWatch::new(&config.data.dir)?);

    let book = AddressBook::new(config.peers()?);
    let engine = engine(&config, &shell, cloud, node, &budget, &log, &book)?;
    let routes = Routes::new();
    let follower = Follower {
        shell: shell.clone(),
        engine: engine.clone(),
        known: Known::open(&config.data.dir, node, routes.clone())?,
        routes,
        remote: Remote::new(shell.tls().clone(), cloud, book.clone()),
        looks: Looks::new(),
        disk: shell.health().register("disk"),
        hosted: Hosted::default(),
        book,
        metrics: metrics.clone(),
        changed: Arc::new(Notify::new()),
    };
    let opened = |group, replica| follower.known.may_open(group, replica).then(|| follower.machine(group));
    engine.open_existing(opened).await?;
    let controller = Controller::new(follower.clone());

    let server = Server {
        engine: engine.clone(),
        hosted: follower.hosted.clone(),
        routes: follower.routes.clone(),
        capabilities: Capabilities::new(config.vault_keys()?, metrics.clone()),
        admission: Admission::new(budget.in_flight_bytes(), metrics.admitted_bytes.clone()),
        disk: Arc::clone(&disk),
        clock: shell.clock(),
        denials: Denials::default(),
        metrics: metrics.clone(),
    };
    let listener = bind(config.listen.address)?;
    background(&shell, &follower, &controller, &server, &log);
    let services = services(&shell, cloud, &follower, controller, server, disk);
    let admit = Admit { cloud: Some(cloud), roles: &[Role::Node, Role::Gateway, Role::Operator] };
    let serving = serve_routes(&shell, "node", listener, shell.tls().server(admit), Http2::LANES, services);
    shell.started();

    shell.stopping().cancelled().await;
    hand_over(engine.replicas(), HAND_OVER_WITHIN).await;
    serving.drained().await;
    engine.shutdown().await;
    // Joining the writer thread blocks, and nothing else is left to do on this one.
    log.shutdown();
    Ok(())
}

fn check_identity(shell: &Shell, cloud: CloudId, node: NodeId) -> Result<(), NodeError> {
    let identity = shell.tls().identity();
    let same = identity.cloud == cloud && identity.role == Role::Node && *identity.name == node.to_string();
    if same { Ok(()) } else { Err(NodeError::OtherIdentity { cloud, node, actual: Box::new(identity) }) }
}

fn engine(
    config: &NodeConfig,
    shell: &Shell,
    cloud: CloudId,
    node: NodeId,
    budget: &MemoryBudget,
    log: &LogDb,
    book: &AddressBook,
) -> Result<Engine, NodeError> {
    let root = config.data.dir.join("groups");
    let mut options = EngineOptions::new(cloud, node, root, budget.clone());
    options.timing = config.raft.timing();
    options.schedule = config.raft.schedule();
    let lanes = Arc::new(Lanes::new(shell.clone(), circle(cloud), book.clone()));
    Ok(Engine::new(options, log.clone(), lanes, shell.tasks().spawner(), fatal::on_replica_failure()))
}

/// Nodes talk to nodes of their cloud.
fn circle(cloud: CloudId) -> Circle {
    Circle { cloud, role: Role::Node }
}

fn background(shell: &Shell, follower: &Follower, controller: &Controller, server: &Server, log: &LogDb) {
    let kind = |name| TaskKind { name, on_error: OnError::StopProcess, on_shutdown: OnShutdown::Cancel };
    let never_fails = Ok::<(), std::convert::Infallible>;
    shell.tasks().spawn(kind("placement follower"), follower.clone().run());
    shell.tasks().spawn(kind("controller"), controller.clone().run().map(never_fails));
    let denials = server.denials.clone().tell(shell.stopping().cancelled_owned());
    let told_last = TaskKind { name: "denials", on_error: OnError::Log, on_shutdown: OnShutdown::Drain };
    shell.tasks().spawn(told_last, denials.map(never_fails));
    let (disk, metrics, log) = (Arc::clone(&server.disk), server.metrics.clone(), log.clone());
    shell.tasks().spawn_restarting("figures", OnShutdown::Cancel, move || {
        let (disk, metrics, log) = (Arc::clone(&disk), metrics.clone(), log.clone());
        async move {
            loop {
                tokio::time::sleep(LOOK_EVERY).await;
                disk.refresh()?;
                let stats = log.stats();
                metrics.log_syncs.set(i64::try_from(stats.syncs).unwrap_or(i64::MAX));
                metrics.log_sync_p99_micros.set(i64::try_from(stats.sync_p99.as_micros()).unwrap_or(i64::MAX));
            }
            #[expect(unreachable_code, reason = "gives the loop its error type")]
            Ok::<(), StorageError>(())
        }
    });
}

fn services(
    shell: &Shell,
    cloud: CloudId,
    follower: &Follower,
    controller: Controller,
    server: Server,
    disk: Arc<DiskWatch>,
) -> GrpcRoutes {
    // Before the founding, and for replicas younger than our placement, there is no host to name.
    let routes = follower.routes.clone();
    let host_of: HostOf = Arc::new(move |group, replica| routes.node_of(group, replica));
    let peers = Peers::new(shell.clone(), circle(cloud), follower.engine.clone(), host_of);
    let remote = follower.remote.clone();
    let ask: AskDigests = Arc::new(move |node, group| {
        let (remote, request) = (remote.clone(), pb::DigestRequest::from(DigestRequest { group }));
        let call = move |mut client: Client| async move { client.digest(request).await };
        async move { remote.ask(node, DIGEST_WITHIN, call).await.ok().map(|reply: DigestReply| reply.digests) }.boxed()
    });
    let digests = Digests::new(follower.engine.clone(), ask, follower.metrics.digest_mismatches.clone());
    let founder = Founder { follower: follower.clone() };
    let records = NodeServiceServer::new(Records { shell: shell.clone(), server })
        .max_decoding_message_size(limits::NODE_MESSAGE_MAX_BYTES)
        .max_encoding_message_size(limits::NODE_MESSAGE_MAX_BYTES);
    let peers = PeerServiceServer::new(peers)
        .max_decoding_message_size(limits::PEER_MESSAGE_MAX_BYTES)
        .max_encoding_message_size(limits::PEER_MESSAGE_MAX_BYTES);
    let admin = NodeAdminServiceServer::new(NodeAdmin { founder, controller, digests, disk })
        .max_decoding_message_size(limits::ADMIN_MESSAGE_MAX_BYTES)
        .max_encoding_message_size(limits::ADMIN_MESSAGE_MAX_BYTES);
    GrpcRoutes::new(records).add_service(peers).add_service(admin)
}
