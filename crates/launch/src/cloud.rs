//! One cloud on one machine.

mod vaults;

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use renkei_ids::{CloudId, NodeId, UnixMillis};
use renkei_runtime::{Role, TlsFiles};

use crate::{
    Authority, CertError, GatewaySpec, LaunchError, Leaf, NodeSpec, PortError, Process, ProcessSpec, RaftProfile,
    ReservedPort, Usage, VaultCommandError, gateway_config, node_config, private,
};

/// Longest time for a started process to be ready: recovery of a few GiB included.
pub const READY_TIMEOUT: Duration = Duration::from_secs(60);
/// Longest time for a process to end after SIGTERM: its grace period and some.
pub const STOP_TIMEOUT: Duration = Duration::from_secs(20);
/// Most nodes of one cloud on one machine.
const MAX_NODES: u32 = 32;

/// What cloud to make.
#[derive(Clone, Debug)]
pub struct CloudSpec {
    /// Its id.
    pub cloud: CloudId,
    /// Number of nodes, 1 to 32; they are numbered from 1.
    pub nodes: u32,
    /// Directory of everything: `certs/`, `config/`, `logs/`, `node-<id>/`.
    pub dir: PathBuf,
    /// Memory budget of each node, in MiB.
    pub memory_mib: u32,
    /// Raft timings.
    pub raft: RaftProfile,
    /// More configuration for every node: `--set` assignments, `section.key=value`.
    pub set: Vec<String>,
    /// The present moment, for the certificates.
    pub now: UnixMillis,
}

/// Why a cloud was not made, or a node of it did not do what was asked.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each message says what its fields are")]
pub enum CloudError {
    #[error("a cloud on one machine has 1 to {MAX_NODES} nodes, not {nodes}")]
    Size { nodes: u32 },
    #[error("making certificates")]
    Certificates {
        #[source]
        source: CertError,
    },
    #[error("reserving ports")]
    Ports {
        #[source]
        source: PortError,
    },
    #[error("writing {}", path.display())]
    Write {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("this cloud has no node {node}")]
    NoSuchNode { node: NodeId },
    #[error("node {node} is not running")]
    NotRunning { node: NodeId },
    #[error("running node {node}")]
    Node {
        node: NodeId,
        #[source]
        source: LaunchError,
    },
    #[error("a vault has 1 or 3 replicas, not {replicas}")]
    VaultSize { replicas: u32 },
    #[error("having the vault's binary do something")]
    VaultCommand {
        #[source]
        source: VaultCommandError,
    },
    #[error("this cloud has no such vault")]
    NoVault,
    #[error("the vault is not running")]
    VaultNotRunning,
    #[error("this cloud has no gateway")]
    NoGateway,
    #[error("the gateway is not running")]
    GatewayNotRunning,
    #[error("running the gateway")]
    Gateway {
        #[source]
        source: LaunchError,
    },
    #[error("running the vault")]
    Vault {
        #[source]
        source: LaunchError,
    },
}

/// A cloud: its authority and its nodes. Dropping it kills what runs; the files stay.
#[derive(Debug)]
pub struct Cloud {
    cloud: CloudId,
    now: UnixMillis,
    dir: PathBuf,
    authority: Authority,
    nodes: BTreeMap<NodeId, Service>,
    raft: RaftProfile,
    /// By number.
    vaults: BTreeMap<u32, Service>,
    vault_begun: bool,
    gateway: Option<Service>,
}

/// A process of the cloud, started or not.
#[derive(Debug)]
struct Service {
    spec: ProcessSpec,
    listen: ReservedPort,
    /// Held for as long as the cloud, so that the process finds it free when it starts again.
    _admin: ReservedPort,
    process: Option<Process>,
}

