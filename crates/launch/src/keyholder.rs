//! A key holder: its secrets, certificate, configuration and process. The one place that knows the names.

use std::fs::File;
use std::io::{self, Read as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use renkei_ids::{CloudId, UnixMillis};
use renkei_runtime::{Role, TlsFiles};
use toml::{Table, Value};

use crate::cloud::READY_TIMEOUT;
use crate::node::{section, text};
use crate::{
    Authority, BinaryError, CertError, LaunchError, Leaf, PortError, Process, ProcessSpec, ReservedPort, beside,
    private,
};

/// Key holders and registrars belong to no cloud.
pub(crate) const NO_CLOUD: CloudId = CloudId::from_bytes([0; 16]);
/// What a host has of its own is drawn by its system.
const RANDOM: &str = "/dev/urandom";

/// What one key holder is told.
#[derive(Clone, Debug)]
pub struct KeyholderSpec {
    /// Its number, from 1.
    pub id: u32,
    /// Where it serves registrars and vaults.
    pub listen: SocketAddr,
    /// Its admin port.
    pub admin: SocketAddr,
    /// Its certificate, key and authority.
    pub tls: TlsFiles,
    /// Its data directory.
    pub data: PathBuf,
    /// Directory of its key files.
    pub keys: PathBuf,
    /// What they are sealed to.
    pub host_secret: PathBuf,
    /// The clouds that it has a part in, each with default budgets, for any vault of the cloud.
    pub clouds: Vec<CloudId>,
}

/// Why there is no key holder.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each message says what its fields are")]
pub enum KeyholderLaunchError {
    #[error("finding the key holder's binary")]
    Binary(#[from] BinaryError),
    #[error("running `renkei-keyholder setup`")]
    Run {
        #[source]
        source: io::Error,
    },
    #[error("`renkei-keyholder setup` failed: {said}")]
    Setup { said: String },
    #[error("writing {}", path.display())]
    Write {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("reserving ports")]
    Ports(#[from] PortError),
    #[error("making a certificate")]
    Certificate(#[from] CertError),
    #[error("starting a key holder")]
    Process(#[from] LaunchError),
}

/// The configuration of a key holder as TOML.
pub fn keyholder_config(spec: &KeyholderSpec) -> Table {
    let KeyholderSpec { id, listen, admin, tls, data, keys, host_secret, clouds } = spec;
    let clouds = clouds.iter().map(|cloud| (cloud.to_string(), Value::Table(Table::new()))).collect::<Table>();
    let sections = [
        ("keyholder", section([("id", Value::Integer((*id).into()))])),
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
        (
            "keys",
            section([
                ("dir", text(keys.display())),
                ("epochs", Value::Array(vec![Value::Integer(1)])),
                ("host_secret_file", text(host_secret.display())),
            ]),
        ),
        ("clouds", clouds),
    ];
    sections.into_iter().map(|(name, table)| (name.to_owned(), Value::Table(table))).collect()
}

/// A key holder on this machine, with everything that it has below one directory. Dropping it ends it.
#[derive(Debug)]
pub struct Keyholder {
    spec: ProcessSpec,
    listen: ReservedPort,
    /// Held for as long as the key holder, so that it finds the port free when it starts again.
    _admin: ReservedPort,
    process: Option<Process>,
}

impl Keyholder {
    /// Makes its host secret, its first factor secret, certificate and configuration below `dir`; starts nothing. `set` is
    /// more configuration.
    ///
    /// # Errors
    /// [`KeyholderLaunchError`].
    pub fn prepare(
        authority: &Authority,
        dir: &Path,
        (id, clouds): (u32, &[CloudId]),
        set: &[String],
        now: UnixMillis,
    ) -> Result<Self, KeyholderLaunchError> {
        let (listen, admin) = (ReservedPort::take()?, ReservedPort::take()?);
        let name = format!("keyholder-{id}");
        let place = |what: &str| dir.join(format!("{name}-{what}"));
        let (keys, host_secret, config) = (place("keys"), place("host-secret"), place("config.toml"));
        let write = |path: &Path, bytes: &[u8]| {
            private::file(path, bytes).map_err(|source| KeyholderLaunchError::Write { path: path.to_owned(), source })
        };
        private::dir(dir).map_err(|source| KeyholderLaunchError::Write { path: dir.to_owned(), source })?;
        write(&host_secret, &drawn().map_err(|source| KeyholderLaunchError::Run { source })?)?;
        make_keys(&keys, 1, &host_secret)?;
        let spec = KeyholderSpec {
            id,
            listen: listen.address(),
            admin: admin.address(),
            tls: authority.issue(&Leaf::local(NO_CLOUD, Role::Keyholder, id.to_string(), now))?,
            data: place("data"),
            keys,
            host_secret,
            clouds: clouds.to_vec(),
        };
        write(&config, keyholder_config(&spec).to_string().as_bytes())?;
        let mut args = vec!["--config".into(), config.into_os_string()];
        args.extend(set.iter().flat_map(|assignment| ["--set".into(), assignment.into()]));
        let spec =
            ProcessSpec { binary: "renkei-keyholder", name, args, admin: admin.address(), logs: dir.join("logs") };
        Ok(Self { spec, listen, _admin: admin, process: None })
    }

    /// Starts it, and waits until it is ready.
    ///
    /// # Errors
    /// When it does not get ready in time, or ends.
    pub fn start(&mut self) -> Result<(), KeyholderLaunchError> {
        let mut process = Process::start(&self.spec)?;
        process.wait_ready(READY_TIMEOUT)?;
        self.process = Some(process);
        Ok(())
    }

    /// The process, once it was started.
    pub fn process(&mut self) -> Option<&mut Process> {
        self.process.as_mut()
    }

    /// Where it serves.
    pub fn address(&self) -> SocketAddr {
        self.listen.address()
    }

    /// What it has logged.
    pub fn log(&self) -> PathBuf {
        self.spec.logs.join(format!("{}.err", self.spec.name))
    }
}

/// Has the key holder's binary make the factor secret of an epoch, sealed to the host secret.
///
/// # Errors
/// When there is one already, which stays, or the host secret is none.
pub fn make_keys(dir: &Path, epoch: u32, host_secret: &Path) -> Result<(), KeyholderLaunchError> {
    let done = Command::new(beside("renkei-keyholder")?)
        .arg("setup")
        .arg("--dir")
        .arg(dir)
        .args(["--epoch", &epoch.to_string()])
        .arg("--host-secret")
        .arg(host_secret)
        .stdin(Stdio::null())
        .output()
        .map_err(|source| KeyholderLaunchError::Run { source })?;
    let said = || String::from_utf8_lossy(&done.stderr).trim().to_owned();
    if done.status.success() { Ok(()) } else { Err(KeyholderLaunchError::Setup { said: said() }) }
}

/// 32 bytes of the system's randomness.
pub(crate) fn drawn() -> io::Result<[u8; 32]> {
    let mut bytes = [0; 32];
    File::open(RANDOM)?.read_exact(&mut bytes)?;
    Ok(bytes)
}
