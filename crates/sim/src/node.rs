//! A simulated machine that hosts replicas.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use futures::FutureExt;
use futures::future::BoxFuture;
use renkei_consensus::{Blocking, Engine, EngineOptions, Failure, OpenError, Replica, StateMachine};
use renkei_ids::{NodeId, ReplicaId};
use renkei_storage::log::{LogDb, LogOptions, SimulatedDisk};
use renkei_storage::{DirOwner, MemoryBudget, StorageError};

use crate::disk::UnderWay;
use crate::event::{Change, Event, Log};
use crate::machine::Machine;
use crate::network::{self, Transport};
use crate::world::SharedWorld;
use crate::{CLOUD, GROUP, disk, service, start};

/// What outlives the process of a node.
#[derive(Clone)]
pub(crate) struct Host {
    pub(crate) node: NodeId,
    pub(crate) dir: PathBuf,
    pub(crate) disk: SimulatedDisk,
    /// Its first replica has been made; another one comes only when it is told so.
    founded: Arc<AtomicBool>,
    /// What is being written to the log, and what it changes.
    pub(crate) under_way: Arc<Mutex<Option<UnderWay>>>,
    pub(crate) world: SharedWorld,
}

impl Host {
    pub(crate) fn new(node: NodeId, dir: PathBuf, world: SharedWorld) -> Self {
        let observed = world.clone();
        let observer = move |_, replica, change: renkei_storage::log::LogChange<'_>| {
            observed.record(Event::Accepted { node, replica, change: Change::read(change) });
        };
        Self {
            node,
            dir,
            disk: SimulatedDisk::new(Some(Arc::new(observer))),
            founded: Arc::default(),
            under_way: Arc::default(),
            world,
        }
    }

    /// Runs the node until its machine stops. The first of the founders begins the group.
    pub(crate) async fn run(self, founders: Vec<(ReplicaId, NodeId)>) -> turmoil::Result {
        let Self { node, world, .. } = &self;
        let logs = self.disk.stored().into_iter().map(|(_, replica, log)| (replica, Log::read(log))).collect();
        world.record(Event::Started { node: *node, logs });
        let engine = self.engine()?;
        if let Err(error) = self.open(&engine, founders).await {
            world.lock().violated("restart", format!("node {node} cannot open its replicas: {error}"));
            return Ok(());
        }
        start(network::listen(engine.clone()).map(|_| ()));
        service::listen(self, engine).await?;
        Ok(())
    }

    async fn open(&self, engine: &Engine, founders: Vec<(ReplicaId, NodeId)>) -> Result<(), String> {
        let Self { node, world, founded, .. } = self;
        let machine = |replica| Arc::new(Machine { replica, world: world.clone() });
        let opened = engine.open_existing(|_, replica| Some(machine(replica) as Arc<dyn StateMachine>)).await;
        let mut open = opened.map_err(|error| format!("{error:?}"))?.pop();
        let own = founders.iter().find(|(_, of)| of == node).map(|(replica, _)| *replica);
        if let (None, Some(own), false) = (&open, own, founded.load(Ordering::Relaxed)) {
            open = Some(engine.create(GROUP, own, machine(own)).await.map_err(|error| format!("{error:?}"))?);
        }
        founded.store(true, Ordering::Relaxed);
        let Some(replica) = open else { return Ok(()) };
        if replica.replica() == founders[0].0 {
            let begun = replica.initialize(founders.into_iter().collect()).await;
            begun.map_err(|error| format!("{error:?}"))?;
        }
        self.opened(replica);
        Ok(())
    }

    /// A replica is open here: the observer looks at it from now on.
    pub(crate) fn opened(&self, replica: Replica) {
        self.world.lock().replicas.insert(self.node, replica);
    }

    fn engine(&self) -> Result<Engine, StorageError> {
        let Self { node, dir, disk, world, .. } = self.clone();
        let budget = MemoryBudget::simulated(disk);
        let owner = DirOwner { cloud: CLOUD, node, replica: None };
        let failed = world.clone();
        let fatal = Arc::new(move |error: &StorageError| {
            failed.lock().violated("no failure", format!("the log of node {node} failed: {error:?}"));
        });
        let log = LogDb::open(&dir.join("log"), &LogOptions::new(owner, budget.clone()), fatal)?;
        start(disk::write(log.clone(), self.clone()));
        let mut options = EngineOptions::new(CLOUD, node, dir.join("replicas"), budget);
        {
            let world = world.lock();
            options.timing = world.plan().timing;
            options.schedule = world.plan().schedule;
        }
        let working = world.clone();
        options.blocking = Blocking::InPlace(Arc::new(move || working.work_time()));
        let spawner = Arc::new(|_: &'static str, task: BoxFuture<'static, ()>| drop(start(task)));
        let failed = world.clone();
        let fatal = Arc::new(move |failure: &Failure| {
            failed.lock().violated("no failure", format!("node {node}: {failure:?}"));
        });
        Ok(Engine::new(options, log, Arc::new(Transport::new(node, world)), spawner, fatal))
    }
}

/// Opens a replica that is to join.
pub(crate) async fn host(host: &Host, engine: &Engine, replica: ReplicaId) -> Result<(), OpenError> {
    let machine = Arc::new(Machine { replica, world: host.world.clone() });
    let opened = engine.create(GROUP, replica, machine).await?;
    host.opened(opened);
    Ok(())
}
