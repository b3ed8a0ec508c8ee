//! A temporary folder with certificates and a configuration of the probe.

use std::ffi::OsString;
use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use renkei_ids::{Clock, CloudId, UnixMillis};
use renkei_launch::{Authority, Leaf, Process, ProcessSpec, ReservedPort};
use renkei_runtime::{Role, SystemClock, TlsFiles};
use tempfile::TempDir;

pub(crate) const READY: Duration = Duration::from_secs(20);

pub(crate) fn now() -> UnixMillis {
    SystemClock::new().now()
}

pub(crate) struct World {
    pub(crate) dir: TempDir,
    pub(crate) authority: Authority,
    pub(crate) files: TlsFiles,
    admin: ReservedPort,
}

impl World {
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let authority = Authority::development(&dir.path().join("certs"), now()).unwrap();
        let files = authority.issue(&leaf()).unwrap();
        Self { dir, authority, files, admin: ReservedPort::take().unwrap() }
    }

    /// The probe with this behaviour and more flags.
    pub(crate) fn spec(&self, behaviour: &str, flags: &[&str]) -> ProcessSpec {
        let config = format!(
            "[admin]\naddress = \"{}\"\n[tls]\ncertificate = \"{}\"\nkey = \"{}\"\nca = \"{}\"\n\
             [probe]\nbehaviour = \"{behaviour}\"\n[process]\ngrace_ms = 500\n",
            self.admin.address(),
            self.files.certificate.display(),
            self.files.key.display(),
            self.files.ca.display(),
        );
        let path = self.dir.path().join("probe.toml");
        fs::write(&path, config).unwrap();
        let mut args: Vec<OsString> = vec!["--config".into(), path.into_os_string()];
        args.extend(flags.iter().map(OsString::from));
        ProcessSpec {
            binary: "renkei-probe",
            name: "probe".to_owned(),
            args,
            admin: self.admin.address(),
            logs: self.dir.path().join("logs"),
        }
    }

    pub(crate) fn start(&self, behaviour: &str) -> Process {
        Process::start(&self.spec(behaviour, &[])).unwrap()
    }

    pub(crate) fn ready(&self) -> Process {
        let mut process = self.start("live");
        process.wait_ready(READY).unwrap();
        process
    }

    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.dir.path().join("logs/probe.err")).unwrap()
    }

    pub(crate) fn metrics(&self) -> String {
        let mut tcp = TcpStream::connect(self.admin.address()).unwrap();
        tcp.set_read_timeout(Some(READY)).unwrap();
        tcp.write_all(b"GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        tcp.read_to_string(&mut answer).unwrap();
        answer
    }
}

pub(crate) fn leaf() -> Leaf {
    Leaf::local(CloudId::from_bytes([0xC1; 16]), Role::Node, "1", now())
}

/// Looks again and again until it holds, 20 s at most.
pub(crate) fn until(what: &str, mut holds: impl FnMut() -> bool) {
    for _ in 0..1000 {
        if holds() {
            return;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    panic!("never: {what}");
}
