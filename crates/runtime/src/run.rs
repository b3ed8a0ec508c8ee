//! A process from its first line to its exit code.

use std::error::Error;
use std::future::Future;
use std::io::{self, Write};
use std::panic::AssertUnwindSafe;
use std::process::ExitCode;
use std::sync::Arc;

use futures::FutureExt;
use tokio::runtime::Runtime;
use tokio::sync::Notify;

use crate::admin::AdminServer;
use crate::harden::{HardenError, harden, lock_memory};
use crate::signals::Signals;
use crate::telemetry::Telemetry;
use crate::{
    AdminError, Args, Chain, Config, ConfigError, Exit, Loaded, OnError, OnShutdown, ProcessSettings, RELOAD_POLL,
    Shell, SystemClock, TaskKind, TelemetryError, Tls, TlsError, config, panics, stdin, tls,
};

/// Why a process did not start. Its exit code is that of [`Exit::Refused`].
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each message says what its variant means")]
pub enum StartError {
    #[error("hardening the process")]
    Harden {
        #[source]
        source: HardenError,
    },
    #[error("loading the configuration")]
    Config {
        #[source]
        source: ConfigError,
    },
    #[error("starting the async runtime")]
    Runtime {
        #[source]
        source: io::Error,
    },
    #[error("starting telemetry")]
    Telemetry {
        #[source]
        source: TelemetryError,
    },
    #[error("taking over signals")]
    Signals {
        #[source]
        source: io::Error,
    },
    #[error("loading the TLS identity")]
    Tls {
        #[source]
        source: TlsError,
    },
    #[error("opening the admin port")]
    Admin {
        #[source]
        source: AdminError,
    },
    #[error("watching standard input")]
    Stdin {
        #[source]
        source: io::Error,
    },
    #[error("printing the configuration")]
    Print {
        #[source]
        source: io::Error,
    },
}

/// Runs a service and gives its exit code (see [`Exit`]).
///
/// `role` is the one of the binary, such as `node`: it names the environment variables and the process in telemetry.
/// `main` gets its configuration and the shell, opens the service, calls [`Shell::started`], waits for
/// [`Shell::stopping`], closes the service and returns. When it returns, or a task that stops the process fails, or
/// SIGTERM or SIGINT arrives, shutdown begins: everything has the grace period, counted from that moment. A second
/// signal ends the process at once with 128 plus its number.
pub fn run<C, M, F, E>(role: &'static str, args: Args, main: M) -> ExitCode
where
    C: Config,
    M: FnOnce(C, Shell) -> F,
    F: Future<Output = Result<(), E>>,
    E: Into<Box<dyn Error + Send + Sync>>,
{
    match start(role, &args, main) {
        Ok(exit) => exit.into(),
        Err(error) => {
            // Telemetry may not be there yet, so this one goes to standard error as plain text.
            let _unwritable = writeln!(io::stderr(), "renkei-{role}: {}", Chain(&error));
            Exit::Refused.into()
        }
    }
}

fn start<C, M, F, E>(role: &'static str, args: &Args, main: M) -> Result<Exit, StartError>
where
    C: Config,
    M: FnOnce(C, Shell) -> F,
    F: Future<Output = Result<(), E>>,
    E: Into<Box<dyn Error + Send + Sync>>,
{
    harden().map_err(|source| StartError::Harden { source })?;
    let loaded: Loaded<C> =
        config::load(role, args, config::environment()).map_err(|source| StartError::Config { source })?;
    if args.print_config {
        let text = loaded.print().map_err(|source| StartError::Config { source })?;
        io::stdout().write_all(text.as_bytes()).map_err(|source| StartError::Print { source })?;
        return Ok(Exit::Clean);
    }
    if loaded.settings.process.lock_memory {
        lock_memory().map_err(|source| StartError::Harden { source })?;
    }
    let runtime = runtime(&loaded.settings.process).map_err(|source| StartError::Runtime { source })?;
    let exit = runtime.block_on(live(role, args, loaded, main));
    // A blocking call that hangs must not keep the process: everything that had to be saved has been.
    runtime.shutdown_background();
    exit
}

fn runtime(settings: &ProcessSettings) -> io::Result<Runtime> {
    match settings.worker_threads {
        0 => tokio::runtime::Builder::new_current_thread().enable_all().build(),
        threads => tokio::runtime::Builder::new_multi_thread().worker_threads(threads).enable_all().build(),
    }
}

async fn live<C, M, F, E>(role: &'static str, args: &Args, loaded: Loaded<C>, main: M) -> Result<Exit, StartError>
where
    M: FnOnce(C, Shell) -> F,
    F: Future<Output = Result<(), E>>,
    E: Into<Box<dyn Error + Send + Sync>>,
{
    let Loaded { service, settings, origins: _ } = loaded;
    let telemetry =
        Telemetry::install(role, &settings.log, &settings.trace).map_err(|source| StartError::Telemetry { source })?;
    panics::install_hook();
    let signals = Signals::take().map_err(|source| StartError::Signals { source })?;
    let clock = Arc::new(SystemClock::new());
    let tls = Tls::load(&settings.tls, clock.clone()).map_err(|source| StartError::Tls { source })?;
    let shell = Shell::new(role, clock, tls);
    let admin = AdminServer::bind(settings.admin.address).map_err(|source| StartError::Admin { source })?;
    admin.serve(&shell);
    background(&shell, signals);
    if args.exit_with_parent {
        stdin::stop_when_closed(shell.tasks()).map_err(|source| StartError::Stdin { source })?;
    }
    tracing::info!(role, identity = %shell.tls().identity(), development = shell.tls().is_development(), "process up");

    let grace = settings.process.grace();
    let tasks = shell.tasks().clone();
    let service = AssertUnwindSafe(async { main(service, shell).await }).catch_unwind();
    let in_time = tokio::select! {
        outcome = service => {
            tasks.settle_main(outcome);
            true
        }
        () = tasks.grace_over(grace) => false,
    };
    let exit = match tasks.drain(grace).await {
        Exit::Clean if !in_time => Exit::GraceExpired,
        exit => exit,
    };
    tracing::info!(?exit, "process down");
    telemetry.flush().await;
    Ok(exit)
}

/// The tasks of the shell itself. They outlive the drain: a second signal must still be obeyed while it lasts.
fn background(shell: &Shell, signals: Signals) {
    let reload = Arc::new(Notify::new());
    let kind = |name| TaskKind { name, on_error: OnError::StopProcess, on_shutdown: OnShutdown::CancelLast };
    let watch = tls::watch(shell.tls().clone(), RELOAD_POLL, Arc::clone(&reload), shell.metrics().tls.clone());
    let never_fails = Ok::<(), std::convert::Infallible>;
    shell.tasks().spawn(kind("signals"), signals.obey(shell.tasks().clone(), reload).map(never_fails));
    shell.tasks().spawn(kind("certificates"), watch.map(never_fails));
}
