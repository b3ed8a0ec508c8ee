//! A certificate authority for development and tests, and the certificates it issues.
//!
//! Keys are ECDSA P-256: every TLS stack takes them, those of Go and Python clients included, which Ed25519 is not
//! true of. The authority carries the mark that makes it a development CA (`renkei_runtime::DEVELOPMENT_ORGANISATION`),
//! so that nothing which trusts it can be mistaken for production.

use std::fs;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, SanType,
};
use renkei_ids::{CloudId, UnixMillis};
use renkei_runtime::{DEVELOPMENT_ORGANISATION, InvalidIdentity, PeerIdentity, Role, TlsFiles};
use time::OffsetDateTime;

use crate::private;

/// How long a development certificate lives.
pub const DEFAULT_LIFE: Duration = Duration::from_secs(90 * 86_400);
/// How long the authority lives.
const AUTHORITY_LIFE: Duration = Duration::from_secs(10 * 365 * 86_400);
/// Certificates begin this long before they are made, for clocks that lag.
const BACKDATED: Duration = Duration::from_secs(86_400);

const AUTHORITY_FILE: &str = "ca.pem";
const AUTHORITY_KEY_FILE: &str = "ca.key";

/// Why a certificate was not made.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each message says what its fields are")]
pub enum CertError {
    #[error("writing {}", path.display())]
    Write {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("reading {}", path.display())]
    Read {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("making a certificate of {role} {name}")]
    Make {
        role: &'static str,
        name: String,
        #[source]
        source: rcgen::Error,
    },
    #[error("naming a certificate of {role} {name}")]
    Name {
        role: &'static str,
        name: String,
        #[source]
        source: InvalidIdentity,
    },
    #[error("{0:?} is no moment that a certificate can name")]
    Moment(UnixMillis),
}

/// What a certificate is issued for.
#[derive(Clone, Debug)]
pub struct Leaf {
    /// The cloud; all zeros for those that belong to none.
    pub cloud: CloudId,
    /// The role.
    pub role: Role,
    /// The name within the role.
    pub name: String,
    /// Host names and addresses besides `localhost`, `127.0.0.1` and `::1`.
    pub hosts: Vec<String>,
    /// First moment.
    pub begins: UnixMillis,
    /// Last moment.
    pub ends: UnixMillis,
}

impl Leaf {
    /// A certificate for processes on this machine, for [`DEFAULT_LIFE`] from `now`.
    pub fn local(cloud: CloudId, role: Role, name: impl Into<String>, now: UnixMillis) -> Self {
        Self { cloud, role, name: name.into(), hosts: Vec::new(), begins: before(now), ends: after(now, DEFAULT_LIFE) }
    }
}

/// An authority and the directory of what it has issued: `ca.pem`, `ca.key`, and `<role>-<name>.pem` and `.key`.
///
/// The directory has mode 0700, every file 0600.
pub struct Authority {
    dir: PathBuf,
    issuer: Issuer<'static, KeyPair>,
}

impl std::fmt::Debug for Authority {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Authority").field("dir", &self.dir).finish_non_exhaustive()
    }
}

impl Authority {
    /// A new development CA in `dir`, which replaces one that is there.
    pub fn development(dir: &Path, now: UnixMillis) -> Result<Self, CertError> {
        Self::create(dir, DEVELOPMENT_ORGANISATION, now)
    }

    /// A new CA of any organisation: what a test of the difference needs.
    pub fn create(dir: &Path, organisation: &str, now: UnixMillis) -> Result<Self, CertError> {
        private::dir(dir).map_err(|source| CertError::Write { path: dir.to_owned(), source })?;
        let params = authority_params(organisation, now)?;
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(authority_failed)?;
        let certificate = params.self_signed(&key).map_err(authority_failed)?;
        write(&dir.join(AUTHORITY_KEY_FILE), &key.serialize_pem())?;
        write(&dir.join(AUTHORITY_FILE), &certificate.pem())?;
        Ok(Self { dir: dir.to_owned(), issuer: Issuer::new(params, key) })
    }

