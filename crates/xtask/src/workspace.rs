//! The workspace as cargo describes it, and the way to call cargo inside it.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, ensure};
use cargo_metadata::{Metadata, MetadataCommand};

/// Written by set-up for cargo; `cargo run` hands the old values to this process, which must not hand them on.
pub(crate) const LOCAL_VARIABLES: [&str; 5] =
    ["ROCKSDB_LIB_DIR", "ROCKSDB_STATIC", "ROCKSDB_COMPILE", "LIBCLANG_PATH", "BINDGEN_EXTRA_CLANG_ARGS"];

/// Variables that `cargo run` sets for this binary. A build script that watches one of them would run again.
const RUN_VARIABLES: [&str; 5] =
    ["CARGO_MANIFEST_DIR", "CARGO_MANIFEST_PATH", "CARGO_BIN_NAME", "CARGO_CRATE_NAME", "CARGO_PRIMARY_PACKAGE"];

/// Flags of every build that demo, tests and lints are made from: no production build has them.
pub(crate) const DEVELOPMENT: [&str; 2] =
    ["--features", "renkei-vault/dev-insecure,renkei-gateway/dev-insecure,renkei-node/faults,renkei-sim/faults"];

/// One small example among the targets of a build: cargo then resolves features as it does for tests, and neither kind of
/// build compiles a dependency of the other a second time.
pub(crate) const AS_FOR_TESTS: [&str; 2] = ["--example", "throughput"];

/// The workspace around the current directory, with its dependencies for this machine's platform.
#[derive(Debug)]
pub(crate) struct Workspace {
    metadata: Metadata,
}

impl Workspace {
    /// Asks cargo, which fetches sources that are missing.
    pub(crate) fn load() -> anyhow::Result<Self> {
        let mut command = MetadataCommand::new();
        command.other_options(vec!["--filter-platform".into(), host()?]);
        for variable in LOCAL_VARIABLES {
            command.env_remove(variable);
        }
        let metadata = command.exec().context("reading the workspace with `cargo metadata`")?;
        Ok(Self { metadata })
    }

    pub(crate) fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    pub(crate) fn root(&self) -> &Path {
        self.metadata.workspace_root.as_std_path()
    }

    /// Where cargo puts artifacts: CARGO_TARGET_DIR when it is set.
    pub(crate) fn target_dir(&self) -> &Path {
        self.metadata.target_directory.as_std_path()
    }

    /// Where the logs and times of the last verification are kept.
    pub(crate) fn log_dir(&self) -> PathBuf {
        self.target_dir().join("verify")
    }

    /// Cargo in the workspace's root, in the environment that a shell would give it.
    pub(crate) fn cargo(&self) -> Command {
        let mut command = Command::new(variable("CARGO").unwrap_or_else(|| "cargo".into()));
        command.current_dir(self.root());
        for variable in LOCAL_VARIABLES.into_iter().chain(RUN_VARIABLES) {
            command.env_remove(variable);
        }
        for (name, _) in variables().filter(|(name, _)| name.starts_with("CARGO_PKG_")) {
            command.env_remove(name);
        }
        command
    }
}

/// The platform of this machine as rustc names it, such as `x86_64-unknown-linux-gnu`.
fn host() -> anyhow::Result<String> {
    let output = Command::new("rustc").arg("-vV").output().context("asking rustc for the host's platform")?;
    ensure!(output.status.success(), "`rustc -vV` failed: {}", String::from_utf8_lossy(&output.stderr).trim());
    let text = String::from_utf8_lossy(&output.stdout);
    let host = text.lines().find_map(|line| line.strip_prefix("host: ")).context("`rustc -vV` names no host")?;
    Ok(host.trim().to_owned())
}

/// A variable of the environment, when it is set, not empty and text.
#[expect(clippy::disallowed_methods, reason = "the house runs before runtime exists")]
pub(crate) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

#[expect(clippy::disallowed_methods, reason = "the house runs before runtime exists")]
fn variables() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
}
