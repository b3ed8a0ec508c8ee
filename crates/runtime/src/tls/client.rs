//! The connecting side.

use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use http::Uri;
use hyper_util::rt::TokioIo;
use renkei_ids::CloudId;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tonic::transport::{Channel, Endpoint};

use super::{ALPN, Tls};
use crate::http2::{KEEPALIVE_INTERVAL, KEEPALIVE_TIMEOUT, MAX_HEADER_LIST_BYTES};
use crate::{Address, Http2, InvalidIdentity, PeerIdentity, Role, stream};

/// Longest time from the first packet to a peer whose identity was checked.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// A connection to a peer whose identity was checked.
pub type ClientStream = tokio_rustls::client::TlsStream<TcpStream>;

/// Who must answer, besides the host name or address that its certificate must carry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExpectedPeer {
    /// Its cloud.
    pub cloud: CloudId,
    /// Its role.
    pub role: Role,
    /// Its name, where one certain process is meant.
    pub name: Option<Arc<str>>,
}

/// Why no connection was made.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each message says what its fields are")]
pub enum ConnectError {
    #[error("connecting to {address} took more than {} s", CONNECT_TIMEOUT.as_secs())]
    TimedOut { address: Address },
    #[error("connecting to {address}")]
    Tcp {
        address: Address,
        #[source]
        source: io::Error,
    },
    #[error("TLS handshake with {address}")]
    Tls {
        address: Address,
        #[source]
        source: io::Error,
    },
    #[error("{address} does not speak HTTP/2")]
    NotHttp2 { address: Address },
    #[error("reading the identity of {address}")]
    Identity {
        address: Address,
        #[source]
        source: InvalidIdentity,
    },
    #[error("{address} is {actual}, which is not who was expected there")]
    OtherPeer { address: Address, actual: Box<PeerIdentity> },
}

impl Tls {
    /// A channel that connects when it is first used, and again after a loss, each time with the certificates in force.
    ///
    /// One channel is one connection; those that must not wait for each other (heartbeats, log entries, snapshots)
    /// take one each. Call it inside the runtime.
    pub fn channel(&self, address: &Address, expected: ExpectedPeer, http2: Http2) -> Channel {
        let uri = |scheme: &str| -> Uri {
            format!("{scheme}://{}", address.authority()).parse().expect("a scheme and an authority are a URI")
        };
        // The scheme that tonic sees is plain, for TLS is the connector's; the origin tells the server the truth.
        let endpoint = Endpoint::from(uri("http"))
            .origin(uri("https"))
            .initial_stream_window_size(http2.stream_window)
            .initial_connection_window_size(http2.connection_window)
            .max_frame_size(http2.max_frame)
            .http2_max_header_list_size(MAX_HEADER_LIST_BYTES)
            .http2_keep_alive_interval(KEEPALIVE_INTERVAL)
            .keep_alive_timeout(KEEPALIVE_TIMEOUT)
            .keep_alive_while_idle(true);
        let (tls, address) = (self.clone(), address.clone());
        endpoint.connect_with_connector_lazy(tower::service_fn(move |_: Uri| {
            let (tls, address, expected) = (tls.clone(), address.clone(), expected.clone());
            async move { tls.connect(&address, &expected).await.map(TokioIo::new) }
        }))
    }

    /// Connects and checks who answers, within [`CONNECT_TIMEOUT`].
    pub async fn connect(&self, address: &Address, expected: &ExpectedPeer) -> Result<ClientStream, ConnectError> {
        within(CONNECT_TIMEOUT, self.handshake(address))
            .await
            .unwrap_or_else(|| Err(ConnectError::TimedOut { address: address.clone() }))
            .and_then(|stream| check(stream, address, expected))
    }

    async fn handshake(&self, address: &Address) -> Result<ClientStream, ConnectError> {
        let tcp_failed = |source| ConnectError::Tcp { address: address.clone(), source };
        let tcp = TcpStream::connect(address.host_and_port()).await.map_err(tcp_failed)?;
        stream::tune(&tcp).map_err(tcp_failed)?;
        TlsConnector::from(self.current().client.clone())
            .connect(address.server_name().clone(), tcp)
            .await
            .map_err(|source| ConnectError::Tls { address: address.clone(), source })
    }
}

async fn within<T>(limit: Duration, future: impl Future<Output = T>) -> Option<T> {
    tokio::time::timeout(limit, future).await.ok()
}

fn check(stream: ClientStream, address: &Address, expected: &ExpectedPeer) -> Result<ClientStream, ConnectError> {
    let (_, session) = stream.get_ref();
    if session.alpn_protocol() != Some(ALPN) {
        return Err(ConnectError::NotHttp2 { address: address.clone() });
    }
    let certificate = session
        .peer_certificates()
        .and_then(|chain| chain.first())
        .expect("a server shows a certificate in every full TLS 1.3 handshake, and none is resumed");
    let actual = PeerIdentity::from_certificate(certificate)
        .map_err(|source| ConnectError::Identity { address: address.clone(), source })?;
    let ExpectedPeer { cloud, role, name } = expected;
    if actual.cloud != *cloud || actual.role != *role || name.as_ref().is_some_and(|name| *name != actual.name) {
        return Err(ConnectError::OtherPeer { address: address.clone(), actual: Box::new(actual) });
    }
    Ok(stream)
}
