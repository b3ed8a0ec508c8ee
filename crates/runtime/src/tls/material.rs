//! What the TLS files hold, checked as a whole.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use renkei_ids::Clock;
use rustls::client::{Resumption, WebPkiServerVerifier};
use rustls::crypto::CryptoProvider;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use rustls::server::{NoServerSessionStorage, VerifierBuilderError, WebPkiClientVerifier};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::time_provider::TimeProvider;
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use x509_parser::prelude::{FromDer, X509Certificate};
use zeroize::Zeroize;

use super::ALPN;
use crate::{InvalidIdentity, PeerIdentity, SecretFileError, TlsFiles, read_secret};

/// Organisation in the subject of a development CA: what makes it one.
pub const DEVELOPMENT_ORGANISATION: &str = "renkei development CA";

/// Largest certificate or CA file, in bytes.
const MAX_CERTIFICATE_BYTES: u64 = 1 << 20;

/// Why TLS files were not taken.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each message says what its fields are")]
pub enum TlsError {
    #[error("reading {}", path.display())]
    Read {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("{} is longer than {MAX_CERTIFICATE_BYTES} bytes", path.display())]
    TooLong { path: PathBuf },
    #[error("reading certificates from {}", path.display())]
    Pem {
        path: PathBuf,
        #[source]
        source: pem::Error,
    },
    #[error("{} holds no certificate", path.display())]
    Empty { path: PathBuf },
    #[error("reading the private key")]
    Key {
        #[source]
        source: SecretFileError,
    },
    #[error("reading the private key from {}", path.display())]
    KeyPem {
        path: PathBuf,
        #[source]
        source: pem::Error,
    },
    #[error("using the private key with its certificate")]
    KeyPair {
        #[source]
        source: rustls::Error,
    },
    #[error("taking an authority from {}", path.display())]
    Authority {
        path: PathBuf,
        #[source]
        source: rustls::Error,
    },
    #[error("{} mixes a development CA with others", path.display())]
    MixedAuthorities { path: PathBuf },
    #[error("reading the identity in {}", path.display())]
    Identity {
        path: PathBuf,
        #[source]
        source: InvalidIdentity,
    },
    #[error("the certificate in {} has expired", path.display())]
    Expired { path: PathBuf },
    #[error("building the verifier of peers")]
    Verifier {
        #[source]
        source: VerifierBuilderError,
    },
    #[error("setting TLS 1.3")]
    Protocol {
        #[source]
        source: rustls::Error,
    },
    #[error("the new certificate is of {new}, but this process is {old}")]
    OtherIdentity { old: Box<PeerIdentity>, new: Box<PeerIdentity> },
    #[error("a running process does not change between a development CA and another")]
    OtherKindOfAuthority,
}

/// Everything of one reading of the files. It is swapped whole, so key, chain and trust always belong together.
#[derive(Debug)]
pub(crate) struct Material {
    pub(crate) identity: PeerIdentity,
    pub(crate) development: bool,
    pub(crate) server: Arc<ServerConfig>,
    pub(crate) client: Arc<ClientConfig>,
}

impl Material {
    pub(crate) fn load(files: &TlsFiles, clock: &Arc<dyn Clock>) -> Result<Self, TlsError> {
        let chain = certificates(&files.certificate)?;
        let identity = PeerIdentity::from_certificate(&chain[0])
            .map_err(|source| TlsError::Identity { path: files.certificate.clone(), source })?;
        if identity.expires <= clock.now() {
            return Err(TlsError::Expired { path: files.certificate.clone() });
        }
        let (roots, development) = authorities(&files.ca)?;
        let certified = Arc::new(SingleCertAndKey::from(certified_key(chain, &files.key)?));
        let provider = Arc::new(provider());
        let time = Arc::new(ClockTime(Arc::clone(clock)));
        let server = server_config(&provider, &time, &roots, &certified)?;
        let client = client_config(&provider, &time, &roots, &certified)?;
        Ok(Self { identity, development, server: Arc::new(server), client: Arc::new(client) })
    }

    /// Refuses to become another process, or one of another kind of trust.
    pub(crate) fn may_follow(&self, old: &Self) -> Result<(), TlsError> {
        let of = |identity: &PeerIdentity| (identity.cloud, identity.role, Arc::clone(&identity.name));
        if of(&self.identity) != of(&old.identity) {
            return Err(TlsError::OtherIdentity {
                old: Box::new(old.identity.clone()),
                new: Box::new(self.identity.clone()),
            });
        }
        if self.development != old.development {
            return Err(TlsError::OtherKindOfAuthority);
        }
        Ok(())
    }
}

