//! Whom to ask, and as whom.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use renkei_ids::CloudId;
use renkei_runtime::{Address, ExpectedPeer, Http2, Role, SystemClock, Tls, TlsFiles};
use serde::Deserialize;
use tonic::transport::Channel;

use crate::failure::Failure;

/// Key holders, registrars, insurers and their operators belong to no cloud.
pub(crate) const NO_CLOUD: CloudId = CloudId::from_bytes([0; 16]);

/// Whom to ask, and as whom: a file, and flags over it.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "Connection")]
pub(crate) struct Connection {
    /// TOML file with the keys `endpoints`, `certificate`, `key` and `ca`; flags go over it. Relative paths in it begin
    /// at its own directory.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    /// The caller's certificate, PEM.
    #[arg(long, value_name = "FILE")]
    certificate: Option<PathBuf>,

    /// Its private key, PEM, mode 0600 or 0400.
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,

    /// The authorities that are trusted, PEM.
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
}

/// The file.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Profile {
    endpoints: Vec<Address>,
    certificate: Option<PathBuf>,
    key: Option<PathBuf>,
    ca: Option<PathBuf>,
}

/// An identity that calls with, and the endpoints that the configuration names.
#[derive(Debug)]
pub(crate) struct Caller {
    tls: Tls,
    pub(crate) endpoints: Vec<Address>,
}

impl Connection {
    /// Reads the files.
    pub(crate) fn open(self) -> Result<Caller, Failure> {
        let profile = match &self.config {
            Some(path) => Profile::read(path)?,
            None => Profile::default(),
        };
        let pick = |flag: Option<PathBuf>, file: Option<PathBuf>, what, name| {
            flag.or(file).ok_or(Failure::Missing { what, flag: name })
        };
        let files = TlsFiles {
            certificate: pick(self.certificate, profile.certificate, "a certificate", "--certificate")?,
            key: pick(self.key, profile.key, "the certificate's key", "--key")?,
            ca: pick(self.ca, profile.ca, "the trusted authority", "--ca")?,
        };
        Ok(Caller { endpoints: profile.endpoints, ..Caller::load(&files)? })
    }
}

impl Profile {
    fn read(path: &Path) -> Result<Self, Failure> {
        let text = fs::read_to_string(path).map_err(|source| Failure::Read { path: path.to_owned(), source })?;
        let mut profile: Self =
            toml::from_str(&text).map_err(|source| Failure::Config { path: path.to_owned(), source })?;
        let base = path.parent().unwrap_or(Path::new(""));
        for file in [&mut profile.certificate, &mut profile.key, &mut profile.ca].into_iter().flatten() {
            *file = base.join(&*file);
        }
        Ok(profile)
    }
}

impl Caller {
    /// Who these files say, without endpoints.
    pub(crate) fn load(files: &TlsFiles) -> Result<Self, Failure> {
        let tls = Tls::load(files, Arc::new(SystemClock::new())).map_err(|source| Failure::Tls { source })?;
        Ok(Self { tls, endpoints: Vec::new() })
    }

    /// A channel to a process of this role in the caller's own cloud. Call it inside the runtime.
    pub(crate) fn channel(&self, address: &Address, role: Role) -> Channel {
        self.channel_in(self.tls.identity().cloud, address, role)
    }

    /// A channel to a process of this role that belongs to no cloud.
    pub(crate) fn national_channel(&self, address: &Address, role: Role) -> Channel {
        self.channel_in(NO_CLOUD, address, role)
    }

    fn channel_in(&self, cloud: CloudId, address: &Address, role: Role) -> Channel {
        self.tls.channel(address, ExpectedPeer { cloud, role, name: None }, Http2::CALLS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relative_paths_begin_at_the_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("operator.toml");
        fs::write(&path, "endpoints = [\"n1.example:7001\"]\ncertificate = \"certs/o.pem\"\nca = \"/etc/ca.pem\"\n")
            .unwrap();
        let profile = Profile::read(&path).unwrap();
        assert_eq!(profile.certificate, Some(dir.path().join("certs/o.pem")));
        assert_eq!((profile.ca, profile.key), (Some("/etc/ca.pem".into()), None));
        assert_eq!(profile.endpoints[0].to_string(), "n1.example:7001");
    }

    #[test]
    fn an_unknown_key_and_a_missing_one_are_named() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("operator.toml");
        fs::write(&path, "endpoint = []\n").unwrap();
        let refused = renkei_runtime::Chain(&Profile::read(&path).unwrap_err()).to_string();
        assert!(refused.contains("unknown field `endpoint`"), "{refused}");
        let missing = Connection::default().open().unwrap_err();
        assert!(matches!(missing, Failure::Missing { flag: "--certificate", .. }));
    }
}
