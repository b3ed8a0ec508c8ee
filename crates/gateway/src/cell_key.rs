//! The cell's own key: what registrars seal a ticket's commitments to, so that the cell can tell whose a document is. Its
//! file is sealed to the host's secret; no build does without. The form is [`renkei_envelope::KeyFile`]'s.

use std::fs::{DirBuilder, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use renkei_envelope::{CellSecret, HostSecret, InvalidKeyFile, KeyEpoch, KeyFile};
use renkei_runtime::{SecretFileError, read_secret};

use crate::random::SystemRandom;

const CELL: KeyFile = KeyFile { service: "gateway", purpose: "cell" };
/// There is no rotation yet: a cell with another key is another entry of the directory.
const EPOCH: KeyEpoch = KeyEpoch(1);

/// Why the cell's key was not read or made.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each message says what its fields are")]
pub enum CellKeyError {
    #[error("reading a key file")]
    Read(#[from] SecretFileError),
    #[error("writing {}; key files are never replaced", path.display())]
    Write {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("the host secret {} does not have 32 bytes", path.display())]
    HostSecret { path: PathBuf },
    #[error("reading {}", path.display())]
    Invalid {
        path: PathBuf,
        #[source]
        source: InvalidKeyFile,
    },
    #[error("{} is not sealed to the host secret", path.display())]
    Unsealed { path: PathBuf },
}

/// Reads the cell's key.
pub(crate) fn read(path: &Path, host_secret: &Path) -> Result<CellSecret, CellKeyError> {
    let host = host(host_secret)?;
    let invalid = |source| CellKeyError::Invalid { path: path.to_owned(), source };
    let file = CELL.read(&read_secret(path)?, Some(&host)).map_err(invalid)?;
    if file.sealed {
        Ok(CellSecret::from_bytes(*file.key))
    } else {
        Err(CellKeyError::Unsealed { path: path.to_owned() })
    }
}

/// Makes `cell.key`, sealed to the host secret (a file of 32 bytes), and `cell.pub` (64 hexadecimal digits, for the
/// directory) in `dir`; files of mode 0600, the directory 0700.
///
/// # Errors
/// [`CellKeyError`]; a key that was there is as before.
pub fn setup(dir: &Path, host_secret: &Path) -> Result<(), CellKeyError> {
    let host = host(host_secret)?;
    let failed = |source| CellKeyError::Write { path: dir.to_owned(), source };
    DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(failed)?;
    let secret = CellSecret::random(&SystemRandom);
    let public: String = secret.public().as_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    write(&dir.join("cell.key"), &CELL.text(EPOCH, secret.expose(), Some(&host), &SystemRandom))?;
    write(&dir.join("cell.pub"), &format!("{public}\n"))
}

fn host(path: &Path) -> Result<HostSecret, CellKeyError> {
    let bytes = read_secret(path)?;
    HostSecret::try_from(&bytes[..]).map_err(|_| CellKeyError::HostSecret { path: path.to_owned() })
}

fn write(path: &Path, text: &str) -> Result<(), CellKeyError> {
    let written = || {
        // create_new: with a key that is replaced the documents of every open ticket would be refused.
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()
    };
    written().map_err(|source| CellKeyError::Write { path: path.to_owned(), source })
}
