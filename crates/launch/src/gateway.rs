//! The configuration of a gateway, as its binary reads it. The one place that knows the keys.

use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use renkei_access::VerifyingKey;
use renkei_envelope::CellKey;
use renkei_ids::CloudId;
use renkei_runtime::TlsFiles;
use toml::{Table, Value};

use crate::keyholder::drawn;
use crate::node::{section, text};
use crate::{BinaryError, beside, private};

const PUBLIC: &str = "cell.pub";

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
    /// Its cell's key, and what that is sealed to.
    pub cell: CellPaths,
}

/// Where a gateway's own key lies.
#[derive(Clone, Debug)]
pub struct CellPaths {
    /// Directory of `cell.key` and `cell.pub`.
    pub keys: PathBuf,
    /// What the key is sealed to.
    pub host_secret: PathBuf,
}

/// Why a gateway has no key of its own.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each message says what its fields are")]
pub enum CellKeyError {
    #[error("finding the gateway's binary")]
    Binary(#[from] BinaryError),
    #[error("running `renkei-gateway setup`")]
    Run {
        #[source]
        source: io::Error,
    },
    #[error("`renkei-gateway setup` failed: {said}")]
    Setup { said: String },
    #[error("reading or writing {}", path.display())]
    File {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("{} holds no key", path.display())]
    Unreadable { path: PathBuf },
}

/// Has the gateway's binary make its cell's key, with a host secret of its own, unless they are there.
pub(crate) fn make_cell_key(paths: &CellPaths) -> Result<(), CellKeyError> {
    let CellPaths { keys, host_secret } = paths;
    if keys.join(PUBLIC).exists() {
        return Ok(());
    }
    let secret = drawn().map_err(|source| CellKeyError::Run { source })?;
    let failed = |source| CellKeyError::File { path: host_secret.clone(), source };
    private::file(host_secret, &secret).map_err(failed)?;
    let done = Command::new(beside("renkei-gateway")?)
        .arg("setup")
        .arg("--dir")
        .arg(keys)
        .arg("--host-secret")
        .arg(host_secret)
        .stdin(Stdio::null())
        .output()
        .map_err(|source| CellKeyError::Run { source })?;
    let said = || String::from_utf8_lossy(&done.stderr).trim().to_owned();
    if done.status.success() { Ok(()) } else { Err(CellKeyError::Setup { said: said() }) }
}

/// What is sealed to a cell's key, as its file for the directory says.
pub(crate) fn cell_key(paths: &CellPaths) -> Result<CellKey, CellKeyError> {
    let path = paths.keys.join(PUBLIC);
    let text = fs::read_to_string(&path).map_err(|source| CellKeyError::File { path: path.clone(), source })?;
    let key = VerifyingKey::from_hex(text.trim()).ok_or(CellKeyError::Unreadable { path })?;
    Ok(CellKey::from_bytes(*key.as_bytes()))
}

/// The configuration of a gateway as TOML.
pub fn gateway_config(spec: &GatewaySpec) -> Table {
    let GatewaySpec { name, cloud, listen, admin, tls, vaults, nodes, cell } = spec;
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
        (
            "cell",
            section([
                ("key_file", text(cell.keys.join("cell.key").display())),
                ("host_secret_file", text(cell.host_secret.display())),
            ]),
        ),
        ("nodes", section([("addresses", Value::Array(nodes.iter().map(text).collect()))])),
    ];
    sections.into_iter().map(|(name, table)| (name.to_owned(), Value::Table(table))).collect()
}
