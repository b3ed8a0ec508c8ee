//! Key files of a key holder's host: the factor secret of each epoch, and the ticket secret of each day. All are sealed to
//! the host's secret; no build does without. Their form is [`renkei_envelope::KeyFile`]'s.

use std::io;
use std::path::{Path, PathBuf};

use renkei_envelope::{HostSecret, InvalidKeyFile, KeyEpoch, KeyFile};
use renkei_runtime::{SecretFileError, read_secret};
use zeroize::Zeroizing;

use crate::disk;
use crate::random::SystemRandom;

/// What factors of one epoch grow from; the file's epoch is that of the pseudonym keys.
pub(crate) const FACTORS: KeyFile = KeyFile { service: "key holder", purpose: "factors" };
/// What ticket keys of one day grow from; the file's epoch is the day.
pub(crate) const TICKETS: KeyFile = KeyFile { service: "key holder", purpose: "tickets" };

/// Why a key file was not read or written.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each message says what its fields are")]
pub enum KeyFileError {
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
    #[error("{} is of epoch {actual}, not {expected}", path.display())]
    OtherEpoch { path: PathBuf, expected: u32, actual: u32 },
}

/// Reads a host secret: a file of 32 bytes, closed to others.
pub(crate) fn host_secret(path: &Path) -> Result<HostSecret, KeyFileError> {
    let bytes = read_secret(path)?;
    HostSecret::try_from(&bytes[..]).map_err(|_| KeyFileError::HostSecret { path: path.to_owned() })
}

/// Where the factor secret of an epoch lies.
pub(crate) fn factors_path(dir: &Path, epoch: u32) -> PathBuf {
    dir.join(format!("factors-{epoch}.key"))
}

/// Reads the key of this kind and epoch.
pub(crate) fn read(
    path: &Path,
    (kind, epoch): (KeyFile, u32),
    host: &HostSecret,
) -> Result<Zeroizing<[u8; 32]>, KeyFileError> {
    let bytes = read_secret(path)?;
    let file =
        kind.read(&bytes, Some(host)).map_err(|source| KeyFileError::Invalid { path: path.to_owned(), source })?;
    if !file.sealed {
        return Err(KeyFileError::Unsealed { path: path.to_owned() });
    }
    let KeyEpoch(actual) = file.epoch;
    if actual != epoch {
        return Err(KeyFileError::OtherEpoch { path: path.to_owned(), expected: epoch, actual });
    }
    Ok(file.key)
}

/// Writes a key of this kind and epoch, sealed; one that is there stays.
pub(crate) fn write(
    path: &Path,
    (kind, epoch): (KeyFile, u32),
    key: &[u8; 32],
    host: &HostSecret,
) -> Result<(), KeyFileError> {
    let text = kind.text(KeyEpoch(epoch), key, Some(host), &SystemRandom);
    disk::create(path, text.as_bytes()).map_err(|source| KeyFileError::Write { path: path.to_owned(), source })
}
