//! One real process: started, asked, paused, stopped, killed.

use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::net::SocketAddr;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::{BinaryError, Host, HostError, Usage, UsageError, beside, private, ready};

/// Pause between two looks at a process.
const POLL: Duration = Duration::from_millis(20);

/// What to start.
#[derive(Clone, Debug)]
pub struct ProcessSpec {
    /// Binary beside the running executable, such as `renkei-node`.
    pub binary: &'static str,
    /// Name of this one in errors and of its log files, such as `node-1`.
    pub name: String,
    /// Flags. `--exit-with-parent` is added.
    pub args: Vec<OsString>,
    /// Its admin port.
    pub admin: SocketAddr,
    /// Directory of its output: `<name>.out` and `<name>.err`, appended to over restarts.
    pub logs: PathBuf,
}

/// Why a process did not do what was asked.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each message says what its fields are")]
pub enum LaunchError {
    #[error("finding the binary of {name}")]
    Binary {
        name: String,
        #[source]
        source: BinaryError,
    },
    #[error("opening the output of {name}, {}", path.display())]
    Output {
        name: String,
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("starting {name}")]
    Spawn {
        name: String,
        #[source]
        source: io::Error,
    },
    #[error("{name} ended before it was ready ({status}); see {}", log.display())]
    Ended { name: String, status: ExitStatus, log: PathBuf },
    #[error("{name} was not ready after {after:?}; see {}", log.display())]
    NotReady { name: String, after: Duration, log: PathBuf },
    #[error("sending {signal} to {name}")]
    Signal {
        name: String,
        signal: &'static str,
        #[source]
        source: io::Error,
    },
    #[error("waiting for {name} to end")]
    Wait {
        name: String,
        #[source]
        source: io::Error,
    },
    #[error("{name} did not end within {after:?} of SIGTERM and was killed; see {}", log.display())]
    Killed { name: String, after: Duration, log: PathBuf },
    #[error("running {name} on a host of its own")]
    Host {
        name: String,
        #[source]
        source: HostError,
    },
    #[error("setting the clock of {name}")]
    Clock {
        name: String,
        #[source]
        source: io::Error,
    },
    #[error("reading what {name} has used")]
    Usage {
        name: String,
        #[source]
        source: UsageError,
    },
}

/// A started process. Dropping it kills it.
#[derive(Debug)]
pub struct Process {
    name: String,
    child: Child,
    admin: SocketAddr,
    log: PathBuf,
    /// Where it runs, if that is not where this process does.
    host: Option<Host>,
    /// A second SIGTERM would end it at once.
    terminated: bool,
    /// Held open: when this process dies, the pipe closes and the child ends.
    _leash: Option<ChildStdin>,
}

impl Process {
    /// Starts it; it need not be ready when this returns.
    pub fn start(spec: &ProcessSpec) -> Result<Self, LaunchError> {
        Self::start_at(spec, None)
    }

    /// Starts it on a host, and asks it there from then on.
    pub fn start_on(spec: &ProcessSpec, host: &Host) -> Result<Self, LaunchError> {
        Self::start_at(spec, Some(host))
    }

    fn start_at(spec: &ProcessSpec, host: Option<&Host>) -> Result<Self, LaunchError> {
        let ProcessSpec { binary, name, args, admin, logs } = spec;
        let program = beside(binary).map_err(|source| LaunchError::Binary { name: name.clone(), source })?;
        let log = logs.join(format!("{name}.err"));
        let out = append(name, logs, &logs.join(format!("{name}.out")))?;
        let err = append(name, logs, &log)?;
        let mut command = Command::new(program);
        command
            .args(args)
            .arg("--exit-with-parent")
            // Its own group: Ctrl-C at a terminal is for the starter, which stops its processes in order.
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(out)
            .stderr(err);
        let spawned = at(name, host, || command.spawn())?;
        let mut child = spawned.map_err(|source| LaunchError::Spawn { name: name.clone(), source })?;
        let leash = child.stdin.take();
        let (name, host) = (name.clone(), host.cloned());
        Ok(Self { name, child, admin: *admin, log, host, terminated: false, _leash: leash })
    }

    /// Waits until its admin port says that it is ready.
    pub fn wait_ready(&mut self, within: Duration) -> Result<(), LaunchError> {
        let began = Instant::now();
        loop {
            if let Some(status) = self.ended()? {
                return Err(LaunchError::Ended { name: self.name.clone(), status, log: self.log.clone() });
            }
            let admin = self.admin;
            if at(&self.name, self.host.as_ref(), || ready::is_ready(admin))?.unwrap_or(false) {
                return Ok(());
            }
            if began.elapsed() >= within {
                return Err(LaunchError::NotReady { name: self.name.clone(), after: within, log: self.log.clone() });
            }
            thread::sleep(POLL);
        }
    }

