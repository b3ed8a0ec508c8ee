//! Mutual TLS 1.3 with certificates of the run's own authority.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, ensure};
use renkei_ids::KeyHash;
use renkei_launch::{PeerIdentity, TlsFiles};
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{ClientConfig, RootCertStore, ServerConfig};

const ALPN: &[u8] = b"h2";

struct Material {
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
    roots: Arc<RootCertStore>,
}

impl Material {
    fn load(files: &TlsFiles) -> anyhow::Result<Self> {
        let chain = certificates(&files.certificate)?;
        let key = fs::read(&files.key).with_context(|| format!("reading {}", files.key.display()))?;
        let key = PrivateKeyDer::from_pem_slice(&key).context("reading the private key")?;
        let mut roots = RootCertStore::empty();
        for authority in certificates(&files.ca)? {
            roots.add(authority).context("taking the authority")?;
        }
        Ok(Self { chain, key, roots: Arc::new(roots) })
    }
}

fn certificates(path: &Path) -> anyhow::Result<Vec<CertificateDer<'static>>> {
    let pem = fs::read(path).with_context(|| format!("reading {}", path.display()))?;
    let chain: Vec<_> = CertificateDer::pem_slice_iter(&pem)
        .collect::<Result<_, _>>()
        .with_context(|| format!("reading certificates from {}", path.display()))?;
    ensure!(!chain.is_empty(), "{} holds no certificate", path.display());
    Ok(chain)
}

/// What a client shows and whom it trusts.
pub(crate) fn client(files: &TlsFiles) -> anyhow::Result<Arc<ClientConfig>> {
    let Material { chain, key, roots } = Material::load(files)?;
    let mut config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_protocol_versions(&[&rustls::version::TLS13])
        .context("choosing TLS 1.3")?
        .with_root_certificates(roots)
        .with_client_auth_cert(chain, key)
        .context("using the client's certificate")?;
    config.alpn_protocols = vec![ALPN.to_vec()];
    Ok(Arc::new(config))
}

/// What a server shows and whom it lets in: everyone with a certificate of the authority.
pub(crate) fn server(files: &TlsFiles) -> anyhow::Result<Arc<ServerConfig>> {
    let Material { chain, key, roots } = Material::load(files)?;
    let provider = Arc::new(default_provider());
    let verifier = WebPkiClientVerifier::builder_with_provider(roots, Arc::clone(&provider))
        .build()
        .context("building the verifier of clients")?;
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .context("choosing TLS 1.3")?
        .with_client_cert_verifier(verifier)
        .with_single_cert(chain, key)
        .context("using the server's certificate")?;
    config.alpn_protocols = vec![ALPN.to_vec()];
    Ok(Arc::new(config))
}

/// What names the holder of this certificate in a capability.
pub(crate) fn key_hash(files: &TlsFiles) -> anyhow::Result<KeyHash> {
    let chain = certificates(&files.certificate)?;
    Ok(PeerIdentity::from_certificate(&chain[0]).context("reading the identity in our certificate")?.key_hash)
}
