//! One cloud on one machine.

mod vaults;

use std::collections::BTreeMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use renkei_ids::{CellId, CloudId, KeyHash, NodeId, UnixMillis};
use renkei_runtime::{PeerIdentity, Role, TlsFiles};

use crate::gateway::{CellKeyError, CellPaths, cell_key, make_cell_key};
use crate::{
    Authority, CellEntry, CertError, GatewaySpec, Host, LaunchError, Leaf, NodeSpec, PortError, Process, ProcessSpec,
    RaftProfile, ReservedPort, Usage, VaultCommandError, gateway_config, node_config, private,
};

/// Longest time for a started process to be ready: recovery of a few GiB included.
pub const READY_TIMEOUT: Duration = Duration::from_secs(60);
/// Longest time for a process to end after SIGTERM: its grace period and some.
pub const STOP_TIMEOUT: Duration = Duration::from_secs(20);
/// Most nodes of one cloud on one machine.
const MAX_NODES: u32 = 32;
/// Ports of a node with a host of its own.
const LISTEN_PORT: u16 = 7001;
const ADMIN_PORT: u16 = 7002;

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
    #[error("{nodes} nodes on {hosts} hosts")]
    Hosts { nodes: u32, hosts: usize },
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
    #[error("making the gateway's own key")]
    CellKey {
        #[source]
        source: CellKeyError,
    },
    #[error("reading the certificate {}", path.display())]
    Certificate {
        path: PathBuf,
        #[source]
        source: renkei_runtime::InvalidIdentity,
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
    /// The gateway's certificate, and its own key.
    cell: Option<(PathBuf, CellPaths)>,
}

/// A process of the cloud, started or not.
#[derive(Debug)]
struct Service {
    spec: ProcessSpec,
    listen: SocketAddr,
    /// Held for as long as the cloud, so that the process finds its ports free when it starts again. A process with a
    /// host of its own shares them with nobody.
    _ports: Vec<ReservedPort>,
    host: Option<Host>,
    process: Option<Process>,
}

/// Where a process of the cloud is to serve.
struct Site {
    listen: SocketAddr,
    admin: SocketAddr,
    ports: Vec<ReservedPort>,
    host: Option<Host>,
}

impl Site {
    /// On this machine.
    fn local() -> Result<Self, CloudError> {
        let take = || ReservedPort::take().map_err(|source| CloudError::Ports { source });
        let (listen, admin) = (take()?, take()?);
        Ok(Self { listen: listen.address(), admin: admin.address(), ports: vec![listen, admin], host: None })
    }

    /// On a host of its own.
    fn on(host: &Host) -> Self {
        let listen = SocketAddr::from((host.address(), LISTEN_PORT));
        let admin = SocketAddr::from((Ipv4Addr::LOCALHOST, ADMIN_PORT));
        Self { listen, admin, ports: Vec::new(), host: Some(host.clone()) }
    }

    fn service(self, spec: ProcessSpec) -> Service {
        Service { spec, listen: self.listen, _ports: self.ports, host: self.host, process: None }
    }
}

impl Cloud {
    /// Makes certificates and configurations and reserves ports; starts nothing.
    pub fn prepare(spec: &CloudSpec) -> Result<Self, CloudError> {
        check_size(spec)?;
        let sites = (1..=spec.nodes).map(|_| Site::local()).collect::<Result<_, _>>()?;
        Self::prepare_at(spec, sites)
    }

    /// As [`Cloud::prepare`], each node on a host of its own.
    pub fn prepare_on(spec: &CloudSpec, hosts: &[Host]) -> Result<Self, CloudError> {
        check_size(spec)?;
        if usize::try_from(spec.nodes) != Ok(hosts.len()) {
            return Err(CloudError::Hosts { nodes: spec.nodes, hosts: hosts.len() });
        }
        Self::prepare_at(spec, hosts.iter().map(Site::on).collect())
    }

