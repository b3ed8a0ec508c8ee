//! Hosts that are network namespaces: a bridge between them, and nothing of it outside.

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

/// Namespaces on one bridge, which lies in a namespace of its own. Dropping it stops what runs in them and removes them.
pub(crate) struct Hosts {
    tag: String,
    names: Vec<String>,
    running: Vec<Running>,
}

struct Running {
    child: Child,
    /// Held open: when this test dies, the pipe closes and the process ends.
    _leash: Option<ChildStdin>,
}

impl Hosts {
    /// Makes a host for each name, with the address `10.77.0.<place, from 1>`.
    ///
    /// # Errors
    /// Where this machine or this user cannot have namespaces; nothing is left behind.
    pub(crate) fn make(names: &[&str]) -> Result<Self, String> {
        static MADE: AtomicU32 = AtomicU32::new(0);
        let tag = format!("rk{}-{}", std::process::id(), MADE.fetch_add(1, Ordering::Relaxed));
        let mut hosts = Self { tag, names: Vec::new(), running: Vec::new() };
        hosts.add("bridge")?;
        let bridge = hosts.namespace("bridge");
        ip(&["-n", &bridge, "link", "add", "br0", "type", "bridge"])?;
        ip(&["-n", &bridge, "link", "set", "br0", "up"])?;
        for (place, name) in names.iter().enumerate() {
            hosts.add(name)?;
            let (host, port) = (hosts.namespace(name), format!("port{place}"));
            ip(&["link", "add", "eth0", "netns", &host, "type", "veth", "peer", "name", &port, "netns", &bridge])?;
            let address = format!("10.77.0.{}/24", place + 1);
            ip(&["-n", &bridge, "link", "set", &port, "master", "br0", "up"])?;
            ip(&["-n", &host, "addr", "add", &address, "dev", "eth0"])?;
            ip(&["-n", &host, "link", "set", "lo", "up"])?;
            ip(&["-n", &host, "link", "set", "eth0", "up"])?;
        }
        Ok(hosts)
    }

    /// Pulls the cable of a host, or puts it back.
    pub(crate) fn link(&self, name: &str, up: bool) {
        ip(&["-n", &self.namespace(name), "link", "set", "eth0", if up { "up" } else { "down" }]).unwrap();
    }

    /// Starts a service on a host; its output goes to `log`.
    pub(crate) fn start<A: AsRef<OsStr>>(&mut self, host: &str, program: &Path, arguments: &[A], log: &Path) {
        let log = File::create(log).unwrap();
        // `ip netns exec` becomes the program, so that the signals below reach it.
        let mut child = self
            .command(host, program)
            .args(arguments)
            .arg("--exit-with-parent")
            .stdin(Stdio::piped())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        let leash = child.stdin.take();
        self.running.push(Running { child, _leash: leash });
    }

    /// Runs a program on a host to its end.
    pub(crate) fn run<A: AsRef<OsStr>>(
        &self,
        host: &str,
        program: &Path,
        arguments: impl IntoIterator<Item = A>,
    ) -> Output {
        self.command(host, program).args(arguments).output().unwrap()
    }

    fn command(&self, host: &str, program: &Path) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.namespace(host)]).arg(program);
        command
    }

    fn namespace(&self, name: &str) -> String {
        format!("{}-{name}", self.tag)
    }

    fn add(&mut self, name: &str) -> Result<(), String> {
        ip(&["netns", "add", &self.namespace(name)])?;
        self.names.push(name.to_owned());
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
        for name in &self.names {
            // A name that is left holds nothing: its processes are gone, and the next run takes another name.
            let _left = ip(&["netns", "del", &self.namespace(name)]);
        }
    }
}

fn ip(arguments: &[&str]) -> Result<(), String> {
    let ran = Command::new("ip").args(arguments).output();
    let said = |output: &Output| String::from_utf8_lossy(&output.stderr).trim().to_owned();
    match ran {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => Err(format!("ip {}: {}", arguments.join(" "), said(&output))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err("there is no command `ip`".to_owned()),
        Err(error) => Err(format!("ip {}: {error}", arguments.join(" "))),
    }
}
