//! The cloud of the demo: real processes on loopback, and what an operator asks of them.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use renkei_ids::{CellId, Clock as _, CloudId, GroupId, InstitutionId, NodeId};
use renkei_launch::{Cloud, CloudError, CloudSpec, RaftProfile, Role, SystemClock, TlsFiles, certificate_key};
use renkei_runtime::Address;
use renkei_wire::NodeAdminServiceClient;
use renkei_wire::admin::{BootstrapRequest, NodeAt, StatusReply};
use renkei_wire::pb::admin::v1::StatusRequest;

use super::check_in::{Cast, Hospital, National, Signers};
use crate::admin::found;
use crate::arguments::NumberedNode;
use crate::call::answer;
use crate::connection::Caller;
use crate::failure::Failure;
use crate::hex::hex;

/// Nodes, and replicas of each group.
const NODES: u32 = 3;
/// Groups: each node leads some where elections fall so.
const GROUPS: u32 = 6;
/// Budget of each node, and of the vault.
const MEMORY_MIB: u32 = 256;
/// Longest time for nodes to found a cloud.
const FOUNDING: Duration = Duration::from_secs(60);
/// Longest time that a node takes to say how it stands.
const STATUS: Duration = Duration::from_secs(2);
/// The vault counts what one institution opens and writes, and this one writes as fast as it can.
const BUDGETS: [&str; 6] = ["open_asker", "open_cell", "open_slot", "write_asker", "write_cell", "write_slot"];

/// Processes that run, and a directory that holds all their files.
pub(super) struct DemoCloud {
    processes: Cloud,
    national: National,
    operator: Caller,
    institution: TlsFiles,
}

/// The hospital of the demo.
#[derive(Clone, Copy, Debug)]
pub(super) struct Enrolled {
    pub(super) cloud: CloudId,
    pub(super) institution: InstitutionId,
}

impl DemoCloud {
    /// Starts two key holders, a registrar, three nodes, a vault and a gateway with their files in `dir`, founds the cloud
    /// and publishes a directory.
    pub(super) async fn start(dir: &Path, cast: &Cast) -> Result<(Self, Signers, Enrolled), Failure> {
        let failed = |source| Failure::Launch { source };
        let spec = CloudSpec {
            cloud: CloudId::from_bytes(rand::random()),
            nodes: NODES,
            dir: dir.to_owned(),
            memory_mib: MEMORY_MIB,
            raft: RaftProfile::Demo,
            set: Vec::new(),
            now: SystemClock::new().now(),
        };
        let mut processes = Cloud::prepare(&spec).map_err(failed)?;
        let (national, signers) = National::prepare(dir, spec.cloud, cast)?;
        let mut set = national.vault_settings();
        set.extend(BUDGETS.map(|name| format!("budgets.{name}={{minute=10000000, day=10000000}}")));
        processes.add_vault(MEMORY_MIB, &set).map_err(failed)?;
        processes.add_gateway("demo", &[national.directory_setting()]).map_err(failed)?;
        let operator = Caller::load(&processes.issue(Role::Operator, "demo").map_err(failed)?)?;
        let name = hex(&rand::random::<[u8; 16]>());
        let institution = processes.issue(Role::Institution, &name).map_err(failed)?;
        let mut cloud = Self { processes, national, operator, institution };
        cloud.run_all()?;
        cloud.found().await?;
        let enrolled = Enrolled { cloud: spec.cloud, institution: InstitutionId::from_bytes(rand::random()) };
        cloud.publish(enrolled, &name, &signers).await?;
        Ok((cloud, signers, enrolled))
    }

    /// The directory of this cell, the hospital and the insurers.
    async fn publish(&self, enrolled: Enrolled, name: &str, signers: &Signers) -> Result<(), Failure> {
        let failed = |source| Failure::Launch { source };
        let Enrolled { cloud, institution: id } = enrolled;
        let key_hash = certificate_key(&self.institution.certificate).map_err(failed)?;
        let cell = self.processes.gateway_cell(CellId::from_bytes(rand::random())).map_err(failed)?;
        let vault = self.processes.vault_address().ok_or(CloudError::NoVault).map_err(failed)?;
        let vault: Address = vault.to_string().parse().expect("a socket's address is an address");
        let hospital = Hospital { id, name, key_hash };
        self.national.publish((cloud, cell), (&hospital, signers), (&self.operator, &vault)).await
    }

    /// Where the registrar serves.
    pub(super) fn registrar(&self) -> Address {
        self.national.address()
    }

    /// Starts every process, of which none runs.
    pub(super) fn run_all(&mut self) -> Result<(), Failure> {
        self.national.start()?;
        let Self { processes, .. } = self;
        let started = processes.start_vault().and_then(|()| processes.start_all());
        started.and_then(|()| processes.start_gateway()).map_err(|source| Failure::Launch { source })
    }

    /// Ends every process in order. They wait for connections to close, so ours must be served meanwhile.
    pub(super) async fn stop(mut self) -> Result<Self, Failure> {
        let stopping = tokio::task::spawn_blocking(move || {
            let stopped = self.processes.stop_all().map_err(|source| Failure::Launch { source });
            let stopped = stopped.and_then(|()| self.national.stop());
            (self, stopped)
        });
        let (cloud, stopped) = stopping.await.expect("stopping does not panic, and nobody aborts it");
        stopped.map(|()| cloud)
    }

