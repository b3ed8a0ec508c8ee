//! etcd with three members, driven by a client of our own in the same loop, over the same kind of connections.

mod members;
mod rpc;

use std::cell::Cell;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use bytes::{BufMut as _, Bytes, BytesMut};
use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use rand::Rng as _;
use rand::rngs::SmallRng;
use renkei_launch::TlsFiles;
use tonic::transport::Channel;

use crate::channels::Target;
use crate::failure::Violation;
use crate::load::{OperationError, Workload};
use crate::operation::{Operation, TIMELINE_VALUES};
use crate::payload::{Name, Seed};
use crate::tls;
use members::Members;
use rpc::{PutRequest, RangeRequest, StatusRequest, call};

/// Connections to the leader; a row with fewer clients uses as many.
pub(crate) const CONNECTIONS: usize = 4;
/// Puts in flight while the values are laid out.
const PRELOAD_IN_FLIGHT: usize = 128;
const ELECTION_TIMEOUT: Duration = Duration::from_secs(30);
const ELECTION_POLL: Duration = Duration::from_millis(100);
/// Where the numbers of measured puts begin, so that none names what was laid out before.
const MEASURED_PUTS: u64 = 1 << 32;

/// Whether etcd is installed.
pub(crate) fn installed() -> anyhow::Result<bool> {
    members::installed().context("looking for etcd")
}

/// Three members and connections to their leader.
#[derive(Debug)]
pub(crate) struct Etcd {
    members: Members,
    leader: Vec<Channel>,
    version: String,
    seed: Seed,
    owners: u32,
    next_put: Cell<u64>,
}

impl Etcd {
    /// Starts the members and lays out [`TIMELINE_VALUES`] values for each owner.
    pub(crate) async fn start(dir: &Path, tls: Option<&TlsFiles>, seed: Seed, owners: u32) -> anyhow::Result<Self> {
        let members = Members::start(dir, tls)?;
        let tls = tls.map(tls::client).transpose()?;
        let (leader, version) = elected(&members, tls.as_ref()).await?;
        let leader = leader.open_all(CONNECTIONS).await?;
        let etcd = Self { members, leader, version, seed, owners, next_put: Cell::new(MEASURED_PUTS) };
        etcd.preload().await?;
        Ok(etcd)
    }

    pub(crate) fn version(&self) -> &str {
        &self.version
    }

    pub(crate) fn workload(&self, operation: Operation) -> EtcdWorkload<'_> {
        EtcdWorkload { etcd: self, operation }
    }

    async fn preload(&self) -> anyhow::Result<()> {
        let values = (0..self.owners).flat_map(|owner| (0..TIMELINE_VALUES).map(move |number| (owner, number)));
        stream::iter(values.enumerate())
            .map(|(index, (owner, number))| {
                let name = self.name(owner, number);
                let channel = &self.leader[index % CONNECTIONS];
                let key = self.key(owner, number);
                async move { call(channel, PutRequest { key, value: self.seed.value(&name) }).await.map(drop) }
            })
            .buffer_unordered(PRELOAD_IN_FLIGHT)
            .try_collect::<()>()
            .await
            .context("laying out values in etcd")
    }

    fn name(&self, owner: u32, number: usize) -> Name {
        self.seed.name(owner.into(), u64::try_from(number).expect("a usize has at most 64 bits"))
    }

    /// Values of one owner lie beside each other, in order.
    fn key(&self, owner: u32, number: usize) -> Bytes {
        let mut key = BytesMut::with_capacity(20);
        key.put_slice(&self.seed.name(owner.into(), u64::MAX)[..12]);
        key.put_u64(u64::try_from(number).expect("a usize has at most 64 bits"));
        key.freeze()
    }
}

/// Waits until a member says that it leads.
async fn elected(
    members: &Members,
    tls: Option<&std::sync::Arc<rustls::ClientConfig>>,
) -> anyhow::Result<(Target, String)> {
    let targets: Vec<_> =
        members.addresses().into_iter().map(|address| Target { address, tls: tls.cloned() }).collect();
    let began = Instant::now();
    while began.elapsed() < ELECTION_TIMEOUT {
        for target in &targets {
            let channel = target.open().await.context("connecting to etcd")?;
            // Until there is a leader this is an error, or a leader of 0.
            let Ok(status) = call(&channel, StatusRequest {}).await else { continue };
            let own = status.header.map_or(0, |header| header.member_id);
            if status.leader != 0 && status.leader == own {
                return Ok((target.clone(), status.version));
            }
        }
        tokio::time::sleep(ELECTION_POLL).await;
    }
    bail!("etcd elected no leader within {ELECTION_TIMEOUT:?}")
}

/// One kind of request to the leader.
#[derive(Debug)]
pub(crate) struct EtcdWorkload<'a> {
    etcd: &'a Etcd,
    operation: Operation,
}

impl EtcdWorkload<'_> {
    async fn put(&self, channel: &Channel) -> Result<(), OperationError> {
        let etcd = self.etcd;
        let number = etcd.next_put.get();
        etcd.next_put.set(number + 1);
        let name = etcd.seed.name(0, number);
        let request = PutRequest { key: Bytes::copy_from_slice(&name), value: etcd.seed.value(&name) };
        call(channel, request).await?;
        Ok(())
    }

    async fn get(&self, channel: &Channel, owner: u32, number: usize) -> Result<(), OperationError> {
        let etcd = self.etcd;
        let request = RangeRequest { key: etcd.key(owner, number), limit: 1, ..RangeRequest::default() };
        let answer = call(channel, request).await?;
        let [pair] = &answer.kvs[..] else { return Err(Violation::Lost.into()) };
        let right = etcd.seed.is_value(&etcd.name(owner, number), &pair.value);
        if right { Ok(()) } else { Err(Violation::WrongContent.into()) }
    }

    async fn range(&self, channel: &Channel, owner: u32) -> Result<(), OperationError> {
        let etcd = self.etcd;
        let request = RangeRequest {
            key: etcd.key(owner, 0),
            range_end: etcd.key(owner, TIMELINE_VALUES),
            limit: i64::try_from(TIMELINE_VALUES).expect("a timeline is short"),
            serializable: false,
        };
        let answer = call(channel, request).await?;
        if answer.kvs.len() != TIMELINE_VALUES {
            return Err(Violation::WrongEntries { expected: TIMELINE_VALUES, actual: answer.kvs.len() }.into());
        }
        let right = answer
            .kvs
            .iter()
            .enumerate()
            .all(|(number, pair)| etcd.seed.is_value(&etcd.name(owner, number), &pair.value));
        if right { Ok(()) } else { Err(Violation::WrongContent.into()) }
    }
}

impl Workload for EtcdWorkload<'_> {
    const SYSTEM: &'static str = "etcd";

    async fn once(&self, client: usize, random: &mut SmallRng) -> Result<(), OperationError> {
        let channel = &self.etcd.leader[client % CONNECTIONS];
        let owner = random.random_range(0..self.etcd.owners);
        match self.operation {
            Operation::Write => self.put(channel).await,
            Operation::Read => self.get(channel, owner, random.random_range(0..TIMELINE_VALUES)).await,
            Operation::Timeline => self.range(channel, owner).await,
        }
    }

    fn cpu(&self) -> anyhow::Result<Duration> {
        self.etcd.members.cpu()
    }
}
