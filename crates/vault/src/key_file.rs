//! Key files of a vault host: the epoch key, and the seed that capabilities are signed with.
//!
//! Their form is [`renkei_envelope::KeyFile`]'s. Only a build with the feature `dev-insecure` reads or writes one that is
//! not sealed.

use std::io;
use std::path::{Path, PathBuf};

use renkei_envelope::{FileKey, HostSecret, InvalidKeyFile, InvalidSealed, KeyEpoch, KeyFile};
use renkei_runtime::{SecretFileError, read_secret};
use zeroize::Zeroizing;

use crate::random::SystemRandom;

/// What a key file is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// The epoch key.
    Epoch,
    /// The Ed25519 seed of capabilities.
    Signing,
}

impl Purpose {
    /// The word in the file.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Epoch => "epoch",
            Self::Signing => "signing",
        }
    }

    const fn file(self) -> KeyFile {
        KeyFile { service: "vault", purpose: self.as_str() }
    }
}

/// Why a key file was not read or written.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each message says what its fields are")]
pub enum KeyFileError {
    #[error("reading a key file")]
    Read(#[from] SecretFileError),
    #[error("writing {}", path.display())]
    Write {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("{} is no vault key file, or none of this version", path.display())]
    Format { path: PathBuf },
    #[error("{} is not the {} key", path.display(), purpose.as_str())]
    OtherPurpose { path: PathBuf, purpose: Purpose },
    #[error("{} is sealed to a host secret, and none is configured", path.display())]
    NoHostSecret { path: PathBuf },
    #[error("the host secret {} does not have 32 bytes", path.display())]
    HostSecret { path: PathBuf },
    #[error("{} is not sealed; only a development build takes it", path.display())]
    Unsealed { path: PathBuf },
    #[error("opening {}", path.display())]
    Sealed {
        path: PathBuf,
        #[source]
        source: InvalidSealed,
    },
}

/// Reads a host secret: a file of 32 bytes, closed to others.
pub(crate) fn host_secret(path: &Path) -> Result<HostSecret, KeyFileError> {
    let bytes = read_secret(path)?;
    HostSecret::try_from(&bytes[..]).map_err(|_| KeyFileError::HostSecret { path: path.to_owned() })
}

/// Reads a key file.
pub(crate) fn read(path: &Path, purpose: Purpose, host: Option<&HostSecret>) -> Result<FileKey, KeyFileError> {
    parse(&read_secret(path)?, path, purpose, host)
}

/// The key of a file's content; `path` is for the error.
///
/// # Errors
/// [`KeyFileError`], of each kind but reading and writing.
pub fn parse(
    content: &[u8],
    path: &Path,
    purpose: Purpose,
    host: Option<&HostSecret>,
) -> Result<FileKey, KeyFileError> {
    let path = || path.to_owned();
    let key = purpose.file().read(content, host).map_err(|invalid| match invalid {
        InvalidKeyFile::Format => KeyFileError::Format { path: path() },
        InvalidKeyFile::OtherPurpose => KeyFileError::OtherPurpose { path: path(), purpose },
        InvalidKeyFile::NoHostSecret => KeyFileError::NoHostSecret { path: path() },
        InvalidKeyFile::Sealed(source) => KeyFileError::Sealed { path: path(), source },
    })?;
    if key.sealed || cfg!(feature = "dev-insecure") { Ok(key) } else { Err(KeyFileError::Unsealed { path: path() }) }
}

/// The text of a key file, sealed to a host secret where there is one.
pub fn text(purpose: Purpose, epoch: KeyEpoch, key: &[u8; 32], host: Option<&HostSecret>) -> Zeroizing<String> {
    purpose.file().text(epoch, key, host, &SystemRandom)
}