/// The process's one clock, for the validity of certificates.
#[derive(Debug)]
struct ClockTime(Arc<dyn Clock>);

impl TimeProvider for ClockTime {
    fn current_time(&self) -> Option<UnixTime> {
        Some(UnixTime::since_unix_epoch(Duration::from_millis(self.0.now().0)))
    }
}

/// TLS 1.3 suites of aws-lc, and key exchange with ML-KEM first: records are worth recording today to read later.
fn provider() -> CryptoProvider {
    CryptoProvider {
        kx_groups: vec![
            aws_lc_rs::kx_group::X25519MLKEM768,
            aws_lc_rs::kx_group::X25519,
            aws_lc_rs::kx_group::SECP256R1,
        ],
        ..aws_lc_rs::default_provider()
    }
}

fn server_config(
    provider: &Arc<CryptoProvider>,
    time: &Arc<ClockTime>,
    roots: &Arc<RootCertStore>,
    certified: &Arc<SingleCertAndKey>,
) -> Result<ServerConfig, TlsError> {
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::clone(roots), Arc::clone(provider))
        .build()
        .map_err(|source| TlsError::Verifier { source })?;
    let mut config = ServerConfig::builder_with_details(Arc::clone(provider), Arc::clone(time) as _)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(|source| TlsError::Protocol { source })?
        .with_client_cert_verifier(verifier)
        .with_cert_resolver(Arc::clone(certified) as _);
    config.alpn_protocols = vec![ALPN.to_vec()];
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    Ok(config)
}

fn client_config(
    provider: &Arc<CryptoProvider>,
    time: &Arc<ClockTime>,
    roots: &Arc<RootCertStore>,
    certified: &Arc<SingleCertAndKey>,
) -> Result<ClientConfig, TlsError> {
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::clone(roots), Arc::clone(provider))
        .build()
        .map_err(|source| TlsError::Verifier { source })?;
    let mut config = ClientConfig::builder_with_details(Arc::clone(provider), Arc::clone(time) as _)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(|source| TlsError::Protocol { source })?
        .with_webpki_verifier(verifier)
        .with_client_cert_resolver(Arc::clone(certified) as _);
    config.alpn_protocols = vec![ALPN.to_vec()];
    config.resumption = Resumption::disabled();
    Ok(config)
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let failed = |source| TlsError::Read { path: path.to_owned(), source };
    if fs::metadata(path).map_err(failed)?.len() > MAX_CERTIFICATE_BYTES {
        return Err(TlsError::TooLong { path: path.to_owned() });
    }
    let text = fs::read(path).map_err(failed)?;
    let chain: Vec<_> = CertificateDer::pem_slice_iter(&text)
        .collect::<Result<_, _>>()
        .map_err(|source| TlsError::Pem { path: path.to_owned(), source })?;
    if chain.is_empty() {
        return Err(TlsError::Empty { path: path.to_owned() });
    }
    Ok(chain)
}

fn authorities(path: &Path) -> Result<(Arc<RootCertStore>, bool), TlsError> {
    let authorities = certificates(path)?;
    let development = authorities.iter().filter(|authority| is_development_ca(authority)).count();
    if development != 0 && development != authorities.len() {
        return Err(TlsError::MixedAuthorities { path: path.to_owned() });
    }
    let mut roots = RootCertStore::empty();
    for authority in authorities {
        roots.add(authority).map_err(|source| TlsError::Authority { path: path.to_owned(), source })?;
    }
    Ok((Arc::new(roots), development != 0))
}

fn is_development_ca(der: &[u8]) -> bool {
    X509Certificate::from_der(der).is_ok_and(|(_, certificate)| {
        certificate.subject().iter_organization().any(|name| name.as_str() == Ok(DEVELOPMENT_ORGANISATION))
    })
}

fn certified_key(chain: Vec<CertificateDer<'static>>, path: &Path) -> Result<CertifiedKey, TlsError> {
    let text = read_secret(path).map_err(|source| TlsError::Key { source })?;
    let mut der =
        PrivateKeyDer::from_pem_slice(&text).map_err(|source| TlsError::KeyPem { path: path.to_owned(), source })?;
    let key = aws_lc_rs::sign::any_supported_type(&der);
    der.zeroize();
    let certified = CertifiedKey::new(chain, key.map_err(|source| TlsError::KeyPair { source })?);
    certified.keys_match().map_err(|source| TlsError::KeyPair { source })?;
    Ok(certified)
}
