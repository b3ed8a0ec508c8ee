//! Makes the factor secret of an epoch, once.

use std::io;
use std::path::{Path, PathBuf};

use renkei_envelope::Random as _;
use zeroize::Zeroizing;

use crate::disk;
use crate::key_file::{self, FACTORS, KeyFileError};
use crate::random::SystemRandom;

/// Why no secret was made.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each message says what its fields are")]
pub enum SetupError {
    #[error("making {}", dir.display())]
    Directory {
        dir: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("making the secret of an epoch")]
    KeyFile(#[from] KeyFileError),
}

/// Makes `factors-<epoch>.key` in `dir`, of mode 0600 and sealed to the host secret, a file of 32 bytes.
///
/// # Errors
/// [`SetupError`]; a file that was there is as before, for with it every pseudonym of the epoch would be lost.
pub fn setup(dir: &Path, epoch: u32, host_secret: &Path) -> Result<(), SetupError> {
    let host = key_file::host_secret(host_secret)?;
    disk::make_dir(dir).map_err(|source| SetupError::Directory { dir: dir.to_owned(), source })?;
    let mut secret = Zeroizing::new([0; 32]);
    SystemRandom.fill(&mut secret[..]);
    key_file::write(&key_file::factors_path(dir, epoch), (FACTORS, epoch), &secret, &host)?;
    Ok(())
}
