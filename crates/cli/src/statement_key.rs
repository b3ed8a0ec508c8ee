//! Key files of those who sign statements: officers, and institutions for who acts.

use std::fmt;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use renkei_access::{Actor, Login, StatementKey};
use renkei_envelope::{HostSecret, KeyEpoch, KeyFile, Random};
use renkei_ids::{Clock as _, UnixMinute};
use renkei_runtime::{SystemClock, read_secret};
use serde::Serialize;
use zeroize::Zeroizing;

use crate::arguments::{CertsKeySettings, SignActorSettings};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::Output;

/// Whose key it is.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Signer {
    /// Signs directories.
    Officer,
    /// Signs who acts for it.
    Institution,
}

#[derive(Debug, Serialize)]
struct Made {
    key: PathBuf,
    /// An officer's is for the processes' configuration, an institution's for the directory.
    public: String,
    sealed: bool,
}

/// An actor in its file.
#[derive(Debug, Serialize)]
struct Signed {
    actor: PathBuf,
    role: &'static str,
    minutes: u32,
}

struct SystemRandom;

impl Random for SystemRandom {
    fn fill(&self, into: &mut [u8]) {
        rand::fill(into);
    }
}

impl Signer {
    const fn file(self) -> KeyFile {
        match self {
            Self::Officer => KeyFile { service: "officer", purpose: "directory" },
            Self::Institution => KeyFile { service: "institution", purpose: "actors" },
        }
    }
}

/// Makes a key.
pub(crate) fn make(signer: Signer, settings: &CertsKeySettings, output: Output) -> Result<Exit, Failure> {
    let CertsKeySettings { key: path, secret } = settings;
    let secret = secret.as_deref().map(read_host_secret).transpose()?;
    let mut seed = Zeroizing::new([0; 32]);
    SystemRandom.fill(&mut seed[..]);
    let text = signer.file().text(KeyEpoch(1), &seed, secret.as_ref(), &SystemRandom);
    write_new(path, text.as_bytes())?;
    let public = StatementKey::from_seed(&seed).verifying_key().to_hex();
    output.print(&Made { key: path.clone(), public, sealed: secret.is_some() })?;
    Ok(Exit::Done)
}

/// Signs who acts.
pub(crate) fn sign_actor(settings: SignActorSettings, output: Output) -> Result<Exit, Failure> {
    let SignActorSettings { key, secret, cloud, institution, actor, role, step_up, minutes, output: path } = settings;
    let key = read(Signer::Institution, &key, secret.as_deref())?;
    let issued = UnixMinute::of(SystemClock::new().now());
    let actor = Actor {
        audience: cloud,
        institution,
        name: actor,
        role,
        login: if step_up { Login::StepUp } else { Login::TwoFactor },
        session: rand::random(),
        response_key: None,
        issued,
        expires: issued.plus(minutes),
    };
    let signed = actor.sign(&key).map_err(|source| Failure::Actor { source })?;
    write_new(&path, signed.as_bytes())?;
    output.print(&Signed { actor: path, role: role.as_str(), minutes })?;
    Ok(Exit::Done)
}

/// A key, from a file that only its owner can read.
pub(crate) fn read(signer: Signer, path: &Path, secret: Option<&Path>) -> Result<StatementKey, Failure> {
    let secret = secret.map(read_host_secret).transpose()?;
    let text = read_secret(path).map_err(|source| Failure::Secret { source })?;
    let key = signer.file().read(&text, secret.as_ref());
    let key = key.map_err(|source| Failure::StatementKey { path: path.to_owned(), source })?;
    Ok(StatementKey::from_seed(&key.key))
}

/// For its owner only. A file that is there is not replaced: a key that is signs nothing any more.
fn write_new(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let written = || {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
        file.write_all(bytes)?;
        file.sync_all()
    };
    written().map_err(|source| Failure::Write { path: path.to_owned(), source })
}

fn read_host_secret(path: &Path) -> Result<HostSecret, Failure> {
    let bytes = read_secret(path).map_err(|source| Failure::Secret { source })?;
    HostSecret::try_from(&bytes[..]).map_err(|_| Failure::SecretLength { path: path.to_owned() })
}

impl fmt::Display for Made {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { key, public, sealed } = self;
        writeln!(f, "made {}{}", key.display(), if *sealed { "" } else { ", NOT SEALED: its mode alone protects it" })?;
        writeln!(f, "public key {public}")
    }
}

impl fmt::Display for Signed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { actor, role, minutes } = self;
        writeln!(f, "signed a {role} for {minutes} minutes: {}", actor.display())
    }
}
