//! Hosts that are network namespaces of this machine: a bridge between them, and nothing of it outside.

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::net::Ipv4Addr;
use std::os::fd::AsFd as _;
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

/// Where `ip netns` keeps its namespaces.
const NAMESPACES: &str = "/var/run/netns";
/// A link-layer address that no port of the bridge has: what is sent there is lost without a word.
const NOBODY: &str = "02:00:00:00:00:00";

/// Namespaces on one bridge, which lies in a namespace of its own. Dropping it stops what runs in them and removes them.
#[derive(Debug)]
pub struct Hosts {
    tag: String,
    /// In the order of their addresses.
    hosts: Vec<String>,
    made: Vec<String>,
    running: Vec<Running>,
}

/// One of them: where its processes have their sockets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Host {
    namespace: PathBuf,
    address: Ipv4Addr,
}

#[derive(Debug)]
struct Running {
    child: Child,
    /// Held open: when this process dies, the pipe closes and the child ends.
    _leash: Option<ChildStdin>,
}

/// Why a host did not do what was asked. Without root, or where the kernel has no namespaces, none is made.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each message says what its fields are")]
pub enum HostError {
    #[error("there is no host {name}")]
    Unknown { name: String },
    #[error("a bridge has room for 250 hosts")]
    TooMany,
    #[error("`ip {arguments}`: {said}")]
    Refused { arguments: String, said: String },
    #[error("running `ip`")]
    Command {
        #[source]
        source: io::Error,
    },
    #[error("entering a host")]
    Enter {
        #[source]
        source: io::Error,
    },
    #[error("starting {}", program.display())]
    Start {
        program: PathBuf,
        #[source]
        source: io::Error,
    },
}

impl Host {
    /// Its address on the bridge.
    pub fn address(&self) -> Ipv4Addr {
        self.address
    }

    /// Does something there, on a thread of its own: sockets that it opens, and processes and threads that it starts,
    /// belong to the host.
    ///
    /// # Errors
    /// When the host is gone, or this process may not enter it.
    pub fn within<T: Send>(&self, work: impl FnOnce() -> T + Send) -> Result<T, HostError> {
        let entered = thread::scope(|scope| {
            scope.spawn(|| self.enter().map(|()| work())).join().unwrap_or_else(|panic| resume_unwind(panic))
        });
        entered.map_err(|source| HostError::Enter { source })
    }

    fn enter(&self) -> io::Result<()> {
        let namespace = File::open(&self.namespace)?;
        Ok(move_into_link_name_space(namespace.as_fd(), Some(LinkNameSpaceType::Network))?)
    }
}

impl Hosts {
    /// Makes a host for each name, with the address `10.77.0.<place, from 1>`.
    ///
    /// # Errors
    /// Where this machine or this user cannot have namespaces; nothing is left behind.
    pub fn make(names: &[&str]) -> Result<Self, HostError> {
        static MADE: AtomicU32 = AtomicU32::new(0);
        let tag = format!("rk{}-{}", std::process::id(), MADE.fetch_add(1, Ordering::Relaxed));
        let mut hosts = Self { tag, hosts: Vec::new(), made: Vec::new(), running: Vec::new() };
        hosts.add("bridge")?;
        let bridge = hosts.namespace("bridge");
        ip(&["-n", &bridge, "link", "add", "br0", "type", "bridge"])?;
        ip(&["-n", &bridge, "link", "set", "br0", "up"])?;
        for (place, name) in names.iter().enumerate() {
            hosts.add(name)?;
            let (host, port) = (hosts.namespace(name), format!("port{place}"));
            ip(&["link", "add", "eth0", "netns", &host, "type", "veth", "peer", "name", &port, "netns", &bridge])?;
            ip(&["-n", &bridge, "link", "set", &port, "master", "br0", "up"])?;
            hosts.hosts.push((*name).to_owned());
            let address = format!("{}/24", hosts.host(name)?.address);
            ip(&["-n", &host, "addr", "add", &address, "dev", "eth0"])?;
            ip(&["-n", &host, "link", "set", "lo", "up"])?;
            ip(&["-n", &host, "link", "set", "eth0", "up"])?;
        }
        Ok(hosts)
    }