impl Cloud {
    /// Makes certificates and configurations and reserves ports; starts nothing.
    pub fn prepare(spec: &CloudSpec) -> Result<Self, CloudError> {
        if !(1..=MAX_NODES).contains(&spec.nodes) {
            return Err(CloudError::Size { nodes: spec.nodes });
        }
        let authority = Authority::development(&spec.dir.join("certs"), spec.now)
            .map_err(|source| CloudError::Certificates { source })?;
        let ports = (1..=spec.nodes)
            .map(|id| Ok((NodeId(id), (ReservedPort::take()?, ReservedPort::take()?))))
            .collect::<Result<BTreeMap<_, _>, PortError>>()
            .map_err(|source| CloudError::Ports { source })?;
        let peers: BTreeMap<_, _> = ports.iter().map(|(id, (listen, _))| (*id, listen.address())).collect();
        let mut nodes = BTreeMap::new();
        for (id, (listen, admin)) in ports {
            let process = node_process(spec, &authority, &peers, id, admin.address())?;
            nodes.insert(id, Service { spec: process, listen, _admin: admin, process: None });
        }
        Ok(Self {
            cloud: spec.cloud,
            now: spec.now,
            dir: spec.dir.clone(),
            authority,
            nodes,
            raft: spec.raft,
            vaults: BTreeMap::new(),
            vault_begun: false,
            gateway: None,
        })
    }

    /// Makes a gateway of this name beside nodes and vault: its certificate and its configuration. `set` is more
    /// configuration, as in [`CloudSpec`]. The vault must have been added.
    pub fn add_gateway(&mut self, name: &str, set: &[String]) -> Result<(), CloudError> {
        if self.vaults.is_empty() {
            return Err(CloudError::NoVault);
        }
        let ports = (|| Ok((ReservedPort::take()?, ReservedPort::take()?)))();
        let (listen, admin) = ports.map_err(|source| CloudError::Ports { source })?;
        let tls = self.issue(Role::Gateway, name)?;
        let config = gateway_config(&GatewaySpec {
            name: name.to_owned(),
            cloud: self.cloud,
            listen: listen.address(),
            admin: admin.address(),
            tls,
            vaults: self.vault_addresses().into_values().collect(),
            nodes: self.addresses().into_values().collect(),
        });
        let label = format!("gateway-{name}");
        let home = self.dir.join(&label);
        let spec = process(&self.dir, "renkei-gateway", &label, &home, &config, set, admin.address())?;
        self.gateway = Some(Service { spec, listen, _admin: admin, process: None });
        Ok(())
    }

    /// Starts the gateway if it is not running, and waits until it is ready, [`READY_TIMEOUT`] at most.
    pub fn start_gateway(&mut self) -> Result<(), CloudError> {
        let failed = |source| CloudError::Gateway { source };
        self.gateway.as_mut().ok_or(CloudError::NoGateway)?.start().map_err(failed)?;
        self.gateway()?.wait_ready(READY_TIMEOUT).map_err(failed)
    }

    /// The process of a gateway that has been started.
    pub fn gateway(&mut self) -> Result<&mut Process, CloudError> {
        self.gateway.as_mut().ok_or(CloudError::NoGateway)?.process.as_mut().ok_or(CloudError::GatewayNotRunning)
    }

    /// Where the gateway serves; `None` where there is none.
    pub fn gateway_address(&self) -> Option<SocketAddr> {
        self.gateway.as_ref().map(|gateway| gateway.listen.address())
    }

    /// Starts every node that is not running and waits until all are ready, [`READY_TIMEOUT`] each.
    pub fn start_all(&mut self) -> Result<(), CloudError> {
        let ids: Vec<_> = self.nodes.keys().copied().collect();
        for &id in &ids {
            self.start(id)?;
        }
        ids.into_iter().try_for_each(|id| self.wait_ready(id))
    }

    /// Starts a node, without waiting for it. One that runs is left alone.
    pub fn start(&mut self, id: NodeId) -> Result<(), CloudError> {
        let node = self.nodes.get_mut(&id).ok_or(CloudError::NoSuchNode { node: id })?;
        node.start().map_err(|source| CloudError::Node { node: id, source })
    }

    /// Waits until a started node is ready, [`READY_TIMEOUT`] at most.
    pub fn wait_ready(&mut self, id: NodeId) -> Result<(), CloudError> {
        self.node(id)?.wait_ready(READY_TIMEOUT).map_err(|source| CloudError::Node { node: id, source })
    }

    /// The process of a node that has been started.
    pub fn node(&mut self, id: NodeId) -> Result<&mut Process, CloudError> {
        let node = self.nodes.get_mut(&id).ok_or(CloudError::NoSuchNode { node: id })?;
        node.process.as_mut().ok_or(CloudError::NotRunning { node: id })
    }

