//! Three nodes of ours, founded, filled, and asked through the node API.

mod client;
mod link;
mod metrics;
mod patients;
mod routes;
mod workload;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use renkei_access::SigningKey;
use renkei_ids::{Clock as _, CloudId, NodeId};
use renkei_launch::{CloudSpec, RaftProfile, Role, SystemClock};
use renkei_wire::NodeAdminServiceClient;
use renkei_wire::admin::{BootstrapReply, BootstrapRequest, NodeAt};
use renkei_wire::limits::ADMIN_MESSAGE_MAX_BYTES;

use crate::channels::Target;
use crate::load::OperationError;
use crate::operation::TIMELINE_VALUES;
use crate::payload::Seed;
use crate::tls;
use client::Client;
pub(crate) use metrics::CacheUse;
use patients::Patients;

/// Nodes; each has one connection with one stream.
pub(crate) const NODES: u32 = 3;
/// Shard groups, each with a replica on every node.
pub(crate) const GROUPS: u32 = 4;
/// Puts in flight while records are laid out.
const PRELOAD_IN_FLIGHT: usize = 128;

/// A running cloud and a client of it. Dropping it kills the nodes.
#[derive(Debug)]
pub(crate) struct Cloud {
    processes: renkei_launch::Cloud,
    admins: Vec<SocketAddr>,
    client: Client,
    patients: Patients,
}

impl Cloud {
    /// Starts the nodes, founds the cloud and lays out [`TIMELINE_VALUES`] records for each patient.
    pub(crate) async fn start(dir: &Path, memory_mib: u32, seed: Seed, patients: u32) -> anyhow::Result<Self> {
        let now = SystemClock::new().now();
        let key = SigningKey::from_seed(&rand::random());
        let verifying: String = key.verifying_key().as_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
        let spec = CloudSpec {
            cloud: CloudId::from_bytes(rand::random()),
            nodes: NODES,
            dir: dir.to_owned(),
            memory_mib,
            raft: RaftProfile::Demo,
            set: vec![format!("vault.keys=[\"{verifying}\"]")],
            now,
        };
        let mut processes = start_nodes(spec).await?;
        let addresses = processes.addresses();
        found(&processes, &addresses).await?;
        let files = processes.issue(Role::Gateway, "loadtest").context("issuing the gateway's certificate")?;
        let tls = tls::client(&files)?;
        let targets: BTreeMap<_, _> = addresses.iter().map(|(node, address)| (*node, target(*address, &tls))).collect();
        let admins = admins(&mut processes, addresses.keys())?;
        let patients =
            Patients::new(seed, patients, key, tls::key_hash(&files)?, now).context("signing capabilities")?;
        let client = Client::connect(&targets).await?;
        let cloud = Self { processes, admins, client, patients };
        cloud.preload().await.context("laying out records")?;
        Ok(cloud)
    }

    /// Requests that were sent again, so far.
    pub(crate) fn retries(&self) -> u64 {
        self.client.retries()
    }

    /// Use of the nodes' capability caches so far; `None` where they do not report it.
    pub(crate) fn cache_use(&self) -> anyhow::Result<Option<CacheUse>> {
        CacheUse::of(&self.admins).context("reading the nodes' metrics")
    }

    async fn preload(&self) -> Result<(), OperationError> {
        // Record by record over all patients, as records come in life, not patient by patient.
        let puts = (0..TIMELINE_VALUES).flat_map(|_| 0..self.patients.count());
        stream::iter(puts)
            .map(|patient| async move { self.put_next(patient).await.map(drop) })
            .buffer_unordered(PRELOAD_IN_FLIGHT)
            .try_collect()
            .await
    }

    fn cpu(&self) -> anyhow::Result<Duration> {
        let usage = self.processes.usage().context("reading what the nodes have used")?;
        Ok(usage.values().map(renkei_launch::Usage::cpu).sum())
    }
}

/// Starts them on a thread of its own, for it blocks for seconds.
async fn start_nodes(spec: CloudSpec) -> anyhow::Result<renkei_launch::Cloud> {
    let start = move || {
        let mut cloud = renkei_launch::Cloud::prepare(&spec)?;
        cloud.start_all()?;
        Ok::<_, renkei_launch::CloudError>(cloud)
    };
    tokio::task::spawn_blocking(start).await.context("starting the nodes")?.context("starting the nodes")
}

async fn found(cloud: &renkei_launch::Cloud, addresses: &BTreeMap<NodeId, SocketAddr>) -> anyhow::Result<()> {
    let files = cloud.issue(Role::Operator, "loadtest").context("issuing the operator's certificate")?;
    let tls = tls::client(&files)?;
    let nodes = addresses
        .iter()
        .map(|(node, address)| Ok(NodeAt { node: *node, address: address.to_string().parse()? }))
        .collect::<Result<Vec<_>, renkei_wire::InvalidNodeAddress>>()
        .context("naming the nodes")?;
    let first = *addresses.values().next().context("a cloud has nodes")?;
    let mut admin = NodeAdminServiceClient::new(target(first, &tls).open().await?)
        .max_decoding_message_size(ADMIN_MESSAGE_MAX_BYTES);
    let request = BootstrapRequest { nodes, groups: GROUPS, replicas: NODES };
    let reply = admin.bootstrap(renkei_wire::pb::admin::v1::BootstrapRequest::from(request)).await;
    BootstrapReply::try_from(reply.context("founding the cloud")?.into_inner()).context("founding the cloud")?;
    Ok(())
}

fn target(address: SocketAddr, tls: &Arc<rustls::ClientConfig>) -> Target {
    Target { address, tls: Some(Arc::clone(tls)) }
}

fn admins<'a>(
    processes: &mut renkei_launch::Cloud,
    nodes: impl Iterator<Item = &'a NodeId>,
) -> anyhow::Result<Vec<SocketAddr>> {
    nodes
        .map(|node| Ok(processes.node(*node)?.admin()))
        .collect::<Result<_, renkei_launch::CloudError>>()
        .context("finding the nodes' admin ports")
}
