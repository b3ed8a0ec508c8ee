//! Makes a machine ready: the compiler and libclang, RocksDB built once, and `.cargo/local.toml` that points cargo at
//! both, so that a plain `cargo build`, clippy and an editor use them too.
//!
//! The floor is Rust and a linker (`cc`), because this program has to be compiled first.

mod cache;
mod local;
mod python;
mod rocksdb;
mod system;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::ensure;

use crate::stages::{Running, Stage, Stages, Verdict};
use crate::workspace::Workspace;

pub(crate) use python::TEST_PYTHON;

pub(crate) const SETUP: Stage = Stage { name: "setup", first_guess: Duration::from_secs(210) };
pub(crate) const PYTHON: Stage = Stage { name: "python", first_guess: Duration::from_secs(30) };

/// `cargo xtask setup`.
pub(crate) fn run() -> anyhow::Result<ExitCode> {
    let workspace = Workspace::load()?;
    Stages::open(workspace.log_dir())?.run(SETUP, |running| prepare(&workspace, running))?;
    Ok(ExitCode::SUCCESS)
}

/// Does what is missing; on a machine that is ready this takes a moment and writes nothing.
pub(crate) fn prepare(workspace: &Workspace, running: &mut Running) -> anyhow::Result<(Verdict, String)> {
    ensure!(
        cfg!(target_os = "linux"),
        "set-up knows Linux only; elsewhere install a C++ compiler and libclang by hand"
    );
    let cache = cache::Cache::open()?;
    let tools = system::Tools::find_or_install(&cache, running)?;
    let recipe = rocksdb::Recipe::of(workspace, &tools)?;
    let (library, built) = recipe.find_or_build(&cache, running)?;
    let written = local::Settings { tools: &tools, library: &library }.write(workspace.root())?;
    let remark = match (built, written) {
        (true, _) => "RocksDB was built",
        (false, true) => ".cargo/local.toml was written",
        (false, false) => "",
    };
    Ok((Verdict::Passed, remark.to_owned()))
}

/// The Python of the test that needs one, or why it will be skipped: a machine without it is verified all the same.
pub(crate) fn test_python(running: &mut Running) -> Result<PathBuf, String> {
    let made = cache::Cache::open().and_then(|cache| python::find_or_make(&cache, running));
    made.map_err(|error| format!("its test is skipped: {error:#}"))
}
