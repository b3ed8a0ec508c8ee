//! Makes the key files of a vault host, once.

use std::fs::{DirBuilder, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use renkei_access::SigningKey;
use renkei_envelope::KeyEpoch;
use zeroize::Zeroizing;

use crate::key_file::{self, KeyFileError, Purpose};
use crate::random::draw;

/// Why no keys were made.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each message says what its fields are")]
pub enum SetupError {
    #[error("this build makes no key files that are not sealed: give a host secret")]
    NoHostSecret,
    #[error("reading the host secret")]
    HostSecret(#[source] KeyFileError),
    #[error("writing {}; key files are never replaced", path.display())]
    Write {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
}

/// Makes `epoch.key`, `signing.key` and `signing.pub` (64 hexadecimal digits, for the nodes) in `dir`; files of mode
/// 0600, the directory 0700. With a host secret (a file of 32 bytes) the keys are sealed to it.
///
/// # Errors
/// [`SetupError`]; files that were there are as before.
pub fn setup(dir: &Path, host_secret: Option<&Path>) -> Result<(), SetupError> {
    let host = host_secret.map(key_file::host_secret).transpose().map_err(SetupError::HostSecret)?;
    if host.is_none() && !cfg!(feature = "dev-insecure") {
        return Err(SetupError::NoHostSecret);
    }
    let failed = |source| SetupError::Write { path: dir.to_owned(), source };
    DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(failed)?;
    let (epoch, seed) = (Zeroizing::new(draw::<32>()), Zeroizing::new(draw::<32>()));
    let public = SigningKey::from_seed(&seed).verifying_key().to_hex();
    let first = KeyEpoch(1);
    write(&dir.join("epoch.key"), &key_file::text(Purpose::Epoch, first, &epoch, host.as_ref()))?;
    write(&dir.join("signing.key"), &key_file::text(Purpose::Signing, first, &seed, host.as_ref()))?;
    write(&dir.join("signing.pub"), &format!("{public}\n"))
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
