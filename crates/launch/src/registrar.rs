//! A registrar of one process or three: its keys, certificates, configuration and processes. The one place that knows the
//! names.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use renkei_ids::{CloudId, UnixMillis};
use renkei_runtime::{Role, TlsFiles};
use toml::{Table, Value};

use crate::cloud::{READY_TIMEOUT, STOP_TIMEOUT};
use crate::keyholder::{NO_CLOUD, drawn};
use crate::node::{profile, section, text};
use crate::{
    Authority, BinaryError, CertError, LaunchError, Leaf, PortError, Process, ProcessSpec, RaftProfile, ReservedPort,
    beside, private,
};

/// What one replica is told.
#[derive(Clone, Debug)]
pub struct RegistrarSpec {
    /// Its number, from 1.
    pub id: u32,
    /// Where it serves.
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
    /// What all replicas are told.
    pub common: RegistrarsSpec,
    /// Every replica, itself included; none where it is alone.
    pub peers: BTreeMap<u32, SocketAddr>,
}

/// What all replicas of a registrar are told.
#[derive(Clone, Debug)]
pub struct RegistrarsSpec {
    /// 1 or 3.
    pub replicas: u32,
    /// Memory budget of each, in MiB.
    pub memory_mib: u32,
    /// Raft timings.
    pub raft: RaftProfile,
    /// Public keys of the officers who sign the directory, in hexadecimal.
    pub officers: Vec<String>,
    /// How many of them must.
    pub officers_needed: u32,
    /// Public keys of card authorities, in hexadecimal.
    pub card_authorities: Vec<String>,
    /// The development register of residents.
    pub register: Option<PathBuf>,
    /// Key holders by number, in the order in which points go through them.
    pub keyholders: BTreeMap<u32, SocketAddr>,
    /// The clouds that tickets are minted for, for any vault of each.
    pub clouds: Vec<CloudId>,
    /// More configuration, as `key=value`.
    pub set: Vec<String>,
}

