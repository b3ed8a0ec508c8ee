//! Connections to a server: one HTTP/2 connection for each channel.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use http::Uri;
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tonic::transport::{Channel, Endpoint};

/// Longest wait for a server that was just started.
const START_TIMEOUT: Duration = Duration::from_secs(30);
const RETRY_PAUSE: Duration = Duration::from_millis(50);
/// Flow control, as between gateway and node.
const STREAM_WINDOW: u32 = 1 << 20;
const CONNECTION_WINDOW: u32 = 4 << 20;

/// Where a server is, and with which certificate to go there: plain TCP without one.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) address: SocketAddr,
    pub(crate) tls: Option<Arc<ClientConfig>>,
}

impl Target {
    /// One connection, tried again until the server is up.
    ///
    /// # Errors
    /// The last one, after [`START_TIMEOUT`].
    pub(crate) async fn open(&self) -> anyhow::Result<Channel> {
        let began = Instant::now();
        loop {
            match self.connect().await {
                Ok(channel) => return Ok(channel),
                Err(error) if began.elapsed() >= START_TIMEOUT => {
                    return Err(error).with_context(|| format!("connecting to {}", self.address));
                }
                Err(_) => tokio::time::sleep(RETRY_PAUSE).await,
            }
        }
    }

    /// Several connections.
    pub(crate) async fn open_all(&self, count: usize) -> anyhow::Result<Vec<Channel>> {
        let mut channels = Vec::with_capacity(count);
        for _ in 0..count {
            channels.push(self.open().await?);
        }
        Ok(channels)
    }

    async fn connect(&self) -> Result<Channel, tonic::transport::Error> {
        // The scheme that tonic sees is plain, for TLS is the connector's; the origin tells the server the truth.
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        let uri = |scheme: &str| -> Uri {
            format!("{scheme}://{}", self.address).parse().expect("a scheme and a socket address are a URI")
        };
        let endpoint = Endpoint::from(uri("http"))
            .origin(uri(scheme))
            .initial_stream_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW);
        let address = self.address;
        match self.tls.clone() {
            None => endpoint.connect_with_connector(tower::service_fn(move |_: Uri| plain(address))).await,
            Some(tls) => {
                let connector = tower::service_fn(move |_: Uri| secured(address, TlsConnector::from(Arc::clone(&tls))));
                endpoint.connect_with_connector(connector).await
            }
        }
    }
}

async fn plain(address: SocketAddr) -> io::Result<TokioIo<TcpStream>> {
    let tcp = TcpStream::connect(address).await?;
    tcp.set_nodelay(true)?;
    Ok(TokioIo::new(tcp))
}

async fn secured(
    address: SocketAddr,
    connector: TlsConnector,
) -> io::Result<TokioIo<tokio_rustls::client::TlsStream<TcpStream>>> {
    let tcp = TcpStream::connect(address).await?;
    tcp.set_nodelay(true)?;
    let stream = connector.connect(ServerName::IpAddress(address.ip().into()), tcp).await?;
    Ok(TokioIo::new(stream))
}
