//! Makes the key files of a vault host, once: new ones, or those of the vault's first host.

use std::fs::{DirBuilder, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use renkei_access::SigningKey;
use renkei_envelope::KeyEpoch;
use zeroize::Zeroizing;

use crate::key_file::{self, KeyFileError, Purpose};
use crate::random::draw;

const EPOCH_FILE: &str = "epoch.key";
const SIGNING_FILE: &str = "signing.key";

/// Why no keys were made.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each message says what its fields are")]
pub enum SetupError {
    #[error("this build makes no key files that are not sealed: give a host secret")]
    NoHostSecret,
    #[error("reading a host secret")]
    HostSecret(#[source] KeyFileError),
    #[error("reading the keys to start from")]
    From(#[source] KeyFileError),
    #[error("writing {}; key files are never replaced", path.display())]
    Write {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
}

/// Key files that were made before: those of another host of the same vault.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    /// Their directory.
    pub dir: &'a Path,
    /// What they are sealed to: the other host's secret, or one of its own for the way between the two.
    pub secret: Option<&'a Path>,
}

/// Makes `epoch.key`, `signing.key` and `signing.pub` (64 hexadecimal digits, for the nodes) in `dir`; files of mode
/// 0600, the directory 0700. With a host secret (a file of 32 bytes) the keys are sealed to it. The keys are new, or those
/// of `from`, for all replicas of a vault have the same.
///
/// # Errors
/// [`SetupError`]; files that were there are as before.
pub fn setup(dir: &Path, host_secret: Option<&Path>, from: Option<Source<'_>>) -> Result<(), SetupError> {
    let host = host_secret.map(key_file::host_secret).transpose().map_err(SetupError::HostSecret)?;
    if host.is_none() && !cfg!(feature = "dev-insecure") {
        return Err(SetupError::NoHostSecret);
    }
    let keys = from.map_or_else(|| Ok(Made::new()), Made::read)?;
    let failed = |source| SetupError::Write { path: dir.to_owned(), source };
    DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(failed)?;
    let Made { epoch, key, seed } = keys;
    let public = SigningKey::from_seed(&seed).verifying_key().to_hex();
    write(&dir.join(EPOCH_FILE), &key_file::text(Purpose::Epoch, epoch, &key, host.as_ref()))?;
    write(&dir.join(SIGNING_FILE), &key_file::text(Purpose::Signing, epoch, &seed, host.as_ref()))?;
    write(&dir.join("signing.pub"), &format!("{public}\n"))
}

/// The keys of a vault on their way to a host.
struct Made {
    epoch: KeyEpoch,
    key: Zeroizing<[u8; 32]>,
    seed: Zeroizing<[u8; 32]>,
}

impl Made {
    fn new() -> Self {
        Self { epoch: KeyEpoch(1), key: Zeroizing::new(draw()), seed: Zeroizing::new(draw()) }
    }

    fn read(from: Source<'_>) -> Result<Self, SetupError> {
        let Source { dir, secret } = from;
        let secret = secret.map(key_file::host_secret).transpose().map_err(SetupError::HostSecret)?;
        let read = |name, purpose| key_file::read(&dir.join(name), purpose, secret.as_ref()).map_err(SetupError::From);
        let (key, seed) = (read(EPOCH_FILE, Purpose::Epoch)?, read(SIGNING_FILE, Purpose::Signing)?);
        Ok(Self { epoch: key.epoch, key: key.key, seed: seed.key })
    }
}

fn write(path: &Path, text: &str) -> Result<(), SetupError> {
    let written = || {
        // create_new: a key that is replaced is every patient lost.
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()
    };
    written().map_err(|source| SetupError::Write { path: path.to_owned(), source })
}
