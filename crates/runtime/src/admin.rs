//! The admin port: metrics, health and, under a development CA, the clock. Loopback only, HTTP/1.1, no login.
//!
//! | request | answer |
//! |---|---|
//! | `GET /metrics` | Prometheus text |
//! | `GET /health/live` | 200 while the process answers at all |
//! | `GET /health/ready` | 200 when every check passes and no shutdown has begun, 503 otherwise; JSON with the checks |
//! | `POST /clock?offset_ms=<integer>` | sets the clock's offset from true time; 403 unless under a development CA |

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, header};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use prometheus::TextEncoder;
use serde_json::json;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

use crate::{BindError, OnError, OnShutdown, Shell, TaskKind, bind};

/// Connections that the admin port serves at a time; others wait in the kernel.
pub const MAX_ADMIN_CONNECTIONS: usize = 16;
/// Longest request head, in bytes.
const MAX_HEAD_BYTES: usize = 16 * 1024;
/// Longest time for a request's head to arrive.
const HEAD_TIMEOUT: Duration = Duration::from_secs(5);
/// Longest life of a connection: an answer takes milliseconds, and a scraper connects again.
const CONNECTION_LIFE: Duration = Duration::from_secs(60);
/// Pause after a failed accept.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Why the admin port did not open.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each message says what its fields are")]
pub enum AdminError {
    #[error("{address} is not a loopback address, and the admin port has no login")]
    NotLoopback { address: SocketAddr },
    #[error("binding the admin port")]
    Bind {
        #[source]
        source: BindError,
    },
    #[error("reading the address that the admin port got")]
    Address {
        #[source]
        source: io::Error,
    },
}

/// A bound admin port.
#[derive(Debug)]
pub struct AdminServer {
    listener: TcpListener,
    address: SocketAddr,
}

impl AdminServer {
    /// Binds a loopback address; port 0 takes a free one. Call it inside the runtime.
    pub fn bind(address: SocketAddr) -> Result<Self, AdminError> {
        if !address.ip().is_loopback() {
            return Err(AdminError::NotLoopback { address });
        }
        let listener = bind(address).map_err(|source| AdminError::Bind { source })?;
        let address = listener.local_addr().map_err(|source| AdminError::Address { source })?;
        Ok(Self { listener, address })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers until the process ends; the drain can be watched on it.
    pub fn serve(self, shell: &Shell) {
        let kind = TaskKind { name: "admin", on_error: OnError::StopProcess, on_shutdown: OnShutdown::CancelLast };
        let (tasks, shell) = (shell.tasks().clone(), shell.clone());
        tasks.spawn(kind, accept(self.listener, shell));
    }
}

async fn accept(listener: TcpListener, shell: Shell) -> Result<(), Infallible> {
    let places = Arc::new(Semaphore::new(MAX_ADMIN_CONNECTIONS));
    loop {
        let place = Arc::clone(&places).acquire_owned().await.expect("this semaphore is never closed");
        match listener.accept().await {
            Ok((tcp, _)) => {
                let kind =
                    TaskKind { name: "admin-connection", on_error: OnError::Log, on_shutdown: OnShutdown::CancelLast };
                let connection = connection(tcp, shell.clone());
                shell.tasks().spawn(kind, async move {
                    let _place = place;
                    connection.await;
                    Ok::<(), Infallible>(())
                });
            }
            Err(error) => {
                tracing::warn!(%error, "accept on the admin port failed");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

async fn connection(tcp: TcpStream, shell: Shell) {
    let serve = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(MAX_HEAD_BYTES)
        .serve_connection(
            TokioIo::new(tcp),
            service_fn(move |request: Request<Incoming>| {
                let (head, _unread) = request.into_parts();
                let answer = answer(&head.method, head.uri.path(), head.uri.query(), &shell);
                async move { Ok::<_, Infallible>(answer) }
            }),
        );
    match tokio::time::timeout(CONNECTION_LIFE, serve).await {
        Ok(Ok(())) | Err(_) => {}
        Ok(Err(error)) => tracing::debug!(%error, "admin connection lost"),
    }
}

fn answer(method: &Method, path: &str, query: Option<&str>, shell: &Shell) -> Response<Full<Bytes>> {
    match (method, path) {
        (&Method::GET, "/metrics") => metrics(shell),
        (&Method::GET, "/health/live") => text(StatusCode::OK, "live\n"),
        (&Method::GET, "/health/ready") => ready(shell),
        (&Method::POST, "/clock") => set_clock(query, shell),
        (_, "/metrics" | "/health/live" | "/health/ready" | "/clock") => {
            text(StatusCode::METHOD_NOT_ALLOWED, "method not allowed\n")
        }
        _ => text(StatusCode::NOT_FOUND, "no such path\n"),
    }
}

fn metrics(shell: &Shell) -> Response<Full<Bytes>> {
    match TextEncoder::new().encode_to_string(&shell.registry().gather()) {
        Ok(body) => respond(StatusCode::OK, prometheus::TEXT_FORMAT, body),
        Err(error) => {
            tracing::error!(%error, "metrics cannot be encoded");
            text(StatusCode::INTERNAL_SERVER_ERROR, "metrics cannot be encoded\n")
        }
    }
}

fn ready(shell: &Shell) -> Response<Full<Bytes>> {
    let report = shell.health().report();
    let stopping = shell.stopping().is_cancelled();
    let ready = !stopping && report.values().all(Option::is_none);
    let checks: serde_json::Map<_, _> =
        report.into_iter().map(|(name, reason)| (name.to_owned(), json!(reason.unwrap_or("ok")))).collect();
    let body = json!({ "ready": ready, "stopping": stopping, "checks": checks }).to_string();
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    respond(status, "application/json", body)
}

fn set_clock(query: Option<&str>, shell: &Shell) -> Response<Full<Bytes>> {
    let Some(proof) = shell.tls().development() else {
        return text(StatusCode::FORBIDDEN, "the clock is set under a development CA only\n");
    };
    let offset = query.and_then(|query| query.strip_prefix("offset_ms=")).and_then(|offset| offset.parse().ok());
    let Some(offset) = offset else {
        return text(StatusCode::BAD_REQUEST, "expected ?offset_ms=<integer>\n");
    };
    match shell.system_clock().set_offset(proof, offset) {
        Ok(()) => {
            tracing::warn!(offset_ms = offset, "clock offset set");
            text(StatusCode::OK, "set\n")
        }
        Err(error) => respond(StatusCode::BAD_REQUEST, "text/plain", format!("{error}\n")),
    }
}

fn text(status: StatusCode, body: &'static str) -> Response<Full<Bytes>> {
    respond(status, "text/plain", body)
}

fn respond(status: StatusCode, content_type: &'static str, body: impl Into<Bytes>) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body.into()));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, http::HeaderValue::from_static(content_type));
    response
}
