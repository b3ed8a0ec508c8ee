//! `peers`: a cloud beside a bare echo and etcd. One system runs at a time, so that none pays for another's idling.

use std::fs;
use std::future::Future;
use std::io::{self, Write as _};
use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use renkei_ids::{Clock as _, CloudId};
use renkei_launch::{Authority, Leaf, Role, SystemClock, TlsFiles};
use tokio::signal::unix::{SignalKind, signal};

use crate::arguments::{self, PeersArguments};
use crate::cloud::{Cloud, GROUPS};
use crate::echo::Echo;
use crate::etcd::{self, Etcd};
use crate::failure::{Exit, Failure};
use crate::fsync;
use crate::hardware::Hardware;
use crate::load::{OperationError, Tally, Window, Workload, closed_loop};
use crate::operation::{Operation, TIMELINE_VALUES};
use crate::payload::Seed;
use crate::report::{Method, Report};
use crate::row::{CloudRun, Row, System};

const WARM_UP: Duration = Duration::from_secs(1);

/// Measures, prints, and gives the exit code. Everything that was started is stopped when this returns, on SIGINT and
/// SIGTERM too.
pub(crate) async fn run(settings: PeersArguments) -> Result<Exit, Failure> {
    let report = tokio::select! {
        report = in_directory(&settings) => report?,
        interrupted = interrupted() => return Err(interrupted),
    };
    publish(&report, settings.json.as_deref()).map_err(Failure::not_valid)?;
    Ok(report.exit())
}

async fn interrupted() -> Failure {
    let taken = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()));
    let (Ok(mut interrupt), Ok(mut terminate)) = taken else {
        return Failure::not_valid(anyhow::anyhow!("the signals could not be taken over"));
    };
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    Failure::Interrupted
}

/// Everything that is written lies in one new directory. It stays when the run fails, for the logs in it.
async fn in_directory(settings: &PeersArguments) -> Result<Report, Failure> {
    let mut directory = tempfile::Builder::new();
    directory.prefix("renkei-peers-");
    let directory = match &settings.data {
        Some(parent) => directory.tempdir_in(parent),
        None => directory.tempdir(),
    };
    let directory = directory.context("making the data directory").map_err(Failure::not_valid)?;
    match measure(settings, directory.path()).await {
        Ok(report) => Ok(report),
        Err(failure) => {
            progress(&format!("logs and data stay in {}", directory.keep().display()));
            Err(failure)
        }
    }
}

async fn measure(settings: &PeersArguments, dir: &Path) -> Result<Report, Failure> {
    let hardware = Hardware::of(dir).map_err(Failure::not_valid)?;
    let fsync = fsync::measure(dir).context("measuring fsync").map_err(Failure::not_valid)?;
    let seed = Seed::from_bytes(rand::random());
    let tls = certificates(&dir.join("certs")).map_err(Failure::not_valid)?;
    let mut peers = Peers { settings, seed, tls, rows: Vec::new(), notes: Vec::new(), windows: 0 };
    for repeat in 0..settings.repeats {
        let dir = dir.join(format!("repeat-{repeat}"));
        peers.repeat(&dir).await?;
        // The next repeat begins with the disk as it was.
        fs::remove_dir_all(&dir).context("removing a repeat's data").map_err(Failure::not_valid)?;
    }
    let method = Method {
        load: "closed loop",
        choice: "uniformly",
        seconds: settings.seconds,
        repeats: settings.repeats,
        patients: settings.patients,
        records_per_patient: TIMELINE_VALUES,
        groups: GROUPS,
        seed: seed.hex(),
    };
    Ok(Report::new(hardware, fsync, method, peers.rows, peers.notes))
}

/// One certificate for both ends of the echo and for the members of etcd; the cloud makes its own.
fn certificates(dir: &Path) -> anyhow::Result<TlsFiles> {
    let now = SystemClock::new().now();
    let authority = Authority::development(dir, now).context("making the authority")?;
    let leaf = Leaf::local(CloudId::from_bytes([0; 16]), Role::Loadtest, "peers", now);
    authority.issue(&leaf).context("issuing a certificate")
}

struct Peers<'a> {
    settings: &'a PeersArguments,
    seed: Seed,
    tls: TlsFiles,
    rows: Vec<Row>,
    notes: Vec<String>,
    /// Windows so far; tells the random numbers of one from those of another.
    windows: u64,
}