/// Why there is no registrar.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each message says what its fields are")]
pub enum RegistrarLaunchError {
    #[error("finding the registrar's binary")]
    Binary(#[from] BinaryError),
    #[error("running `renkei-registrar {command}`")]
    Run {
        command: &'static str,
        #[source]
        source: io::Error,
    },
    #[error("`renkei-registrar {command}` failed: {said}")]
    Failed { command: &'static str, said: String },
    #[error("drawing a host secret")]
    Draw(#[source] io::Error),
    #[error("reading or writing {}", path.display())]
    File {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("reserving ports")]
    Ports(#[from] PortError),
    #[error("making a certificate")]
    Certificate(#[from] CertError),
    #[error("starting or stopping a registrar")]
    Process(#[from] LaunchError),
    #[error("a registrar has 1 or 3 replicas, not {0}")]
    Size(u32),
    #[error("registrar {0} does not run")]
    NotRunning(u32),
}

/// The configuration of one replica as TOML.
pub fn registrar_config(spec: &RegistrarSpec) -> Table {
    let RegistrarSpec { id, listen, admin, tls, data, keys, host_secret, common, peers } = spec;
    let RegistrarsSpec {
        replicas: _,
        memory_mib,
        raft,
        officers,
        officers_needed,
        card_authorities,
        register,
        keyholders,
        clouds,
        set: _,
    } = common;
    let addresses = |of: &BTreeMap<u32, SocketAddr>| -> Table {
        of.iter().map(|(id, address)| (id.to_string(), text(address))).collect()
    };
    let list = |of: &[String]| Value::Array(of.iter().map(text).collect());
    let register = register.iter().map(|path| ("development_file".to_owned(), text(path.display()))).collect();
    let clouds = clouds.iter().map(|cloud| (cloud.to_string(), Value::Table(Table::new()))).collect();
    let sections = [
        ("registrar", section([("id", Value::Integer((*id).into()))])),
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
        ("keys", section([("dir", text(keys.display())), ("host_secret_file", text(host_secret.display()))])),
        ("directory", section([("officers", list(officers)), ("needed", Value::Integer((*officers_needed).into()))])),
        ("cards", section([("authorities", list(card_authorities))])),
        ("register", register),
        ("keyholders", addresses(keyholders)),
        ("clouds", clouds),
        ("raft", section([("profile", text(profile(*raft)))])),
        ("peers", addresses(peers)),
    ];
    sections.into_iter().map(|(name, table)| (name.to_owned(), Value::Table(table))).collect()
}

/// A registrar on this machine, with everything that it has below one directory. Dropping it ends it.
#[derive(Debug)]
pub struct Registrars {
    replicas: BTreeMap<u32, Replica>,
    keys: PathBuf,
    begun: bool,
}

#[derive(Debug)]
struct Replica {
    spec: ProcessSpec,
    data: PathBuf,
    listen: ReservedPort,
    /// Held for as long as the replica, so that it finds the port free when it starts again.
    _admin: ReservedPort,
    process: Option<Process>,
}

impl Registrars {
    /// Makes host secrets, key files, certificates and configurations below `dir`; starts nothing.
    ///
    /// # Errors
    /// [`RegistrarLaunchError`].
    pub fn prepare(
        authority: &Authority,
        dir: &Path,
        spec: &RegistrarsSpec,
        now: UnixMillis,
    ) -> Result<Self, RegistrarLaunchError> {
        if !matches!(spec.replicas, 1 | 3) {
            return Err(RegistrarLaunchError::Size(spec.replicas));
        }
        let file = |path: &Path| {
            let path = path.to_owned();
            move |source| RegistrarLaunchError::File { path, source }
        };
        private::dir(dir).map_err(file(dir))?;
        let place = |id: u32, what: &str| dir.join(format!("registrar-{id}-{what}"));
        let ports = (1..=spec.replicas)
            .map(|id| Ok((id, (ReservedPort::take()?, ReservedPort::take()?))))
            .collect::<Result<BTreeMap<_, _>, PortError>>()?;
        let peers: BTreeMap<u32, SocketAddr> =
            ports.iter().filter(|_| spec.replicas > 1).map(|(id, (listen, _))| (*id, listen.address())).collect();
        let first = (place(1, "keys"), place(1, "host-secret"));
        let mut replicas = BTreeMap::new();
        for (id, (listen, admin)) in ports {
            let (keys, host_secret, config) = (place(id, "keys"), place(id, "host-secret"), place(id, "config.toml"));
            let secret = drawn().map_err(RegistrarLaunchError::Draw)?;
            private::file(&host_secret, &secret).map_err(file(&host_secret))?;
            make_keys(&keys, &host_secret, (id > 1).then_some((&first.0, &first.1)))?;
            let data = place(id, "data");
            private::dir(&data).map_err(file(&data))?;
            let told = RegistrarSpec {
                id,
                listen: listen.address(),
                admin: admin.address(),
                tls: authority.issue(&Leaf::local(NO_CLOUD, Role::Registrar, id.to_string(), now))?,
                data: data.clone(),
                keys,
                host_secret,
                common: spec.clone(),
                peers: peers.clone(),
            };
            private::file(&config, registrar_config(&told).to_string().as_bytes()).map_err(file(&config))?;
            let mut args = vec!["--config".into(), config.into_os_string()];
            args.extend(spec.set.iter().flat_map(|assignment| ["--set".into(), assignment.into()]));
            let name = format!("registrar-{id}");
            let (admin_at, logs) = (admin.address(), dir.join("logs"));
            let spec = ProcessSpec { binary: "renkei-registrar", name, args, admin: admin_at, logs };
            replicas.insert(id, Replica { spec, data, listen, _admin: admin, process: None });
        }
        Ok(Self { replicas, keys: first.0, begun: false })
    }

    /// The public key that its tickets are signed with, in hexadecimal: for the directory.
    ///
    /// # Errors
    /// When its file does not read.
    pub fn public_key(&self) -> Result<String, RegistrarLaunchError> {
        let path = self.keys.join("signing.pub");
        let public = std::fs::read_to_string(&path).map_err(|source| RegistrarLaunchError::File { path, source })?;
        Ok(public.trim().to_owned())
    }

    /// Starts every replica that is not running, and waits until all are ready; the first time it has them begin.
    ///
    /// # Errors
    /// When one does not get ready in time, or ends.
    pub fn start(&mut self) -> Result<(), RegistrarLaunchError> {
        for id in self.replicas.keys().copied().collect::<Vec<_>>() {
            self.start_replica(id)?;
        }
        for replica in self.replicas.values_mut() {
            if let Some(process) = &mut replica.process {
                process.wait_ready(READY_TIMEOUT)?;
            }
        }
        if !self.begun {
            let first = self.replicas.get(&1).ok_or(RegistrarLaunchError::NotRunning(1))?;
            run("found", &first.spec.args)?;
            self.begun = true;
        }
        Ok(())
    }

    /// Starts one replica, without waiting for it. One that runs is left alone.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start_replica(&mut self, id: u32) -> Result<(), RegistrarLaunchError> {
        let replica = self.replicas.get_mut(&id).ok_or(RegistrarLaunchError::NotRunning(id))?;
        let runs = match &mut replica.process {
            Some(process) => process.ended()?.is_none(),
            None => false,
        };
        if !runs {
            replica.process = Some(Process::start(&replica.spec)?);
        }
        Ok(())
    }

    /// The process of a replica that has been started.
    ///
    /// # Errors
    /// Before it was.
    pub fn replica(&mut self, id: u32) -> Result<&mut Process, RegistrarLaunchError> {
        let replica = self.replicas.get_mut(&id).and_then(|replica| replica.process.as_mut());
        replica.ok_or(RegistrarLaunchError::NotRunning(id))
    }

    /// Where each replica serves, by number.
    pub fn addresses(&self) -> BTreeMap<u32, SocketAddr> {
        self.replicas.iter().map(|(id, replica)| (*id, replica.listen.address())).collect()
    }

    /// Where a replica answers about health and metrics.
    pub fn admin(&self, id: u32) -> Option<SocketAddr> {
        self.replicas.get(&id).map(|replica| replica.spec.admin)
    }

    /// What a replica has logged.
    pub fn log(&self, id: u32) -> Option<PathBuf> {
        self.replicas.get(&id).map(|replica| replica.spec.logs.join(format!("{}.err", replica.spec.name)))
    }

    /// Where a replica's log and state are.
    pub fn data(&self, id: u32) -> Option<&Path> {
        self.replicas.get(&id).map(|replica| replica.data.as_path())
    }

    /// Stops every running replica, all at once, and waits.
    ///
    /// # Errors
    /// When one does not end in time.
    pub fn stop(&mut self) -> Result<(), RegistrarLaunchError> {
        let mut running: Vec<_> = self.replicas.values_mut().filter_map(|replica| replica.process.take()).collect();
        running.iter_mut().try_for_each(Process::terminate)?;
        Ok(running.iter_mut().try_for_each(|process| process.stop(STOP_TIMEOUT).map(|_| ()))?)
    }
}

/// Has the registrar's binary make its key files: new ones, or those of another replica.
fn make_keys(dir: &Path, host_secret: &Path, from: Option<(&PathBuf, &PathBuf)>) -> Result<(), RegistrarLaunchError> {
    let mut args: Vec<OsString> = vec!["--dir".into(), dir.into(), "--host-secret".into(), host_secret.into()];
    if let Some((from, secret)) = from {
        args.extend(["--from".into(), from.into(), "--from-secret".into(), secret.into()]);
    }
    run("setup", &args)
}

/// Runs a command of the registrar's binary to its end.
fn run(command: &'static str, args: &[OsString]) -> Result<(), RegistrarLaunchError> {
    let done = Command::new(beside("renkei-registrar")?)
        .arg(command)
        .args(args)
        .stdin(Stdio::null())
        .output()
        .map_err(|source| RegistrarLaunchError::Run { command, source })?;
    let said = || String::from_utf8_lossy(&done.stderr).trim().to_owned();
    if done.status.success() { Ok(()) } else { Err(RegistrarLaunchError::Failed { command, said: said() }) }
}
