//! The keys and the configuration of a vault, as its binary makes and reads them. The one place that knows the names.

use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use renkei_ids::CloudId;
use renkei_runtime::TlsFiles;
use toml::{Table, Value};

use crate::node::{section, text};
use crate::{BinaryError, beside};

/// What one vault is told.
#[derive(Clone, Debug)]
pub struct VaultSpec {
    /// Its number, from 1.
    pub id: u32,
    /// Its cloud.
    pub cloud: CloudId,
    /// Where it serves gateways.
    pub listen: SocketAddr,
    /// Its admin port.
    pub admin: SocketAddr,
    /// Its certificate, key and authority.
    pub tls: TlsFiles,
    /// Its data directory.
    pub data: PathBuf,
    /// Its memory budget, in MiB.
    pub memory_mib: u32,
    /// Directory of its key files.
    pub keys: PathBuf,
}

/// Why a vault has no keys.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each message says what its fields are")]
pub enum VaultKeysError {
    #[error("finding the vault's binary")]
    Binary(#[from] BinaryError),
    #[error("running `renkei-vault setup`")]
    Run(#[source] io::Error),
    #[error("`renkei-vault setup` failed: {said}; only a build with the feature `dev-insecure` makes unsealed keys")]
    Setup { said: String },
    #[error("reading {}", path.display())]
    Public {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
}

/// The configuration of a vault as TOML.
pub fn vault_config(spec: &VaultSpec) -> Table {
    let VaultSpec { id, cloud, listen, admin, tls, data, memory_mib, keys } = spec;
    let sections = [
        ("vault", section([("id", Value::Integer((*id).into())), ("cloud", text(cloud))])),
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
        (
            "keys",
            section([
                ("epoch_file", text(keys.join("epoch.key").display())),
                ("signing_file", text(keys.join("signing.key").display())),
            ]),
        ),
    ];
    sections.into_iter().map(|(name, table)| (name.to_owned(), Value::Table(table))).collect()
}

/// Has the vault's binary make its key files, unless they are there; gives the public key for the nodes, in
/// hexadecimal.
pub(crate) fn make_keys(dir: &Path) -> Result<String, VaultKeysError> {
    let path = dir.join("signing.pub");
    if !path.exists() {
        let setup = Command::new(beside("renkei-vault")?)
            .args(["setup", "--dir"])
            .arg(dir)
            .stdin(Stdio::null())
            .output()
            .map_err(VaultKeysError::Run)?;
        if !setup.status.success() {
            let said = String::from_utf8_lossy(&setup.stderr).trim().to_owned();
            return Err(VaultKeysError::Setup { said });
        }
    }
    let public = fs::read_to_string(&path).map_err(|source| VaultKeysError::Public { path, source })?;
    Ok(public.trim().to_owned())
}