    /// The development CA that [`Authority::development`] made in `dir`.
    pub fn open(dir: &Path, now: UnixMillis) -> Result<Self, CertError> {
        let path = dir.join(AUTHORITY_KEY_FILE);
        let pem = fs::read_to_string(&path).map_err(|source| CertError::Read { path, source })?;
        let key = KeyPair::from_pem(&pem).map_err(authority_failed)?;
        // Issuing takes of the authority its name and key only, and a development CA has always the same name.
        let params = authority_params(DEVELOPMENT_ORGANISATION, now)?;
        Ok(Self { dir: dir.to_owned(), issuer: Issuer::new(params, key) })
    }

    /// Issues a certificate with a new key, for servers and clients. An earlier one of this role and name is replaced,
    /// the certificate before the key, each in one step.
    pub fn issue(&self, leaf: &Leaf) -> Result<TlsFiles, CertError> {
        let Leaf { role, name, .. } = leaf;
        let failed = |source| CertError::Make { role: role.as_str(), name: name.clone(), source };
        let params = leaf_params(leaf)?;
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(failed)?;
        let certificate = params.signed_by(&key, &self.issuer).map_err(failed)?;
        let files = TlsFiles {
            certificate: self.dir.join(format!("{role}-{name}.pem")),
            key: self.dir.join(format!("{role}-{name}.key")),
            ca: self.authority_file(),
        };
        write(&files.certificate, &certificate.pem())?;
        write(&files.key, &key.serialize_pem())?;
        Ok(files)
    }

    /// The authority's certificate.
    pub fn authority_file(&self) -> PathBuf {
        self.dir.join(AUTHORITY_FILE)
    }
}

fn authority_params(organisation: &str, now: UnixMillis) -> Result<CertificateParams, CertError> {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::OrganizationName, organisation);
    params.distinguished_name.push(DnType::CommonName, organisation);
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.not_before = moment(before(now))?;
    params.not_after = moment(after(now, AUTHORITY_LIFE))?;
    Ok(params)
}

fn leaf_params(leaf: &Leaf) -> Result<CertificateParams, CertError> {
    let Leaf { cloud, role, name, hosts, begins, ends } = leaf;
    let uri = PeerIdentity::uri(*cloud, *role, name).map_err(|source| CertError::Name {
        role: role.as_str(),
        name: name.clone(),
        source,
    })?;
    let failed = |source| CertError::Make { role: role.as_str(), name: name.clone(), source };
    let names: Vec<String> = ["localhost".to_owned()].into_iter().chain(hosts.iter().cloned()).collect();
    // rcgen tells addresses from names.
    let mut params = CertificateParams::new(names).map_err(failed)?;
    params.subject_alt_names.push(SanType::IpAddress(IpAddr::V4(Ipv4Addr::LOCALHOST)));
    params.subject_alt_names.push(SanType::IpAddress(IpAddr::V6(Ipv6Addr::LOCALHOST)));
    params.subject_alt_names.push(SanType::URI(uri.try_into().map_err(failed)?));
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, format!("{role} {name}"));
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
    params.use_authority_key_identifier_extension = true;
    params.not_before = moment(*begins)?;
    params.not_after = moment(*ends)?;
    Ok(params)
}

fn authority_failed(source: rcgen::Error) -> CertError {
    CertError::Make { role: "authority", name: AUTHORITY_FILE.to_owned(), source }
}

fn write(path: &Path, pem: &str) -> Result<(), CertError> {
    private::file(path, pem.as_bytes()).map_err(|source| CertError::Write { path: path.to_owned(), source })
}

fn before(now: UnixMillis) -> UnixMillis {
    UnixMillis(now.0.saturating_sub(millis(BACKDATED)))
}

fn after(now: UnixMillis, life: Duration) -> UnixMillis {
    now.plus_millis(millis(life))
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

fn moment(at: UnixMillis) -> Result<OffsetDateTime, CertError> {
    i64::try_from(at.0 / 1000)
        .ok()
        .and_then(|seconds| OffsetDateTime::from_unix_timestamp(seconds).ok())
        .ok_or(CertError::Moment(at))
}
