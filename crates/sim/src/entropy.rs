//! What a process draws from the system for itself, made a function of the seed.
//!
//! Hash maps of the standard library, tokio's choice among the ready branches of a `select!` and among the waiters of a
//! `watch`, and openraft's election timeouts and tick phases all begin with the system's random bytes. So a simulation is
//! a process of its own, into which a small library is preloaded that answers for the system.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const SOURCE: &str = include_str!("entropy.c");
const SEED: &str = "RENKEI_SIM_ENTROPY";

/// The compiled library; deleted when dropped.
#[derive(Debug)]
pub struct Entropy {
    library: PathBuf,
    _dir: tempfile::TempDir,
}

/// Why there is none.
#[derive(Debug, thiserror::Error)]
pub enum NoEntropy {
    /// Files could not be written.
    #[error("write the source of the entropy library")]
    Write(#[source] io::Error),
    /// There is no C compiler.
    #[error("start the C compiler `cc`")]
    Compiler(#[source] io::Error),
    /// The compiler refused.
    #[error("the C compiler said: {0}")]
    Compile(String),
}

impl Entropy {
    /// Compiles the library with the system's `cc`.
    ///
    /// # Errors
    /// [`NoEntropy`].
    pub fn compile() -> Result<Self, NoEntropy> {
        let dir = tempfile::tempdir().map_err(NoEntropy::Write)?;
        let (source, library) = (dir.path().join("entropy.c"), dir.path().join("entropy.so"));
        fs::write(&source, SOURCE).map_err(NoEntropy::Write)?;
        let mut compiler = Command::new("cc");
        let output = compiler.args(["-shared", "-fPIC", "-O2", "-o"]).arg(&library).arg(&source).output();
        let Output { status, stderr, .. } = output.map_err(NoEntropy::Compiler)?;
        if !status.success() {
            return Err(NoEntropy::Compile(String::from_utf8_lossy(&stderr).into_owned()));
        }
        Ok(Self { library, _dir: dir })
    }

    /// The command that runs `program` with everything it draws decided by `seed`.
    pub fn command(&self, program: &Path, seed: u64) -> Command {
        let mut command = Command::new(program);
        command.env("LD_PRELOAD", &self.library).env(SEED, seed.to_string());
        command
    }
}