    fn prepare_at(spec: &CloudSpec, sites: Vec<Site>) -> Result<Self, CloudError> {
        let authority = Authority::development(&spec.dir.join("certs"), spec.now)
            .map_err(|source| CloudError::Certificates { source })?;
        let sites: BTreeMap<_, _> = (1..).map(NodeId).zip(sites).collect();
        let peers: BTreeMap<_, _> = sites.iter().map(|(id, site)| (*id, site.listen)).collect();
        let mut nodes = BTreeMap::new();
        for (id, site) in sites {
            let process = node_process(spec, &authority, &peers, id, site.admin)?;
            nodes.insert(id, site.service(process));
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
            cell: None,
        })
    }

    /// Makes a gateway of this name beside nodes and vault: its certificate and its configuration. `set` is more
    /// configuration, as in [`CloudSpec`]. The vault must have been added.
    pub fn add_gateway(&mut self, name: &str, set: &[String]) -> Result<(), CloudError> {
        if self.vaults.is_empty() {
            return Err(CloudError::NoVault);
        }
        let site = Site::local()?;
        let tls = self.issue(Role::Gateway, name)?;
        let label = format!("gateway-{name}");
        let place = |what: &str| self.dir.join(format!("{label}-{what}"));
        let cell = CellPaths { keys: place("cell"), host_secret: place("host-secret") };
        make_cell_key(&cell).map_err(|source| CloudError::CellKey { source })?;
        let certificate = tls.certificate.clone();
        let config = gateway_config(&GatewaySpec {
            name: name.to_owned(),
            cloud: self.cloud,
            listen: site.listen,
            admin: site.admin,
            tls,
            vaults: self.vault_addresses().into_values().collect(),
            nodes: self.addresses().into_values().collect(),
            cell: cell.clone(),
        });
        let home = self.dir.join(&label);
        let spec = process(&self.dir, "renkei-gateway", &label, &home, &config, set, site.admin)?;
        self.gateway = Some(site.service(spec));
        self.cell = Some((certificate, cell));
        Ok(())
    }

    /// The gateway's cell, as a directory names it under this id.
    pub fn gateway_cell(&self, id: CellId) -> Result<CellEntry, CloudError> {
        let (certificate, cell) = self.cell.as_ref().ok_or(CloudError::NoGateway)?;
        let key = cell_key(cell).map_err(|source| CloudError::CellKey { source })?;
        Ok(CellEntry { id, gateways: vec![certificate_key(certificate)?], key })
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
        self.gateway.as_ref().map(|gateway| gateway.listen)
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
        self.nodes.iter().map(|(id, node)| (*id, node.listen)).collect()
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
            let started = match &self.host {
                Some(host) => Process::start_on(&self.spec, host),
                None => Process::start(&self.spec),
            };
            self.process = Some(started?);
        }
        Ok(())
    }
}

/// The hash of a certificate's public key, as directories name its owner by.
pub fn certificate_key(path: &Path) -> Result<KeyHash, CloudError> {
    let text = std::fs::read(path).map_err(|source| CloudError::Write { path: path.to_owned(), source })?;
    let identity = PeerIdentity::from_pem(&text);
    identity.map(|it| it.key_hash).map_err(|source| CloudError::Certificate { path: path.to_owned(), source })
}

fn check_size(spec: &CloudSpec) -> Result<(), CloudError> {
    let nodes = spec.nodes;
    if (1..=MAX_NODES).contains(&nodes) { Ok(()) } else { Err(CloudError::Size { nodes }) }
}

fn node_process(
    spec: &CloudSpec,
    authority: &Authority,
    peers: &BTreeMap<NodeId, SocketAddr>,
    id: NodeId,
    admin: SocketAddr,
) -> Result<ProcessSpec, CloudError> {
    let CloudSpec { cloud, nodes: _, dir, memory_mib, raft, set, now } = spec;
    // A certificate names this machine anyway.
    let address = Some(peers[&id].ip()).filter(|address| !address.is_loopback());
    let hosts = address.iter().map(ToString::to_string).collect();
    let tls = authority
        .issue(&Leaf { hosts, ..Leaf::local(*cloud, Role::Node, id.to_string(), *now) })
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
