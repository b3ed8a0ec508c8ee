//! The keys and the configuration of a vault, as its binary makes and reads them. The one place that knows the names.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use renkei_ids::CloudId;
use renkei_runtime::TlsFiles;
use toml::{Table, Value};

use crate::node::{profile, section, text};
use crate::{BinaryError, RaftProfile, beside};

const PUBLIC_KEY_FILE: &str = "signing.pub";

/// What one vault is told.
#[derive(Clone, Debug)]
pub struct VaultSpec {
    /// Its number, from 1.
    pub id: u32,
    /// Its cloud.
    pub cloud: CloudId,
    /// Where it serves gateways and peers.
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
    /// Raft timings.
    pub raft: RaftProfile,
    /// Every vault of the group, itself included; none where it is alone.
    pub peers: BTreeMap<u32, SocketAddr>,
}

/// Why a command of the vault's binary did not do what it was asked.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each message says what its fields are")]
pub enum VaultCommandError {
    #[error("finding the vault's binary")]
    Binary(#[from] BinaryError),
    #[error("running `renkei-vault {command}`")]
    Run {
        command: &'static str,
        #[source]
        source: io::Error,
    },
    #[error("`renkei-vault setup` failed: {said}; only a build with the feature `dev-insecure` makes unsealed keys")]
    Setup { said: String },
    #[error("`renkei-vault found` failed: {said}")]
    Found { said: String },
    #[error("reading {}", path.display())]
    Public {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
}

/// The configuration of a vault as TOML.
pub fn vault_config(spec: &VaultSpec) -> Table {
    let VaultSpec { id, cloud, listen, admin, tls, data, memory_mib, keys, raft, peers } = spec;
    let peers = peers.iter().map(|(id, address)| (id.to_string(), text(address))).collect::<Table>();
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
        ("raft", section([("profile", text(profile(*raft)))])),
        ("peers", peers),
    ];
    sections.into_iter().map(|(name, table)| (name.to_owned(), Value::Table(table))).collect()
}

/// Has the vault's binary make its key files, unless they are there: new ones, or those of another vault of the group.
pub(crate) fn make_keys(dir: &Path, from: Option<&Path>) -> Result<(), VaultCommandError> {
    if dir.join(PUBLIC_KEY_FILE).exists() {
        return Ok(());
    }
    let mut args: Vec<OsString> = vec!["--dir".into(), dir.into()];
    args.extend(from.into_iter().flat_map(|from| ["--from".into(), from.into()]));
    run("setup", &args)?.map_err(|said| VaultCommandError::Setup { said })
}

/// The public key for the nodes, in hexadecimal.
pub(crate) fn public_key(dir: &Path) -> Result<String, VaultCommandError> {
    let path = dir.join(PUBLIC_KEY_FILE);
    let public = fs::read_to_string(&path).map_err(|source| VaultCommandError::Public { path, source })?;
    Ok(public.trim().to_owned())
}

/// Has the vault that these arguments configure begin, together with its peers.
pub(crate) fn found(args: &[OsString]) -> Result<(), VaultCommandError> {
    run("found", args)?.map_err(|said| VaultCommandError::Found { said })
}

/// Runs a command of the vault's binary to its end; where it fails, what it said.
fn run(command: &'static str, args: &[OsString]) -> Result<Result<(), String>, VaultCommandError> {
    let done = Command::new(beside("renkei-vault")?)
        .arg(command)
        .args(args)
        .stdin(Stdio::null())
        .output()
        .map_err(|source| VaultCommandError::Run { command, source })?;
    Ok(if done.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&done.stderr).trim().to_owned()) })
}
