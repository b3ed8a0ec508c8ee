//! Key files of a registrar's host, all sealed to the host's secret; no build does without. Every replica has the same
//! keys. Their form is [`renkei_envelope::KeyFile`]'s.

use std::io;
use std::path::{Path, PathBuf};

use renkei_access::StatementKey;
use renkei_envelope::{DayKey, HostSecret, InvalidKeyFile, KeyEpoch, KeyFile, MarkKey, RegistrarKey, SeedKey};
use renkei_runtime::{SecretFileError, SystemRandom, read_secret};
use zeroize::Zeroizing;

use crate::keys::Keys;

/// There is one epoch of each so far.
const EPOCH: KeyEpoch = KeyEpoch(1);

/// What a key file is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Indexes and seals what is known of persons.
    Registrar,
    /// Seals their seeds.
    Seeds,
    /// Makes their marks.
    Marks,
    /// Seals the secrets of days.
    Days,
    /// Signs tickets.
    Signing,
}

impl Purpose {
    pub(crate) const EVERY: [Self; 5] = [Self::Registrar, Self::Seeds, Self::Marks, Self::Days, Self::Signing];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Registrar => "registrar",
            Self::Seeds => "seeds",
            Self::Marks => "marks",
            Self::Days => "days",
            Self::Signing => "signing",
        }
    }

    pub(crate) fn path(self, dir: &Path) -> PathBuf {
        dir.join(format!("{}.key", self.as_str()))
    }

    const fn file(self) -> KeyFile {
        KeyFile { service: "registrar", purpose: self.as_str() }
    }

    /// The text of its file.
    pub(crate) fn text(self, key: &[u8; 32], host: &HostSecret) -> Zeroizing<String> {
        self.file().text(EPOCH, key, Some(host), &SystemRandom)
    }

    /// Reads its file.
    pub(crate) fn read(self, dir: &Path, host: &HostSecret) -> Result<Zeroizing<[u8; 32]>, KeyFileError> {
        let path = self.path(dir);
        let bytes = read_secret(&path)?;
        match self.file().read(&bytes, Some(host)) {
            Ok(file) if file.sealed && file.epoch == EPOCH => Ok(file.key),
            Ok(_) => Err(KeyFileError::Unsealed { path }),
            Err(source) => Err(KeyFileError::Invalid { path, source }),
        }
    }
}

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
    #[error("{} is not sealed to the host secret, or of another epoch", path.display())]
    Unsealed { path: PathBuf },
}

/// Reads a host secret: a file of 32 bytes, closed to others.
pub(crate) fn host_secret(path: &Path) -> Result<HostSecret, KeyFileError> {
    let bytes = read_secret(path)?;
    HostSecret::try_from(&bytes[..]).map_err(|_| KeyFileError::HostSecret { path: path.to_owned() })
}

/// Reads every key of a host.
pub(crate) fn read_keys(dir: &Path, host: &HostSecret) -> Result<Keys, KeyFileError> {
    Ok(Keys {
        registrar: RegistrarKey::from_bytes(*Purpose::Registrar.read(dir, host)?),
        seeds: SeedKey::from_bytes(*Purpose::Seeds.read(dir, host)?),
        marks: MarkKey::from_bytes(*Purpose::Marks.read(dir, host)?),
        days: DayKey::from_bytes(*Purpose::Days.read(dir, host)?),
        signing: StatementKey::from_seed(&*Purpose::Signing.read(dir, host)?),
    })
}
