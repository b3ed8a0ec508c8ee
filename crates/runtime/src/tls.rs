//! Mutual TLS 1.3: one identity for both directions, read from files and swapped whole when they change.

mod client;
mod material;
mod reload;
mod server;

use std::sync::Arc;

use arc_swap::ArcSwap;
use renkei_ids::Clock;

pub use client::{CONNECT_TIMEOUT, ClientStream, ConnectError, ExpectedPeer};
pub use material::{DEVELOPMENT_ORGANISATION, TlsError};
pub use reload::RELOAD_POLL;
pub(crate) use reload::watch;
pub use server::{Admit, HANDSHAKE_TIMEOUT, HandshakeError, ServerTls};

use crate::{Development, PeerIdentity, TlsFiles};
use material::Material;

/// The application protocol of every connection; one that settles on no other is refused.
pub(crate) const ALPN: &[u8] = b"h2";

/// This process's certificate and key, and the authorities it trusts. Clones are handles to the same identity, so a
/// reload reaches every acceptor and connector made from it.
///
/// Only TLS 1.3 is spoken, both sides show a certificate, and no session is resumed: a resumed one would not be
/// checked against the certificates of today.
#[derive(Clone, Debug)]
pub struct Tls {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    files: TlsFiles,
    clock: Arc<dyn Clock>,
    current: ArcSwap<Material>,
}

impl Tls {
    /// Reads and checks the files. Certificates are judged by `clock`.
    pub fn load(files: &TlsFiles, clock: Arc<dyn Clock>) -> Result<Self, TlsError> {
        let material = Material::load(files, &clock)?;
        let inner = Inner { files: files.clone(), clock, current: ArcSwap::from_pointee(material) };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Reads the files again. New connections use what was read; live ones go on. On an error, or when the files would
    /// make this process somebody else, what is in force stays.
    pub fn reload(&self) -> Result<(), TlsError> {
        let next = Material::load(&self.inner.files, &self.inner.clock)?;
        next.may_follow(&self.inner.current.load())?;
        self.inner.current.store(Arc::new(next));
        Ok(())
    }

    /// Who this process is.
    pub fn identity(&self) -> PeerIdentity {
        self.inner.current.load().identity.clone()
    }

    /// Proof that a development CA is trusted, and no other. It cannot change while the process lives.
    pub fn development(&self) -> Option<Development> {
        self.inner.current.load().development.then_some(Development(()))
    }

    /// Whether a development CA is trusted, and no other.
    pub fn is_development(&self) -> bool {
        self.development().is_some()
    }

    /// An acceptor for peers that `admit` lets in.
    pub fn server(&self, admit: Admit) -> ServerTls {
        ServerTls::new(self.clone(), admit)
    }

    fn current(&self) -> arc_swap::Guard<Arc<Material>> {
        self.inner.current.load()
    }
}
