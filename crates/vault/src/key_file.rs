//! Key files of a vault host: the epoch key, and the seed that capabilities are signed with.
//!
//! ```text
//! renkei vault key 1
//! purpose epoch            (or: signing)
//! epoch 1
//! seal host                (or: none)
//! 4f5e…                    hexadecimal: the sealed form of 61 bytes, or the 32 bytes of the key itself
//! ```
//!
//! `seal host` is AES-256-GCM under a key derived from the host secret, bound to purpose and epoch. `seal none` protects
//! by the file's mode alone; only a build with the feature `dev-insecure` reads or writes it.

use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};

use renkei_envelope::{HostSecret, InvalidSealed, KeyEpoch, SealedFileKey};
use renkei_runtime::{SecretFileError, read_secret};
use zeroize::Zeroizing;

use crate::random::SystemRandom;

const TITLE: &str = "renkei vault key 1";

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

/// A key as its file gave it.
pub struct FileKey {
    /// Of which epoch it is.
    pub epoch: KeyEpoch,
    /// The key itself.
    pub key: Zeroizing<[u8; 32]>,
    /// Whether the file was sealed to a host secret.
    pub sealed: bool,
}

impl core::fmt::Debug for FileKey {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("FileKey(..)")
    }
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
    let format = || KeyFileError::Format { path: path.to_owned() };
    let text = core::str::from_utf8(content).map_err(|_| format())?;
    let lines: Vec<&str> = text.lines().collect();
    let &[TITLE, named, epoch, seal, key] = &lines[..] else { return Err(format()) };
    if named.strip_prefix("purpose ") != Some(purpose.as_str()) {
        return Err(KeyFileError::OtherPurpose { path: path.to_owned(), purpose });
    }
    let epoch = epoch.strip_prefix("epoch ").and_then(|number| number.parse().ok()).filter(|epoch| *epoch > 0);
    let epoch = KeyEpoch(epoch.ok_or_else(format)?);
    let bytes = from_hex(key).ok_or_else(format)?;
    match seal {
        "seal host" => {
            let host = host.ok_or_else(|| KeyFileError::NoHostSecret { path: path.to_owned() })?;
            let sealed = bytes::Bytes::copy_from_slice(&bytes).try_into().map_err(|_| format())?;
            let key = host
                .open_file_key((purpose.as_str(), epoch), &sealed)
                .map_err(|source| KeyFileError::Sealed { path: path.to_owned(), source })?;
            Ok(FileKey { epoch, key, sealed: true })
        }
        "seal none" if cfg!(feature = "dev-insecure") => {
            let key = bytes[..].try_into().map(Zeroizing::new).map_err(|_| format())?;
            Ok(FileKey { epoch, key, sealed: false })
        }
        "seal none" => Err(KeyFileError::Unsealed { path: path.to_owned() }),
        _ => Err(format()),
    }
}

/// The text of a key file, sealed to a host secret where there is one.
pub fn text(purpose: Purpose, epoch: KeyEpoch, key: &[u8; 32], host: Option<&HostSecret>) -> Zeroizing<String> {
    let sealed: Option<SealedFileKey> =
        host.map(|host| host.seal_file_key((purpose.as_str(), epoch), key, &SystemRandom));
    let (seal, bytes) = match &sealed {
        Some(sealed) => ("host", &sealed.as_bytes()[..]),
        None => ("none", &key[..]),
    };
    // Of its full size from the start: a growing string would leave copies of the key behind.
    let mut text = Zeroizing::new(String::with_capacity(256));
    write!(text, "{TITLE}\npurpose {}\nepoch {}\nseal {seal}\n", purpose.as_str(), epoch.0)
        .and_then(|()| bytes.iter().try_for_each(|byte| write!(text, "{byte:02x}")))
        .expect("a String takes all text");
    text.push('\n');
    text
}

fn from_hex(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    let (pairs, []) = text.as_bytes().as_chunks::<2>() else { return None };
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let mut bytes = Zeroizing::new(Vec::with_capacity(pairs.len()));
    for [high, low] in pairs {
        bytes.push(digit(*high)? << 4 | digit(*low)?);
    }
    Some(bytes)
}
