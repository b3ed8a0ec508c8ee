//! The configuration of a node, as its binary reads it. The one place that knows the keys.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;

use renkei_ids::{CloudId, NodeId};
use renkei_runtime::TlsFiles;
use toml::{Table, Value};

/// Raft timings: heartbeat and election.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RaftProfile {
    /// Hosts on one network: 100 ms, 350 to 550 ms.
    Lan,
    /// Several nodes on one small machine: 200 ms, 600 to 1000 ms.
    Demo,
}

/// What one node is told.
#[derive(Clone, Debug)]
pub struct NodeSpec {
    /// Its number.
    pub id: NodeId,
    /// Its cloud.
    pub cloud: CloudId,
    /// Where it serves peers and gateways.
    pub listen: SocketAddr,
    /// Its admin port.
    pub admin: SocketAddr,
    /// Its certificate, key and authority.
    pub tls: TlsFiles,
    /// Its data directory.
    pub data: PathBuf,
    /// Its memory budget, in MiB.
    pub memory_mib: u32,
    /// Raft timings.
    pub raft: RaftProfile,
    /// Every node of the cloud, itself included.
    pub peers: BTreeMap<NodeId, SocketAddr>,
}

/// The configuration of a node as TOML.
pub fn node_config(spec: &NodeSpec) -> Table {
    let NodeSpec { id, cloud, listen, admin, tls, data, memory_mib, raft, peers } = spec;
    let peers = peers.iter().map(|(id, address)| (id.to_string(), text(address))).collect::<Table>();
    let sections = [
        ("node", section([("id", Value::Integer(id.0.into())), ("cloud", text(cloud))])),
        ("listen", section([("address", text(listen))])),
        ("admin", section([("address", text(admin))])),
        (
            "tls",
            section([
                ("certificate", text(tls.certificate.display())),
                ("key", text(tls.key.display())),
                ("ca", text(tls.ca.display())),
            ]),
        ),
        ("data", section([("dir", text(data.display()))])),
        ("memory", section([("total_mib", Value::Integer((*memory_mib).into()))])),
        ("raft", section([("profile", text(profile(*raft)))])),
        ("peers", peers),
    ];
    sections.into_iter().map(|(name, table)| (name.to_owned(), Value::Table(table))).collect()
}

pub(crate) fn profile(raft: RaftProfile) -> &'static str {
    match raft {
        RaftProfile::Lan => "lan",
        RaftProfile::Demo => "demo",
    }
}

pub(crate) fn section<const N: usize>(keys: [(&str, Value); N]) -> Table {
    keys.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}

pub(crate) fn text(value: impl ToString) -> Value {
    Value::String(value.to_string())
}