impl Peers<'_> {
    async fn repeat(&mut self, dir: &Path) -> Result<(), Failure> {
        fs::create_dir_all(dir).context("making a repeat's directory").map_err(Failure::not_valid)?;
        let wanted = |system| self.settings.systems.contains(&system);
        let (echo, cloud, etcd) =
            (wanted(arguments::System::Echo), wanted(arguments::System::Cloud), wanted(arguments::System::Etcd));
        if echo {
            self.echo(dir, System::ECHO_PLAIN, None).await?;
            self.echo(dir, System::ECHO_MTLS, Some(self.tls.clone())).await?;
        }
        if cloud {
            self.cloud(dir).await?;
        }
        if !etcd {
            return Ok(());
        }
        if !etcd::installed().map_err(Failure::unreachable)? {
            if self.notes.is_empty() {
                self.notes.push("etcd: not installed".to_owned());
            }
            return Ok(());
        }
        self.etcd(&dir.join("etcd-plain"), System::ETCD_PLAIN, None).await?;
        self.etcd(&dir.join("etcd-mtls"), System::ETCD_MTLS, Some(self.tls.clone())).await
    }

    async fn echo(&mut self, dir: &Path, system: System, tls: Option<TlsFiles>) -> Result<(), Failure> {
        let echo = Echo::start(tls.as_ref(), &dir.join("logs")).await.map_err(Failure::unreachable)?;
        for (operation, clients) in self.windows() {
            let tally = self.window(&echo.workload(operation), clients).await?;
            self.note(&system, operation, clients, tally, None);
        }
        Ok(())
    }

    async fn etcd(&mut self, dir: &Path, system: System, tls: Option<TlsFiles>) -> Result<(), Failure> {
        let etcd = Etcd::start(dir, tls.as_ref(), self.seed, self.settings.patients);
        let etcd = etcd.await.map_err(Failure::unreachable)?;
        progress(&format!("etcd {}", etcd.version()));
        for (operation, clients) in self.windows() {
            let tally = self.window(&etcd.workload(operation), clients).await?;
            self.note(&system, operation, clients, tally, None);
        }
        Ok(())
    }

    async fn cloud(&mut self, dir: &Path) -> Result<(), Failure> {
        let PeersArguments { memory, patients, .. } = *self.settings;
        let cloud = Cloud::start(&dir.join("cloud"), memory, self.seed, patients).await;
        let cloud = cloud.map_err(Failure::unreachable)?;
        for (operation, clients) in self.windows() {
            let workload = cloud.workload(operation);
            let retries = cloud.retries();
            let cache = cloud.cache_use().map_err(Failure::unreachable)?;
            let tally = self.window(&workload, clients).await?;
            let cache = cache.zip(cloud.cache_use().map_err(Failure::unreachable)?);
            let extra = CloudRun {
                patients_touched: workload.patients_touched(),
                retries: cloud.retries() - retries,
                read_back: workload.read_back().await.map_err(read_back_failed)?,
                cache: cache.map(|(before, after)| after.since(before)),
            };
            self.note(&System::CLOUD, operation, clients, tally, Some(extra));
        }
        Ok(())
    }

    /// Every kind of request at every number of clients.
    fn windows(&self) -> Vec<(Operation, u32)> {
        let clients = &self.settings.clients;
        Operation::ALL
            .into_iter()
            .flat_map(|operation| clients.iter().map(move |clients| (operation, *clients)))
            .collect()
    }

    fn window<'w, W: Workload>(
        &mut self,
        workload: &'w W,
        clients: u32,
    ) -> impl Future<Output = Result<Tally, Failure>> + use<'w, W> {
        self.windows += 1;
        let window = Window { warm_up: WARM_UP, measured: Duration::from_secs(self.settings.seconds) };
        closed_loop(workload, clients, window, self.seed, self.windows)
    }

    fn note(&mut self, system: &System, operation: Operation, clients: u32, tally: Tally, cloud: Option<CloudRun>) {
        let rate = tally.completed as f64 / tally.elapsed.as_secs_f64();
        let (name, tls, request) = (system.name, system.tls, operation.label());
        progress(&format!("{name} (TLS {tls}), {request}, {clients} clients: {rate:.0} per s"));
        let same = |row: &&mut Row| row.system == *system && row.operation == operation && row.clients == clients;
        match self.rows.iter_mut().find(same) {
            Some(row) => row.add(tally, cloud),
            None => {
                let mut row = Row::new(system.clone(), operation, clients);
                row.add(tally, cloud);
                self.rows.push(row);
            }
        }
    }
}

fn read_back_failed(error: OperationError) -> Failure {
    match error {
        OperationError::Violation(source) => Failure::Integrity { system: System::CLOUD.name, source },
        other => Failure::unreachable(anyhow::Error::from(other).context("reading acknowledged puts back")),
    }
}

fn publish(report: &Report, json: Option<&Path>) -> anyhow::Result<()> {
    write!(io::stdout(), "{report}").context("printing the table")?;
    if let Some(path) = json {
        let text = serde_json::to_vec_pretty(report).context("encoding the table")?;
        fs::write(path, text).with_context(|| format!("writing {}", path.display()))?;
    }
    Ok(())
}

/// A line for who waits. Where standard error is closed nobody does.
fn progress(line: &str) {
    let _unread = writeln!(io::stderr(), "{line}");
}
