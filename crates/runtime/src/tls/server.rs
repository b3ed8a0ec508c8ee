//! The accepting side.

use std::io;
use std::time::Duration;

use renkei_ids::CloudId;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsAcceptor;

use super::{ALPN, Tls};
use crate::{InvalidIdentity, PeerIdentity, Role, TlsStream};

/// Longest handshake, from the first byte to the peer's identity.
pub const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(5);

/// Who may connect to a listener. What a peer may call is decided by each handler.
#[derive(Clone, Copy, Debug)]
pub struct Admit {
    /// Only peers of this cloud, or of any.
    pub cloud: Option<CloudId>,
    /// Only peers of these roles.
    pub roles: &'static [Role],
}

/// An acceptor of mutually authenticated connections.
#[derive(Clone, Debug)]
pub struct ServerTls {
    tls: Tls,
    admit: Admit,
}

/// Why an incoming connection was refused.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each message says what its fields are")]
pub enum HandshakeError {
    #[error("the handshake took more than {} s", HANDSHAKE_TIMEOUT.as_secs())]
    TimedOut,
    #[error("TLS handshake")]
    Tls {
        #[source]
        source: io::Error,
    },
    #[error("the peer does not speak HTTP/2")]
    NotHttp2,
    #[error("reading the peer's identity")]
    Identity {
        #[source]
        source: InvalidIdentity,
    },
    #[error("the peer is of another cloud")]
    OtherCloud { peer: Box<PeerIdentity> },
    #[error("the peer's role is not taken here")]
    OtherRole { peer: Box<PeerIdentity> },
}

impl HandshakeError {
    /// A word for each variant, for metrics.
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::TimedOut => "timed_out",
            Self::Tls { .. } => "tls",
            Self::NotHttp2 => "not_http2",
            Self::Identity { .. } => "identity",
            Self::OtherCloud { .. } => "other_cloud",
            Self::OtherRole { .. } => "other_role",
        }
    }
}

impl ServerTls {
    pub(super) fn new(tls: Tls, admit: Admit) -> Self {
        Self { tls, admit }
    }

    /// Completes the handshake and learns who the peer is, within [`HANDSHAKE_TIMEOUT`].
    pub async fn accept<IO>(&self, io: IO) -> Result<TlsStream<IO>, HandshakeError>
    where
        IO: AsyncRead + AsyncWrite + Unpin,
    {
        let acceptor = TlsAcceptor::from(self.tls.current().server.clone());
        let stream = tokio::time::timeout(HANDSHAKE_TIMEOUT, acceptor.accept(io))
            .await
            .map_err(|_| HandshakeError::TimedOut)?
            .map_err(|source| HandshakeError::Tls { source })?;
        let (_, session) = stream.get_ref();
        if session.alpn_protocol() != Some(ALPN) {
            return Err(HandshakeError::NotHttp2);
        }
        let certificate = session
            .peer_certificates()
            .and_then(|chain| chain.first())
            .expect("the client verifier lets no handshake without a certificate complete");
        let peer = PeerIdentity::from_certificate(certificate).map_err(|source| HandshakeError::Identity { source })?;
        self.admit(&peer)?;
        Ok(TlsStream::new(stream, peer))
    }

    fn admit(&self, peer: &PeerIdentity) -> Result<(), HandshakeError> {
        let Admit { cloud, roles } = self.admit;
        if cloud.is_some_and(|cloud| cloud != peer.cloud) {
            return Err(HandshakeError::OtherCloud { peer: Box::new(peer.clone()) });
        }
        if !roles.contains(&peer.role) {
            return Err(HandshakeError::OtherRole { peer: Box::new(peer.clone()) });
        }
        Ok(())
    }
}
