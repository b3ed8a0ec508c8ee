//! A Python with the gRPC packages, for the test that runs the client of `docs/INTEGRATION.md`.
//!
//! Nothing else depends on it: where it cannot be had that test is skipped, and no failure here is one of a verification.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, ensure};

use super::cache::{Cache, Key};
use super::system::{answer, install, is_root};
use crate::stages::Running;
use crate::workspace::variable;

/// Names the interpreter to tests. Set from outside, it is used as it is.
pub(crate) const TEST_PYTHON: &str = "RENKEI_TEST_PYTHON";

/// The versions that the client was tried with. They come as wheels only: compiling them takes longer than all tests.
const PACKAGES: [&str; 2] = ["grpcio==1.85.1", "grpcio-tools==1.85.1"];
const INSTALL_LIMIT: Duration = Duration::from_secs(5 * 60);
/// The client reads TOML with Python's own library, which came with 3.11.
const STANDARD: &str = "import tomllib, sys; print(sys.version, sys.base_prefix)";
const WHOLE: &str = "import tomllib, grpc, grpc_tools.protoc";
const SYSTEM: &str = "python3";
/// Of Debian and Ubuntu, and what it depends on.
const SYSTEM_PACKAGE: &str = "python3-venv";

/// An interpreter that has the packages: the one that the environment names, or a virtual environment in the cache.
pub(crate) fn find_or_make(cache: &Cache, running: &mut Running) -> anyhow::Result<PathBuf> {
    if let Some(named) = variable(TEST_PYTHON) {
        ensure!(is_whole(Path::new(&named)), "{TEST_PYTHON} names a Python that cannot `{WHOLE}`");
        return Ok(named.into());
    }
    if version(SYSTEM).is_none() && is_root() {
        install(&[SYSTEM_PACKAGE], running)?;
    }
    from(SYSTEM, cache, running)
}

/// An environment of this Python.
fn from(base: &str, cache: &Cache, running: &mut Running) -> anyhow::Result<PathBuf> {
    let version = version(base).with_context(|| format!("there is no {base}, or none from 3.11 on"))?;
    let (folder, _) = cache.find_or_make(&key(&version), |folder| make(base, folder, running))?;
    let python = interpreter(&folder);
    ensure!(is_whole(&python), "{} does not work any more; delete {}", python.display(), folder.display());
    Ok(python)
}

fn make(base: &str, folder: &Path, running: &mut Running) -> anyhow::Result<()> {
    let log = running.log();
    let environment = |running: &mut Running| -> anyhow::Result<bool> {
        let mut venv = Command::new(base);
        // Again over what a failed one has left.
        venv.args(["-m", "venv", "--clear"]).arg(folder.join("venv"));
        Ok(running.watch(&mut venv, &log, INSTALL_LIMIT)?.success())
    };
    if !environment(running)? {
        ensure!(is_root(), "{base} makes no virtual environment; {SYSTEM_PACKAGE} brings what it lacks");
        install(&[SYSTEM_PACKAGE], running)?;
        ensure!(environment(running)?, "{base} makes no virtual environment; see {}", log.display());
    }
    let python = interpreter(folder);
    let mut pip = Command::new(&python);
    pip.args(["-m", "pip", "install", "--no-input", "--disable-pip-version-check", "--only-binary", ":all:"]);
    // A machine without a network is told from a slow one within a minute.
    pip.args(["--retries", "1", "--timeout", "20"]).args(PACKAGES);
    let ending = running.watch(&mut pip, &log, INSTALL_LIMIT)?;
    ensure!(ending.success(), "pip could not install {}; see {}", PACKAGES.join(" "), log.display());
    ensure!(is_whole(&python), "{} are installed and cannot be imported", PACKAGES.join(" "));
    Ok(())
}

fn key(version: &str) -> Key {
    Key::new("python-grpc".into(), format!("{}\n{version}", PACKAGES.join("\n")))
}

/// The link to the interpreter works wherever the folder is moved; the scripts beside it do not, and are not used.
fn interpreter(folder: &Path) -> PathBuf {
    folder.join("venv").join("bin").join("python3")
}

/// Version and place of a Python; `None` where it is not there or too old.
fn version(python: &str) -> Option<String> {
    answer(Command::new(python).args(["-c", STANDARD]))
}

fn is_whole(python: &Path) -> bool {
    answer(Command::new(python).args(["-c", WHOLE])).is_some()
}

#[cfg(test)]
mod tests {
    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn another_python_gets_an_environment_of_its_own() {
        assert_eq!(key("3.11.7"), key("3.11.7"));
        assert_ne!(key("3.11.7").folder(), key("3.12.1").folder());
    }

    #[test]
    fn a_python_that_is_not_there_or_lacks_a_package_is_not_taken() {
        assert_eq!(version("no-such-python"), None);
        for python in ["/nonexistent/python3", "/bin/false"] {
            assert!(!is_whole(Path::new(python)), "{python}");
        }
    }

    #[test]
    fn a_download_that_fails_is_told_and_leaves_nothing_that_is_taken_for_a_result() {
        let folder = tempfile::tempdir().unwrap();
        // It has a version and makes environments, which hold itself; everything else fails, pip too.
        let base = folder.path().join("python");
        let script = "#!/bin/sh\ncase \"$*\" in\n*sys.version*) echo 3.99 ;;\n\
                      *venv*) mkdir -p \"$4/bin\" && cp \"$0\" \"$4/bin/python3\" ;;\n*) exit 1 ;;\nesac\n";
        std::fs::write(&base, script).unwrap();
        std::fs::set_permissions(&base, Permissions::from_mode(0o755)).unwrap();
        let cache = Cache::at(&folder.path().join("cache"));
        let made = from(base.to_str().unwrap(), &cache, &mut Running::for_test(folder.path()));
        let told = made.unwrap_err().to_string();
        assert!(told.starts_with("pip could not install grpcio=="), "{told}");
        assert!(cache.find(&key("3.99\n")).is_none());
    }
}
