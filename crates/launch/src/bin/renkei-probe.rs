//! The smallest service: the shell of a process and one planned behaviour. The tests of `runtime` and `launch` run it.

use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use renkei_runtime::{Args, Config, InvalidConfig, OnError, OnShutdown, Shell, TaskKind, run};
use serde::{Deserialize, Serialize};

/// The smallest service, for tests.
#[derive(Debug, Parser)]
struct Cli {
    #[command(flatten)]
    args: Args,
}

#[derive(Debug, Serialize, Deserialize)]
struct Probe {
    probe: ProbeSection,
}

/// `[probe]`
#[derive(Debug, Serialize, Deserialize)]
struct ProbeSection {
    /// What it does once it is ready.
    behaviour: Behaviour,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Behaviour {
    /// Lives until it is asked to stop.
    Live,
    /// Its service fails.
    Fail,
    /// Its service panics.
    Panic,
    /// A task of it fails.
    FailTask,
    /// A task of it panics, with a formatted message.
    PanicTask,
    /// It does not stop when asked.
    Linger,
    /// Its configuration breaks a rule.
    Invalid,
}

#[derive(Debug, thiserror::Error)]
#[error("as planned")]
struct Planned;

impl Config for Probe {
    fn validate(&self) -> Result<(), InvalidConfig> {
        if self.probe.behaviour == Behaviour::Invalid {
            return Err(InvalidConfig { key: "probe.behaviour", rule: "must not be invalid" });
        }
        Ok(())
    }
}

fn main() -> ExitCode {
    run("probe", Cli::parse().args, serve)
}

async fn serve(config: Probe, shell: Shell) -> Result<(), Planned> {
    tracing::info_span!("planned-span").in_scope(|| tracing::info!("probe up"));
    shell.started();
    let kind = TaskKind { name: "planned", on_error: OnError::StopProcess, on_shutdown: OnShutdown::Drain };
    match config.probe.behaviour {
        Behaviour::Live | Behaviour::Invalid => {}
        Behaviour::Fail => return Err(Planned),
        Behaviour::Panic => panic!("as planned"),
        Behaviour::FailTask => shell.tasks().spawn(kind, async { Err::<(), _>(Planned) }),
        Behaviour::PanicTask => shell.tasks().spawn(kind, formatted_panic("planted-token")),
        Behaviour::Linger => {
            shell.tasks().spawn(kind, async {
                tokio::time::sleep(Duration::from_secs(3600)).await;
                Ok::<(), Planned>(())
            });
        }
    }
    shell.stopping().cancelled().await;
    Ok(())
}

/// What must not reach the log: a value in the message of a panic.
async fn formatted_panic(value: &str) -> Result<(), Planned> {
    panic!("unexpected {value}")
}