    /// Stops the gateway, then every running node, all at once, and then the vaults, and waits: [`STOP_TIMEOUT`] each.
    pub fn stop_all(&mut self) -> Result<(), CloudError> {
        if let Some(mut gateway) = self.gateway.as_mut().and_then(|gateway| gateway.process.take()) {
            gateway.stop(STOP_TIMEOUT).map_err(|source| CloudError::Gateway { source })?;
        }
        let mut running: Vec<_> =
            self.nodes.iter_mut().filter_map(|(id, node)| node.process.take().map(|process| (*id, process))).collect();
        for (id, process) in &mut running {
            process.terminate().map_err(|source| CloudError::Node { node: *id, source })?;
        }
        for (id, mut process) in running {
            process.stop(STOP_TIMEOUT).map_err(|source| CloudError::Node { node: id, source })?;
        }
        self.stop_vaults()
    }

    /// What the nodes that run have used, by node.
    pub fn usage(&self) -> Result<BTreeMap<NodeId, Usage>, CloudError> {
        self.nodes
            .iter()
            .filter_map(|(id, node)| node.process.as_ref().map(|process| (*id, process)))
            .map(|(id, process)| {
                process.usage().map(|usage| (id, usage)).map_err(|source| CloudError::Node { node: id, source })
            })
            .collect()
    }

    /// Where each node serves.
    pub fn addresses(&self) -> BTreeMap<NodeId, SocketAddr> {
        self.nodes.iter().map(|(id, node)| (*id, node.listen.address())).collect()
    }

    /// A certificate of this cloud for a client or another service on this machine.
    pub fn issue(&self, role: Role, name: &str) -> Result<TlsFiles, CloudError> {
        self.authority
            .issue(&Leaf::local(self.cloud, role, name, self.now))
            .map_err(|source| CloudError::Certificates { source })
    }

    /// The cloud's id.
    pub fn id(&self) -> CloudId {
        self.cloud
    }
}

impl Service {
    /// Starts the process, without waiting for it. One that runs is left alone.
    fn start(&mut self) -> Result<(), LaunchError> {
        let runs = match &mut self.process {
            Some(process) => process.ended()?.is_none(),
            None => false,
        };
        if !runs {
            self.process = Some(Process::start(&self.spec)?);
        }
        Ok(())
    }
}

fn node_process(
    spec: &CloudSpec,
    authority: &Authority,
    peers: &BTreeMap<NodeId, SocketAddr>,
    id: NodeId,
    admin: SocketAddr,
) -> Result<ProcessSpec, CloudError> {
    let CloudSpec { cloud, nodes: _, dir, memory_mib, raft, set, now } = spec;
    let tls = authority
        .issue(&Leaf::local(*cloud, Role::Node, id.to_string(), *now))
        .map_err(|source| CloudError::Certificates { source })?;
    let name = format!("node-{id}");
    let data = dir.join(&name);
    let config = node_config(&NodeSpec {
        id,
        cloud: *cloud,
        listen: peers[&id],
        admin,
        tls,
        data: data.clone(),
        memory_mib: *memory_mib,
        raft: *raft,
        peers: peers.clone(),
    });
    process(dir, "renkei-node", &name, &data, &config, set, admin)
}

/// Writes the configuration of a process and makes its data directory.
fn process(
    dir: &Path,
    binary: &'static str,
    name: &str,
    data: &Path,
    config: &toml::Table,
    set: &[String],
    admin: SocketAddr,
) -> Result<ProcessSpec, CloudError> {
    let configs = dir.join("config");
    let path = configs.join(format!("{name}.toml"));
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| CloudError::Write { path, source }
    };
    private::dir(data).map_err(failed(data))?;
    private::dir(&configs).map_err(failed(&configs))?;
    private::file(&path, config.to_string().as_bytes()).map_err(failed(&path))?;
    let mut args = vec!["--config".into(), path.into_os_string()];
    for assignment in set {
        args.extend(["--set".into(), assignment.into()]);
    }
    Ok(ProcessSpec { binary, name: name.to_owned(), args, admin, logs: dir.join("logs") })
}
