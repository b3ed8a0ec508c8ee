//! The configuration of a gateway, as its binary reads it. The one place that knows the keys.

use std::net::SocketAddr;

use renkei_ids::CloudId;
use renkei_runtime::TlsFiles;
use toml::{Table, Value};

use crate::node::{section, text};

/// What one gateway is told.
#[derive(Clone, Debug)]
pub struct GatewaySpec {
    /// The name in its certificate.
    pub name: String,
    /// Its cloud.
    pub cloud: CloudId,
    /// Where it serves institutions.
    pub listen: SocketAddr,
    /// Its admin port.
    pub admin: SocketAddr,
    /// Its certificate, key and authority.
    pub tls: TlsFiles,
    /// The vault's replicas, in the order of their numbers.
    pub vaults: Vec<SocketAddr>,
    /// Nodes to start from.
    pub nodes: Vec<SocketAddr>,
}

/// The configuration of a gateway as TOML.
pub fn gateway_config(spec: &GatewaySpec) -> Table {
    let GatewaySpec { name, cloud, listen, admin, tls, vaults, nodes } = spec;
    let sections = [
        ("gateway", section([("name", text(name)), ("cloud", text(cloud))])),
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
        ("vault", section([("addresses", Value::Array(vaults.iter().map(text).collect()))])),
        ("nodes", section([("addresses", Value::Array(nodes.iter().map(text).collect()))])),
    ];
    sections.into_iter().map(|(name, table)| (name.to_owned(), Value::Table(table))).collect()
}