    /// A host by its name.
    ///
    /// # Errors
    /// When there is none.
    pub fn host(&self, name: &str) -> Result<Host, HostError> {
        let place = self.hosts.iter().position(|host| host == name);
        let place = place.ok_or_else(|| HostError::Unknown { name: name.to_owned() })?;
        let last = u8::try_from(place + 1).ok().filter(|last| *last <= 250).ok_or(HostError::TooMany)?;
        let namespace = Path::new(NAMESPACES).join(self.namespace(name));
        Ok(Host { namespace, address: Ipv4Addr::new(10, 77, 0, last) })
    }

    /// Pulls the cable of a host, or puts it back.
    ///
    /// # Errors
    /// When there is no such host.
    pub fn link(&self, name: &str, up: bool) -> Result<(), HostError> {
        ip(&["-n", &self.namespace(name), "link", "set", "eth0", if up { "up" } else { "down" }])
    }

    /// Loses every packet that one host sends to another from now on, also on connections that are open. Those of the
    /// other direction arrive.
    ///
    /// # Errors
    /// When there is no such host.
    pub fn lose(&self, from: &str, to: &str) -> Result<(), HostError> {
        let to = self.host(to)?.address.to_string();
        let from = self.namespace(from);
        ip(&["-n", &from, "neigh", "replace", &to, "lladdr", NOBODY, "dev", "eth0", "nud", "permanent"])
    }

    /// Loses no packet more that one host sends to another. Without effect where none was lost.
    ///
    /// # Errors
    /// When there is no such host.
    pub fn mend(&self, from: &str, to: &str) -> Result<(), HostError> {
        let to = self.host(to)?.address.to_string();
        let from = self.namespace(from);
        // Replaced by an entry that is asked for anew: one that was removed twice would be an error.
        ip(&["-n", &from, "neigh", "replace", &to, "lladdr", NOBODY, "dev", "eth0", "nud", "stale"])?;
        ip(&["-n", &from, "neigh", "del", &to, "dev", "eth0"])
    }

    /// Starts a service on a host; its output goes to `log`.
    ///
    /// # Errors
    /// When the log cannot be written, or there is no `ip`.
    pub fn start<A: AsRef<OsStr>>(
        &mut self,
        host: &str,
        program: &Path,
        arguments: &[A],
        log: &Path,
    ) -> Result<(), HostError> {
        let failed = |source| HostError::Start { program: program.to_owned(), source };
        let log = File::create(log).map_err(failed)?;
        // `ip netns exec` becomes the program, so that the signals below reach it.
        let mut child = self
            .command(host, program)
            .args(arguments)
            .arg("--exit-with-parent")
            .stdin(Stdio::piped())
            .stdout(log.try_clone().map_err(failed)?)
            .stderr(log)
            .spawn()
            .map_err(failed)?;
        let leash = child.stdin.take();
        self.running.push(Running { child, _leash: leash });
        Ok(())
    }

    /// Runs a program on a host to its end.
    ///
    /// # Errors
    /// When it does not start.
    pub fn run<A: AsRef<OsStr>>(
        &self,
        host: &str,
        program: &Path,
        arguments: impl IntoIterator<Item = A>,
    ) -> Result<Output, HostError> {
        let ran = self.command(host, program).args(arguments).output();
        ran.map_err(|source| HostError::Start { program: program.to_owned(), source })
    }

    fn command(&self, host: &str, program: &Path) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.namespace(host)]).arg(program);
        command
    }

    fn namespace(&self, name: &str) -> String {
        format!("{}-{name}", self.tag)
    }

    fn add(&mut self, name: &str) -> Result<(), HostError> {
        let namespace = self.namespace(name);
        ip(&["netns", "add", &namespace])?;
        self.made.push(namespace);
        Ok(())
    }
}

impl Drop for Hosts {
    fn drop(&mut self) {
        for Running { child, .. } in &mut self.running {
            // Nothing is left to do where it fails: the process is gone, or the leash ends it.
            let _gone = child.kill();
            let _reaped = child.wait();
        }
        for namespace in &self.made {
            // A name that is left holds nothing: its processes are gone, and the next run takes another name.
            let _left = ip(&["netns", "del", namespace]);
        }
    }
}

fn ip(arguments: &[&str]) -> Result<(), HostError> {
    let output = Command::new("ip").args(arguments).output().map_err(|source| HostError::Command { source })?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    Err(HostError::Refused { arguments: arguments.join(" "), said })
}
