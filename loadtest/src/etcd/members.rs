//! Three members of etcd on loopback, as processes of ours.

use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::Context as _;
use renkei_launch::{ReservedPort, TlsFiles, Usage};
use rustix::process::Pid;

/// Members.
pub(super) const MEMBERS: usize = 3;
/// etcd refuses writes past its quota, 2 GiB unless told otherwise; this is the largest that it suggests.
const QUOTA_BYTES: &str = "8589934592";

/// A running member. Dropping it kills it.
#[derive(Debug)]
struct Member {
    child: Child,
    client: ReservedPort,
    _peer: ReservedPort,
}

/// The members. Dropping them kills what runs.
#[derive(Debug)]
pub(super) struct Members(Vec<Member>);

/// Whether the binary is there: `None` where it is not.
pub(super) fn installed() -> io::Result<bool> {
    match Command::new("etcd").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status() {
        Ok(status) => Ok(status.success()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

impl Members {
    /// Starts them with data under `dir`; they need not have elected a leader when this returns.
    pub(super) fn start(dir: &Path, tls: Option<&TlsFiles>) -> anyhow::Result<Self> {
        let ports = (0..MEMBERS)
            .map(|_| Ok((ReservedPort::take()?, ReservedPort::take()?)))
            .collect::<Result<Vec<_>, renkei_launch::PortError>>()
            .context("reserving etcd's ports")?;
        let scheme = if tls.is_some() { "https" } else { "http" };
        let url = |port: &ReservedPort| format!("{scheme}://{}", port.address());
        let cluster: Vec<_> =
            ports.iter().enumerate().map(|(index, (_, peer))| format!("m{index}={}", url(peer))).collect();
        let cluster = cluster.join(",");
        fs::create_dir_all(dir).with_context(|| format!("making {}", dir.display()))?;
        let mut members = Vec::new();
        for (index, (client, peer)) in ports.into_iter().enumerate() {
            let log = dir.join(format!("m{index}.log"));
            let log = File::create(&log).with_context(|| format!("opening {}", log.display()))?;
            let mut command = Command::new("etcd");
            command
                .args(["--name", &format!("m{index}"), "--initial-cluster", &cluster])
                .args(["--initial-cluster-state", "new", "--quota-backend-bytes", QUOTA_BYTES])
                .args(["--listen-client-urls", &url(&client), "--advertise-client-urls", &url(&client)])
                .args(["--listen-peer-urls", &url(&peer), "--initial-advertise-peer-urls", &url(&peer)])
                .args(["--logger", "zap", "--log-level", "error", "--data-dir"])
                .arg(dir.join(format!("m{index}")));
            if let Some(TlsFiles { certificate, key, ca }) = tls {
                command.args(["--client-cert-auth", "--peer-client-cert-auth"]);
                command.arg("--cert-file").arg(certificate).arg("--key-file").arg(key);
                command.arg("--peer-cert-file").arg(certificate).arg("--peer-key-file").arg(key);
                command.arg("--trusted-ca-file").arg(ca).arg("--peer-trusted-ca-file").arg(ca);
            }
            let child = command
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(log)
                .spawn()
                .with_context(|| format!("starting etcd member {index}"))?;
            members.push(Member { child, client, _peer: peer });
        }
        Ok(Self(members))
    }

    pub(super) fn addresses(&self) -> Vec<std::net::SocketAddr> {
        self.0.iter().map(|member| member.client.address()).collect()
    }

    /// CPU time of all members.
    pub(super) fn cpu(&self) -> anyhow::Result<Duration> {
        let mut sum = Duration::ZERO;
        for member in &self.0 {
            sum += Usage::of(Pid::from_child(&member.child))?.cpu();
        }
        Ok(sum)
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        // Nothing is left to do where it fails: the process is gone.
        let _gone = self.child.kill();
        let _reaped = self.child.wait();
    }
}
