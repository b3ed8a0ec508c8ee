//! The process that echoes.

use std::convert::Infallible;
use std::io::{self, Read as _};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use anyhow::Context as _;
use bytes::Bytes;
use futures::future::{self, BoxFuture, FutureExt as _};
use futures::stream::{self, Stream};
use renkei_launch::TlsFiles;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio_rustls::TlsAcceptor;
use tonic::body::Body;
use tonic::server::NamedService;
use tonic::transport::Server;
use tower::Service;

use super::{EchoReply, EchoRequest};
use crate::arguments::EchoServerArguments;
use crate::failure::{Exit, Failure};
use crate::operation::{TIMELINE_VALUES, VALUE_BYTES};
use crate::tls;

mod accepted;

use accepted::Accepted;

/// Longest answer that can be asked for.
const ANSWER_MAX_BYTES: usize = TIMELINE_VALUES * VALUE_BYTES;
/// Longest handshake: connections are taken one after the other, and the only client is the load tester.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(5);

/// Serves until a signal comes or, where asked for, standard input closes.
pub(crate) async fn run(settings: EchoServerArguments) -> Result<Exit, Failure> {
    serve(settings).await.map_err(Failure::unreachable)?;
    Ok(Exit::Pass)
}

async fn serve(settings: EchoServerArguments) -> anyhow::Result<()> {
    let EchoServerArguments { listen, certificate, key, ca, exit_with_parent } = settings;
    let acceptor = match (certificate, key, ca) {
        (Some(certificate), Some(key), Some(ca)) => {
            Some(TlsAcceptor::from(tls::server(&TlsFiles { certificate, key, ca })?))
        }
        _ => None,
    };
    let listener = TcpListener::bind(listen).await.with_context(|| format!("listening on {listen}"))?;
    let service = EchoService { answer: Bytes::from(vec![0xa5; ANSWER_MAX_BYTES]) };
    Server::builder()
        .initial_stream_window_size(1 << 20)
        .initial_connection_window_size(4 << 20)
        .serve_with_incoming_shutdown(service, incoming(listener, acceptor), stopped(exit_with_parent)?)
        .await
        .context("serving the echo")
}

fn incoming(listener: TcpListener, tls: Option<TlsAcceptor>) -> impl Stream<Item = io::Result<Accepted>> {
    let state = Arc::new((listener, tls));
    stream::unfold(state, |state| async move {
        loop {
            let (listener, tls) = &*state;
            // A peer that breaks off concerns nobody else.
            if let Ok(connection) = accept(listener, tls.as_ref()).await {
                return Some((Ok(connection), state));
            }
        }
    })
}

async fn accept(listener: &TcpListener, tls: Option<&TlsAcceptor>) -> io::Result<Accepted> {
    let (tcp, _) = listener.accept().await?;
    tcp.set_nodelay(true)?;
    match tls {
        None => Ok(Accepted::Plain(tcp)),
        Some(tls) => secured(tls, tcp).await,
    }
}

async fn secured(tls: &TlsAcceptor, tcp: TcpStream) -> io::Result<Accepted> {
    let stream = tokio::time::timeout(HANDSHAKE_TIMEOUT, tls.accept(tcp)).await??;
    Ok(Accepted::Tls(Box::new(stream)))
}

/// Resolves when the process is to end.
fn stopped(with_parent: bool) -> anyhow::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate()).context("taking over SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("taking over SIGINT")?;
    let parent_gone = if with_parent { stdin_closed()? } else { future::pending().boxed() };
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
            () = parent_gone => {}
        }
    })
}

fn stdin_closed() -> anyhow::Result<BoxFuture<'static, ()>> {
    let (closed, parent_gone) = oneshot::channel();
    let watch = move || {
        let mut byte = [0];
        while matches!(io::stdin().read(&mut byte), Ok(1..)) {}
        // Nobody listens any more where the process is ending for another reason.
        let _ending = closed.send(());
    };
    thread::Builder::new().name("stdin".to_owned()).spawn(watch).context("watching standard input")?;
    Ok(parent_gone.map(drop).boxed())
}

/// Answers the first bytes of one buffer, without copying it.
#[derive(Clone, Debug)]
struct EchoService {
    answer: Bytes,
}

impl NamedService for EchoService {
    const NAME: &'static str = "renkei.loadtest.v1.Echo";
}

impl Service<http::Request<Body>> for EchoService {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut std::task::Context<'_>) -> std::task::Poll<Result<(), Infallible>> {
        std::task::Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let answer = self.answer.clone();
        Box::pin(async move {
            let echo = tower::service_fn(move |request: tonic::Request<EchoRequest>| {
                let asked = usize::try_from(request.get_ref().answer_bytes).unwrap_or(usize::MAX);
                let payload = answer.slice(..asked.min(ANSWER_MAX_BYTES));
                std::future::ready(Ok::<_, tonic::Status>(tonic::Response::new(EchoReply { payload })))
            });
            let codec = tonic_prost::ProstCodec::<EchoReply, EchoRequest>::default();
            Ok(tonic::server::Grpc::new(codec).unary(echo, request).await)
        })
    }
}
