//! Serves gRPC over mutual TLS: accept, handshake, calls, drain.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http::{Request, Response};
use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio_stream::StreamExt;
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;
use tonic::body::Body;
use tonic::server::NamedService;
use tonic::service::Routes;
use tonic::transport::Server;
use tower::Service;

use crate::http2::{KEEPALIVE_INTERVAL, KEEPALIVE_TIMEOUT, MAX_HEADER_LIST_BYTES};
use crate::stream::{self, Held};
use crate::{Http2, OnError, OnShutdown, ServerTls, Shell, TaskKind, TlsStream};

/// Connections that one listener holds; the kernel's queue holds the next ones. A connection costs about 30 KiB idle,
/// so all of them about 128 MiB.
pub const MAX_CONNECTIONS: usize = 4096;
/// Handshakes of one listener that may be under way: an attacker who never finishes one holds a place for 5 s at most.
pub const MAX_HANDSHAKES: usize = 512;
/// Connections that wait in the kernel to be accepted.
const BACKLOG: i32 = 1024;
/// Pause after an accept fails for want of file descriptors or memory, which fails again at once without one.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Opening a listener.
#[derive(Debug, thiserror::Error)]
#[error("listening on {address}")]
pub struct BindError {
    /// Where it was to listen.
    pub address: SocketAddr,
    #[source]
    source: io::Error,
}

/// Opens a TCP listener. A port in time-wait is taken again, so that a killed process can restart at once.
///
/// Call it inside the runtime.
pub fn bind(address: SocketAddr) -> Result<TcpListener, BindError> {
    listen(address).map_err(|source| BindError { address, source })
}

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    TcpListener::from_std(socket.into())
}

/// A listener that is being served. Dropping it changes nothing.
#[derive(Clone, Debug)]
pub struct Serving {
    drained: CancellationToken,
}

impl Serving {
    /// Resolves when shutdown has begun, and every connection's last call has been answered. A service waits for it
    /// before it closes what its handlers use.
    pub async fn drained(&self) {
        self.drained.cancelled().await;
    }
}

/// Serves a tonic service until the process stops.
///
/// `name` labels the listener in metrics. When shutdown begins nothing more is accepted, and calls in flight are
/// finished until the grace period ends; handlers of endless streams must watch [`Shell::stopping`] and end them.
pub fn serve_grpc<S>(
    shell: &Shell,
    name: &'static str,
    listener: TcpListener,
    tls: ServerTls,
    http2: Http2,
    service: S,
) -> Serving
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>
        + NamedService
        + Clone
        + Send
        + Sync
        + 'static,
    S::Future: Send + 'static,
{
    serve_routes(shell, name, listener, tls, http2, Routes::new(service))
}

/// As [`serve_grpc`], for several services on one listener.
///
/// Not generic, so that the HTTP/2 server is compiled once, here, and not again in each service.
pub fn serve_routes(
    shell: &Shell,
    name: &'static str,
    listener: TcpListener,
    tls: ServerTls,
    http2: Http2,
    routes: Routes,
) -> Serving {
    // One place: a finished handshake waits here only while tonic is taking the one before it.
    let (ready, incoming) = mpsc::channel(1);
    let accept = Acceptor {
        shell: shell.clone(),
        name,
        tls,
        ready,
        connections: Arc::new(Semaphore::new(MAX_CONNECTIONS)),
        handshakes: Arc::new(Semaphore::new(MAX_HANDSHAKES)),
    };
    let kind = TaskKind { name: "accept", on_error: OnError::StopProcess, on_shutdown: OnShutdown::Cancel };
    shell.tasks().spawn(kind, accept.run(listener));

    let serving = Serving { drained: CancellationToken::new() };
    let drained = serving.drained.clone().drop_guard();
    let stopping = shell.stopping();
    let server = Server::builder()
        .initial_stream_window_size(http2.stream_window)
        .initial_connection_window_size(http2.connection_window)
        .max_frame_size(http2.max_frame)
        .max_concurrent_streams(http2.max_streams)
        .http2_adaptive_window(Some(false))
        .http2_max_header_list_size(MAX_HEADER_LIST_BYTES)
        .http2_keepalive_interval(Some(KEEPALIVE_INTERVAL))
        .http2_keepalive_timeout(Some(KEEPALIVE_TIMEOUT));
    let kind = TaskKind { name: "grpc", on_error: OnError::StopProcess, on_shutdown: OnShutdown::Drain };
    shell.tasks().spawn(kind, async move {
        let _drained = drained;
        let incoming = ReceiverStream::new(incoming).map(Ok::<_, Infallible>);
        server.serve_with_incoming_shutdown(routes, incoming, stopping.cancelled_owned()).await
    });
    serving
}

struct Acceptor {
    shell: Shell,
    name: &'static str,
    tls: ServerTls,
    ready: mpsc::Sender<TlsStream<TcpStream>>,
    connections: Arc<Semaphore>,
    handshakes: Arc<Semaphore>,
}

impl Acceptor {
    async fn run(self, listener: TcpListener) -> Result<(), Infallible> {
        loop {
            let connection = permit(&self.connections).await;
            let handshake = permit(&self.handshakes).await;
            match listener.accept().await {
                Ok((tcp, _)) => self.handshake(tcp, connection, handshake),
                Err(error) => {
                    tracing::warn!(listener = self.name, %error, "accept failed");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }

    /// Shakes hands in a task of its own, so that a slow peer delays nobody.
    fn handshake(&self, tcp: TcpStream, connection: OwnedSemaphorePermit, handshake: OwnedSemaphorePermit) {
        let metrics = self.shell.metrics();
        let held = Held::new(connection, metrics.connections_open.with_label_values(&[self.name]));
        let failures = metrics.handshake_failures.clone();
        let (name, tls, ready) = (self.name, self.tls.clone(), self.ready.clone());
        let kind = TaskKind { name: "handshake", on_error: OnError::Log, on_shutdown: OnShutdown::Cancel };
        self.shell.tasks().spawn(kind, async move {
            let _handshake = handshake;
            if let Err(error) = stream::tune(&tcp) {
                tracing::debug!(listener = name, %error, "connection lost before its handshake");
                return Ok::<(), Infallible>(());
            }
            match tls.accept(tcp).await {
                // The receiver is gone only while the process stops.
                Ok(stream) => drop(ready.send(stream.holding(held)).await),
                Err(error) => {
                    failures.with_label_values(&[name, error.reason()]).inc();
                    tracing::debug!(listener = name, error = %crate::Chain(&error), "connection refused");
                }
            }
            Ok(())
        });
    }
}

async fn permit(of: &Arc<Semaphore>) -> OwnedSemaphorePermit {
    Arc::clone(of).acquire_owned().await.expect("these semaphores are never closed")
}