    /// How it ended, if it has.
    pub fn ended(&mut self) -> Result<Option<ExitStatus>, LaunchError> {
        self.child.try_wait().map_err(|source| LaunchError::Wait { name: self.name.clone(), source })
    }

    /// SIGKILL, and its exit status. One that has ended already keeps its own.
    pub fn kill(&mut self) -> Result<ExitStatus, LaunchError> {
        self.child.kill().map_err(|source| self.signal_failed("SIGKILL", source))?;
        self.child.wait().map_err(|source| LaunchError::Wait { name: self.name.clone(), source })
    }

    /// SIGSTOP: it keeps its connections and answers nothing.
    pub fn pause(&mut self) -> Result<(), LaunchError> {
        self.send("SIGSTOP", Signal::STOP)
    }

    /// SIGCONT.
    pub fn resume(&mut self) -> Result<(), LaunchError> {
        self.send("SIGCONT", Signal::CONT)
    }

    /// SIGHUP: it reads its certificates again.
    pub fn reload(&mut self) -> Result<(), LaunchError> {
        self.send("SIGHUP", Signal::HUP)
    }

    /// SIGTERM, without waiting. It is sent once only, for a second one asks for an end without grace.
    pub fn terminate(&mut self) -> Result<(), LaunchError> {
        if !self.terminated {
            self.send("SIGTERM", Signal::TERM)?;
            self.terminated = true;
        }
        Ok(())
    }

    /// SIGTERM, and its exit status; one that is still there after `within` is killed, which is an error.
    pub fn stop(&mut self, within: Duration) -> Result<ExitStatus, LaunchError> {
        self.terminate()?;
        let began = Instant::now();
        loop {
            if let Some(status) = self.ended()? {
                return Ok(status);
            }
            if began.elapsed() >= within {
                self.kill()?;
                return Err(LaunchError::Killed { name: self.name.clone(), after: within, log: self.log.clone() });
            }
            thread::sleep(POLL);
        }
    }

    /// Sets its clock so many milliseconds from true time. Only a process under a development CA lets that be done.
    pub fn set_clock_offset(&self, millis: i64) -> Result<(), LaunchError> {
        let admin = self.admin;
        let set = at(&self.name, self.host.as_ref(), || ready::set_clock_offset(admin, millis))?;
        set.map_err(|source| LaunchError::Clock { name: self.name.clone(), source })
    }

    /// CPU time and memory so far. An ended process has none to read.
    pub fn usage(&self) -> Result<Usage, LaunchError> {
        Usage::of(self.pid()).map_err(|source| LaunchError::Usage { name: self.name.clone(), source })
    }

    /// Its process id.
    pub fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its admin port.
    pub fn admin(&self) -> SocketAddr {
        self.admin
    }

    /// Where its log goes.
    pub fn log(&self) -> &Path {
        &self.log
    }

    /// Sends a signal to a process that has not been waited for, so that its id cannot have become another's.
    fn send(&mut self, name: &'static str, signal: Signal) -> Result<(), LaunchError> {
        if self.ended()?.is_some() {
            return Ok(());
        }
        kill_process(self.pid(), signal).map_err(|source| self.signal_failed(name, source.into()))
    }

    fn signal_failed(&self, signal: &'static str, source: io::Error) -> LaunchError {
        LaunchError::Signal { name: self.name.clone(), signal, source }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Nothing is left to do where it fails: the process is gone, or the leash ends it.
        let _gone = self.child.kill();
        let _reaped = self.child.wait();
    }
}

/// Does something on a host, or right here.
fn at<T: Send>(name: &str, host: Option<&Host>, work: impl FnOnce() -> T + Send) -> Result<T, LaunchError> {
    match host {
        Some(host) => host.within(work).map_err(|source| LaunchError::Host { name: name.to_owned(), source }),
        None => Ok(work()),
    }
}

fn append(name: &str, dir: &Path, path: &Path) -> Result<File, LaunchError> {
    let failed = |source| LaunchError::Output { name: name.to_owned(), path: path.to_owned(), source };
    private::dir(dir).map_err(failed)?;
    File::options().append(true).create(true).open(path).map_err(failed)
}