    async fn found(&self) -> Result<(), Failure> {
        let nodes: Vec<NumberedNode> = self
            .processes
            .addresses()
            .into_iter()
            .map(|(node, address)| {
                let text = format!("{node}={address}");
                text.parse().expect("a node's number and its socket's address are written so")
            })
            .collect();
        let request =
            BootstrapRequest { nodes: nodes.iter().map(NodeAt::from).collect(), groups: GROUPS, replicas: NODES };
        found(&self.operator, &nodes, &request, FOUNDING).await.map(|_| ())
    }

    /// Where the gateway serves.
    pub(super) fn gateway(&self) -> Address {
        let address = self.processes.gateway_address().expect("the cloud was started with a gateway");
        address.to_string().parse().expect("a socket's address is an address")
    }

    /// Certificate, key and authority of the institution.
    pub(super) fn institution(&self) -> &TlsFiles {
        &self.institution
    }

    /// Certificate, key and authority of the operator.
    pub(super) fn operator(&self) -> Result<TlsFiles, Failure> {
        self.processes.issue(Role::Operator, "demo").map_err(|source| Failure::Launch { source })
    }

    /// Where the nodes serve.
    pub(super) fn nodes(&self) -> Vec<Address> {
        let addresses = self.processes.addresses().into_values();
        addresses.map(|at| at.to_string().parse().expect("a socket's address is an address")).collect()
    }

    /// The node that leads most shard groups, and how many; `None` where nobody leads one.
    pub(super) async fn busiest_leader(&self) -> Option<(NodeId, usize)> {
        let mut led = BTreeMap::new();
        for status in self.statuses().await {
            let groups = status.replicas.iter().filter(|replica| replica.leads && replica.group != GroupId::META);
            led.insert(status.node, groups.count());
        }
        led.into_iter().max_by_key(|&(_, groups)| groups).filter(|&(_, groups)| groups > 0)
    }

    /// SIGKILL.
    pub(super) fn kill(&mut self, node: NodeId) -> Result<(), Failure> {
        let killed = self
            .processes
            .node(node)
            .and_then(|process| process.kill().map_err(|source| CloudError::Node { node, source }));
        killed.map(|_| ()).map_err(|source| Failure::Launch { source })
    }

    /// Starts a node that was killed, without waiting for it.
    pub(super) fn restart(&mut self, node: NodeId) -> Result<(), Failure> {
        self.processes.start(node).map_err(|source| Failure::Launch { source })
    }

    /// For each group, how far any node knows it to be committed.
    pub(super) async fn committed(&self) -> BTreeMap<GroupId, u64> {
        let mut committed = BTreeMap::new();
        for replica in self.statuses().await.into_iter().flat_map(|status| status.replicas) {
            let known: &mut u64 = committed.entry(replica.group).or_default();
            *known = replica.committed.max(*known);
        }
        committed
    }

    /// Whether a node has applied each group at least that far.
    pub(super) async fn has_applied(&self, node: NodeId, least: &BTreeMap<GroupId, u64>) -> bool {
        let statuses = self.statuses().await;
        let Some(status) = statuses.iter().find(|status| status.node == node) else { return false };
        least.iter().all(|(group, index)| {
            status.replicas.iter().any(|replica| replica.group == *group && replica.applied >= *index)
        })
    }

    /// Of the nodes that answer.
    async fn statuses(&self) -> Vec<StatusReply> {
        let mut statuses = Vec::new();
        for address in self.nodes() {
            let mut client = NodeAdminServiceClient::new(self.operator.channel(&address, Role::Node));
            let asked = tokio::time::timeout(STATUS, answer(&address, client.status(StatusRequest {})));
            if let Ok(Ok(status)) = asked.await {
                statuses.push(status);
            }
        }
        statuses
    }
}

/// Where the demo keeps its files: in the directory that it was given, or in one that goes with it.
#[derive(Debug)]
pub(super) enum Home {
    Kept(PathBuf),
    Gone(tempfile::TempDir),
}

impl Home {
    /// A directory that is not there yet, or empty; without one, a temporary one.
    pub(super) fn at(dir: Option<PathBuf>) -> Result<Self, Failure> {
        let Some(dir) = dir else {
            let made = tempfile::Builder::new().prefix("renkei-demo-").tempdir();
            return made.map(Self::Gone).map_err(|source| Failure::Write { path: std::env::temp_dir(), source });
        };
        let failed = |source| Failure::Write { path: dir.clone(), source };
        std::fs::create_dir_all(&dir).map_err(failed)?;
        if std::fs::read_dir(&dir).map_err(failed)?.next().is_some() {
            return Err(Failure::NotEmpty { dir });
        }
        dir.canonicalize().map(Self::Kept).map_err(|source| Failure::Write { path: dir, source })
    }

    pub(super) fn path(&self) -> &Path {
        match self {
            Self::Kept(dir) => dir,
            Self::Gone(dir) => dir.path(),
        }
    }
}

impl fmt::Display for Home {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kept(dir) => write!(f, "{}", dir.display()),
            Self::Gone(_) => f.write_str("a folder that goes with the demo"),
        }
    }
}
